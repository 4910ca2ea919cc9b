"""Simulating: the mask first, one batch, measured samples, null rather than 0, whole files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.errors import DoseError, UnknownDrugError
from knowledge.patient import Patient
from tools.case import Case
from tools.errors import MissingInputError, OutputError, SafetyRefusal
from tools.simulate import roll_out, simulate_actions
from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS
from worldmodel.measurement import Measurement
from worldmodel.readers import read_ecg

DOFETILIDE = "dofetilide 500 ug oral"
VERAPAMIL = "verapamil 120 mg oral"


def test_all_actions_and_samples_are_one_batch(case: Case, model: Any) -> None:
    result = simulate_actions(case, ["no drug", VERAPAMIL, DOFETILIDE], k=2, model=model)
    assert [len(call) for call in model.calls] == [3]
    assert [len(action.samples) for action in result.actions] == [2, 2, 2]
    assert result.waveforms.samples_mv.shape[:2] == (3, 2)


def test_changes_are_measured_on_the_simulated_ecgs(case: Case, model: Any) -> None:
    """The made model moves QT by the mean effect; what comes out has to be what was measured, not assumed."""
    nothing, dofetilide = simulate_actions(case, ["no drug", DOFETILIDE], k=3, model=model).actions
    assert nothing.delta["qt_ms"] is not None
    assert nothing.delta["qt_ms"].mean == pytest.approx(3.0, abs=3.0)  # samples 0, 3 and 6 ms later
    assert dofetilide.delta["qtcf_ms"] is not None
    assert 50 < dofetilide.delta["qtcf_ms"].mean < 110
    assert dofetilide.samples[0].risk is not None
    assert nothing.samples[0].risk is not None
    assert dofetilide.samples[0].risk > nothing.samples[0].risk + 0.3


def test_the_same_seed_gives_the_same_numbers(case: Case, model: Any) -> None:
    first, again, other = (simulate_actions(case, [VERAPAMIL], seed=seed, model=model) for seed in (2, 2, 3))
    assert first.model_dump() == again.model_dump()
    assert first.actions[0].samples != other.actions[0].samples


def test_what_the_mask_blocks_is_never_simulated(case: Case, model: Any, healthy: Patient) -> None:
    """The patient takes verapamil: dofetilide is contraindicated, and the model must not even be asked."""
    taking = Patient.model_validate(healthy.model_dump() | {"medications": [{"name": "verapamil"}]})
    on_verapamil = replace(case, patient=taking)
    with pytest.raises(SafetyRefusal, match="dofetilide") as refusal:
        simulate_actions(on_verapamil, [VERAPAMIL, DOFETILIDE], model=model)
    assert model.calls == []
    assert refusal.value.hint


def test_what_cannot_be_evaluated_is_a_what_if_and_says_what_is_missing(case: Case, model: Any) -> None:
    """Dofetilide is dosed by creatinine clearance: without a patient it is not known, and nothing is assumed."""
    result = simulate_actions(replace(case, patient=None), [DOFETILIDE], model=model)
    assert result.actions[0].verdict.verdict == "cannot_evaluate"
    assert "creatinine" in result.actions[0].verdict.missing
    assert any("what-if only" in warning and "creatinine" in warning for warning in result.warnings)


def test_no_drug_is_always_simulated(case: Case, model: Any) -> None:
    result = simulate_actions(replace(case, patient=None), ["no drug"], model=model)
    assert result.actions[0].verdict.verdict == "allowed"


def test_without_an_ecg_there_is_nothing_to_simulate(case: Case, model: Any) -> None:
    with pytest.raises(MissingInputError):
        simulate_actions(replace(case, ecg=None, measurement=None), [VERAPAMIL], model=model)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("unobtainium 5 mg oral", UnknownDrugError),
        ("verapamil", DoseError),
        ("verapamil 5 mEq oral", DoseError),
    ],
)
def test_what_is_not_understood_is_an_error(
    case: Case, model: Any, action: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        simulate_actions(case, [action], model=model)
    assert model.calls == []


def test_a_thousandfold_dose_never_reaches_the_model(case: Case, model: Any) -> None:
    with pytest.raises((SafetyRefusal, DoseError)):
        simulate_actions(case, ["dofetilide 500 mg oral"], model=model)
    assert model.calls == []


def test_an_unmeasurable_interval_is_null_with_its_reason(
    case: Case, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat simulated ECGs: no number may appear, least of all 0."""
    flat = model.simulate

    def silent(*arguments: object, **options: object) -> object:
        simulation = flat(*arguments, **options)
        return replace(simulation, samples_mv=np.zeros_like(simulation.samples_mv))

    monkeypatch.setattr(model, "simulate", silent)
    (action,) = simulate_actions(case, [VERAPAMIL], model=model).actions
    assert action.samples[0].intervals["qt_ms"] is None
    assert action.samples[0].risk is None
    assert action.summary["qt_ms"] is None
    assert action.delta["risk"] is None
    assert {"qt_ms", "hr_bpm", "risk"} <= set(action.not_measurable)


