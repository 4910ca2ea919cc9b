"""The case: what is not given is unknown, and both wings are told the same."""

from pathlib import Path

import pytest

from knowledge.errors import PatientFileError
from tools.case import Case, load_case
from tools.errors import MissingInputError
from worldmodel.errors import EcgFileError
from worldmodel.pharmacology import PatientContext


def test_nothing_given_is_nothing_known() -> None:
    case = load_case()
    assert (case.findings, case.context) == (None, PatientContext())
    with pytest.raises(MissingInputError):
        case.pre_dose()


def test_the_world_model_is_told_age_sex_and_potassium(case: Case) -> None:
    assert case.context == PatientContext(age_years=50, female=False, potassium_mmol_l=4.4)


def test_an_unknown_sex_and_a_missing_potassium_stay_unknown(tmp_path: Path) -> None:
    patient = tmp_path / "patient.json"
    patient.write_text('{"age_years": 60, "sex": "unknown"}')
    assert load_case(patient=patient).context == PatientContext(
        age_years=60, female=None, potassium_mmol_l=None
    )


def test_mask_and_measurement_speak_of_the_same_ecg(case: Case) -> None:
    assert case.findings is not None
    assert case.measurement is not None
    assert case.findings.qtcf_ms == case.measurement.intervals.qtcf_ms


def test_a_diagnosis_that_no_rule_reads_is_not_dropped_in_silence(tmp_path: Path) -> None:
    patient = tmp_path / "patient.json"
    patient.write_text('{"age_years": 60, "sex": "male", "conditions": [{"text": "ingrown toenail"}]}')
    assert any("ingrown toenail" in warning for warning in load_case(patient=patient).warnings)


def test_missing_files_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(EcgFileError):
        load_case(ecg=tmp_path / "nowhere")
    with pytest.raises(PatientFileError):
        load_case(patient=tmp_path / "nowhere.json")
