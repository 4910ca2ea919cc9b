"""The FDA's trials as transitions: units, arm against drug on board, staged arms, wrapped and missing values."""

from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.datasets.releases import (
    beats_mv,
    write_csv,
    write_ecgcipa,
    write_ecgdmmld,
    write_ecgrdvq,
)
from worldmodel.datasets import ecgcipa, ecgdmmld, ecgrdvq
from worldmodel.datasets.transition import Transition
from worldmodel.errors import DataSetError


def transitions(room: ecgrdvq.TrialRoom, subject: str) -> list[Transition]:
    return list(room.read(subject).transitions)


def test_ecgrdvq_pairs_each_ecg_with_one_of_the_same_place_before_the_same_dose(tmp_path: Path) -> None:
    room = ecgrdvq.open_room(write_ecgrdvq(tmp_path))
    assert room.subjects == ["ecgrdvq/1001"]
    found = transitions(room, "ecgrdvq/1001")
    assert len(found) == 9 and {t.before_h for t in found} == {-0.5} and {t.hours for t in found} == {2.0}
    for t in found:
        assert t.before.id[0] == t.after.id[0] and t.before.id[2] == t.after.id[2]
    assert len({t.occasion for t in found}) == 3 and len({t.id for t in found}) == 9
    patient = found[0].context.patient
    assert (patient.age_years, patient.female) == (25.0, True)
    assert {f.name: f.value for f in found[0].context.facts}["weight_kg"] == 54.8


def test_ecgrdvq_keeps_micrograms_and_turns_picograms_into_nanograms(tmp_path: Path) -> None:
    doses = [t.given.doses for t in transitions(ecgrdvq.open_room(write_ecgrdvq(tmp_path)), "ecgrdvq/1001")]
    dofetilide, quinidine, placebo = doses[0][0], doses[3][0], doses[6]
    assert (dofetilide.drug, dofetilide.amount, dofetilide.unit) == ("dofetilide", 500.0, "ug")
    assert dofetilide.plasma_ng_ml == pytest.approx(2.7)
    assert (quinidine.drug, quinidine.amount, quinidine.unit) == ("quinidine", 400.0, "mg")
    assert quinidine.plasma_ng_ml == 1500.0 and (quinidine.route, quinidine.given_h) == ("oral", 0.0)
    assert placebo == ()


def test_ecgrdvq_unwraps_pr_and_leaves_missing_values_out(tmp_path: Path) -> None:
    room = ecgrdvq.open_room(write_ecgrdvq(tmp_path))
    wrapped = transitions(room, "ecgrdvq/1001")[1].after
    assert wrapped.measured["pr_ms"] == 345.0 and "jtpeak_ms" not in wrapped.measured
    assert wrapped.measured["t_amplitude_uv"] == 688.1


def test_ecgrdvq_reads_upper_case_leads_in_millivolts(tmp_path: Path) -> None:
    room = ecgrdvq.open_room(write_ecgrdvq(tmp_path))
    ecg = room.ecg(room.read("ecgrdvq/1001").recordings[0])
    assert ecg.leads[3:6] == ("aVR", "aVL", "aVF") and ecg.fs_hz == 1000.0
    assert np.abs(ecg.samples_mv - beats_mv(seed=1)).max() < 0.002


def test_a_trial_without_recordings_says_how_to_get_them(tmp_path: Path) -> None:
    write_csv(tmp_path / ecgrdvq.TABLE, (*ecgrdvq.NEEDED, "EGREFID", "VISIT"), [])
    with pytest.raises(DataSetError, match="no recordings") as refused:
        ecgrdvq.open_room(tmp_path)
    assert "data fetch ecgrdvq" in refused.value.hint


def test_ecgdmmld_has_on_board_what_was_measured_not_what_the_arm_is_called(tmp_path: Path) -> None:
    early, joined, unsampled = transitions(ecgdmmld.open_room(write_ecgdmmld(tmp_path)), "ecgdmmld/2001")
    assert {t.given.arm for t in (early, joined, unsampled)} == {"Mexiletine + Dofetilide"}
    assert [dose.drug for dose in early.given.doses] == ["mexiletine"]
    by_drug = {dose.drug: dose for dose in joined.given.doses}
    assert by_drug["dofetilide"].plasma_ng_ml == pytest.approx(1.2)
    assert by_drug["mexiletine"].plasma_ng_ml == 900.0
    # Where no sample was taken both are on board still, at an unknown level; the metabolite is no drug.
    assert [(d.drug, d.plasma_ng_ml) for d in unsampled.given.doses] == [
        ("dofetilide", None),
        ("mexiletine", None),
    ]
    assert all(dose.amount is None and dose.given_h is None for dose in unsampled.given.doses)


def test_ecgcipa_counts_from_the_first_dose_and_drops_the_averages(tmp_path: Path) -> None:
    room = ecgcipa.open_room(write_ecgcipa(tmp_path))
    assert len(room.read("ecgcipa/1001").recordings) == 3
    day_1, day_3 = transitions(room, "ecgcipa/1001")
    assert (day_1.hours, day_3.hours) == (6.0, 54.0) and day_1.before_h == -1.0
    assert day_1.after.measured["qt_ms"] == 390.0 and "pr_ms" not in day_1.after.measured
    assert day_3.after.time == "2017-04-03T09:00:00" and day_1.context.patient.female is False


def test_ecgcipa_tells_too_little_from_none_and_picograms_from_nanograms(tmp_path: Path) -> None:
    day_1, day_3 = transitions(ecgcipa.open_room(write_ecgcipa(tmp_path)), "ecgcipa/1001")
    by_drug = {dose.drug: dose for dose in day_1.given.doses}
    assert by_drug["dofetilide"].plasma_ng_ml == pytest.approx(1.5)
    assert by_drug["diltiazem"].plasma_ng_ml is None and by_drug["diltiazem"].below_lloq
    assert [(d.plasma_ng_ml, d.below_lloq) for d in day_3.given.doses] == [(None, False)] * 2


def test_ecgcipa_in_microvolts_comes_out_in_millivolts(tmp_path: Path) -> None:
    room = ecgcipa.open_room(write_ecgcipa(tmp_path))
    ecg = room.ecg(room.read("ecgcipa/1001").recordings[0])
    assert np.abs(ecg.samples_mv - beats_mv(seed=0)).max() < 0.01


def test_subjects_of_the_same_number_stay_different_people(tmp_path: Path) -> None:
    of_rdvq = ecgrdvq.open_room(write_ecgrdvq(tmp_path / "a")).subjects
    of_cipa = ecgcipa.open_room(write_ecgcipa(tmp_path / "b")).subjects
    assert not set(of_rdvq) & set(of_cipa)
