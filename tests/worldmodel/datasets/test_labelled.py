"""PTB-XL, LUDB and the virtual trial as data sets: what their tables hide, and truth that can be drawn again."""

from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.datasets.releases import beats_mv, write_csv, write_record
from worldmodel.datasets.ludb import Ludb
from worldmodel.datasets.ptbxl import NEEDED, PtbXl
from worldmodel.datasets.splits import SHARES, split_of
from worldmodel.datasets.virtual import Virtual
from worldmodel.ecg import LEADS
from worldmodel.errors import DataSetError
from worldmodel.readers.scale import einthoven_residual


def ptbxl_row(ecg_id: int, **changed: str) -> dict[str, str]:
    row = {
        "ecg_id": str(ecg_id),
        "patient_id": "15709.0",
        "age": "56.0",
        "sex": "1",
        "recording_date": "1984-11-09 09:17:34",
        "scp_codes": "{'NORM': 100.0, 'LVOLT': 0.0, 'SR': 0.0}",
        "strat_fold": "3",
        "filename_hr": f"records500/00000/{ecg_id:05d}_hr",
    }
    return row | changed


def test_ptbxl_has_its_own_folds_sexes_and_hidden_ages(tmp_path: Path) -> None:
    rows = [
        ptbxl_row(1),
        ptbxl_row(2, patient_id="13243.0", age="300.0", sex="0", strat_fold="9"),
        ptbxl_row(3, patient_id="20372.0", age="", strat_fold="10"),
        ptbxl_row(4),
    ]
    write_csv(tmp_path / "ptbxl_database.csv", NEEDED, rows, missing="")
    write_record(tmp_path / "records500" / "00000" / "00001_hr", beats_mv(2.0, 500.0), 500, gain="1000(0)/mV")
    room = PtbXl(tmp_path)
    assert room.subjects == ["ptbxl/13243", "ptbxl/15709", "ptbxl/20372"]
    assert [room.split_of(s) for s in room.subjects] == ["validation", "train", "test"]
    first, fourth = room.read("ptbxl/15709").recordings
    assert first.labels == ("NORM", "LVOLT", "SR") and fourth.id == "4"
    assert first.patient.female is True and first.patient.age_years == 56.0
    (hidden,) = room.read("ptbxl/13243").recordings
    assert hidden.patient.female is False and hidden.patient.age_years == 90.0
    assert room.read("ptbxl/20372").recordings[0].patient.age_years is None
    assert room.ecg(first).samples_mv.shape == (12, 1000) and not room.read("ptbxl/15709").transitions


def test_ptbxl_with_a_damaged_cell_names_the_line(tmp_path: Path) -> None:
    write_csv(tmp_path / "ptbxl_database.csv", NEEDED, [ptbxl_row(1, scp_codes="{'NORM'")])
    with pytest.raises(DataSetError, match="line 2: scp_codes"):
        PtbXl(tmp_path)


def test_ludb_strips_line_breaks_and_splits_statements(tmp_path: Path) -> None:
    (tmp_path / "ludb.csv").write_text(
        'ID,Sex,Age,Rhythms,Hypertrophies\n1,"F\n",">89\n",Sinus bradycardia,"Left ventricular overload\nLeft'
        ' ventricular hypertrophy"\n2,"M\n","51\n",Sinus rhythm,\n',
        encoding="utf-8",
    )
    write_record(
        tmp_path / "data" / "1",
        beats_mv(2.0, 500.0),
        500,
        [lead.lower() for lead in LEADS],
        "1000(0)/mV",
    )
    room = Ludb(tmp_path)
    assert room.subjects == ["ludb/1"]  # of the second there is no recording
    (recording,) = room.read("ludb/1").recordings
    assert recording.patient.female is True and recording.patient.age_years == 90.0
    assert recording.labels == (
        "Sinus bradycardia",
        "Left ventricular overload",
        "Left ventricular hypertrophy",
    )
    assert room.ecg(recording).leads[3] == "aVR"


def test_virtual_people_can_be_drawn_again_and_react_as_their_truth_says() -> None:
    first, again = Virtual(9, seed=3), Virtual(9, seed=3)
    assert len(first.subjects) == 9
    subject = first.subjects[8]
    records, same = first.read(subject), again.read(subject)
    assert records == same and len({t.id for t in records.transitions}) == len(records.transitions)
    dofetilide = next(t for t in records.transitions if t.given.arm == "dofetilide" and t.hours == 2.5)
    placebo = next(t for t in records.transitions if t.given.arm == "placebo" and t.hours == 2.5)
    assert dofetilide.given.doses[0].amount and not placebo.given.doses
    assert (
        dofetilide.after.measured["true_delta_jtpeakc_ms"] > placebo.after.measured["true_delta_jtpeakc_ms"]
    )
    ecg = first.ecg(dofetilide.after)
    assert np.array_equal(ecg.samples_mv, again.ecg(dofetilide.after).samples_mv)
    residual = einthoven_residual(ecg.samples_mv, ecg.leads)
    assert residual is not None and residual < 1e-5


def test_a_split_depends_on_the_subject_alone_and_has_its_share() -> None:
    splits = [split_of(f"mimic/{number}") for number in range(4000)]
    assert splits == [split_of(f"mimic/{number}") for number in range(4000)]
    for split, share in SHARES.items():
        assert splits.count(split) / len(splits) == pytest.approx(share, abs=0.03)
    for name, numbers in {"ecgrdvq": range(1001, 1023), "ecgdmmld": range(2001, 2023)}.items():
        assert {split_of(f"{name}/{number}") for number in numbers} == set(SHARES)