def test_files_can_be_read_back_and_say_that_they_are_simulated(
    case: Case, model: Any, tmp_path: Path
) -> None:
    result = simulate_actions(case, [VERAPAMIL], k=2, model=model, out=tmp_path / "new" / "folder")
    *records, plot = result.actions[0].files
    assert len(records) == 2
    assert Path(plot).read_bytes().startswith(b"\x89PNG")
    ecg = read_ecg(records[1])
    assert np.abs(ecg.samples_mv - result.waveforms.samples_mv[0, 1]).max() < 0.001
    assert "simulated" in Path(records[0]).read_text()
    assert not [path for path in Path(plot).parent.iterdir() if path.name.startswith(".")]


def test_a_chain_says_its_hours_from_the_first_action_and_from_the_last_dose(
    case: Case, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the second step said "5 h after the dose" of a dose given 2.5 h before; "no drug" is no dose."""
    monkeypatch.setattr(type(model), "roll_out", type(model).simulate, raising=False)
    monkeypatch.setattr("tools.files._plot", lambda path, *_: path)
    steps = [VERAPAMIL, VERAPAMIL, "no drug"]
    result = roll_out(case, steps, 2.5, k=1, model=model, out=tmp_path)
    clocks = [(action.hours, action.hours_after_last_dose) for action in result.actions]
    assert clocks == [(2.5, 2.5), (5.0, 2.5), (7.5, 5.0)]
    first, second, third = (Path(action.files[0]).read_text().splitlines()[-1] for action in result.actions)
    assert "2.5 h after the dose;" in first
    assert "5 h after the first action, 2.5 h after the last dose;" in second
    assert "7.5 h after the first action, 5 h after the last dose;" in third


def test_an_unwritable_folder_is_a_clear_error(case: Case, model: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError):
        simulate_actions(case, [VERAPAMIL], model=model, out=tmp_path / "taken")


def test_before_and_after_are_measured_on_the_leads_that_were_recorded(
    case: Case, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chest leads that the model fills in would move the landmarks of the beat and look like an effect."""
    assert case.measurement is not None
    limb_only = replace(case, measurement=replace(case.measurement, missing_leads=("V1", "V6")))
    seen: list[np.ndarray] = []

    def measure_seen(samples_mv: np.ndarray, fs_hz: float) -> list[Measurement]:
        seen.append(samples_mv)
        return measure_batch(samples_mv, fs_hz)

    monkeypatch.setattr("tools.outcomes.measure_batch", measure_seen)
    result = simulate_actions(limb_only, ["no drug"], k=1, model=model)
    recorded = np.isfinite(seen[0][0]).all(axis=1)
    assert [lead for lead, there in zip(LEADS, recorded, strict=True) if not there] == ["V1", "V6"]
    assert np.isfinite(result.waveforms.samples_mv).all()
