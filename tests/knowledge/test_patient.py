"""The patient file: typed, converted, and clear about what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chart import Chart
from knowledge.diagnoses import diagnoses_in
from knowledge.errors import PatientFileError
from knowledge.findings import EcgFindings
from knowledge.labs import convert
from knowledge.patient import Patient, load_patient, parse_patient

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))


def patient(**values: Any) -> Patient:
    return parse_patient({"age_years": 60, "sex": "male"} | values)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_patient_file(path: Path) -> None:
    example = load_patient(path)
    assert example.id == path.stem.replace("_", "-")
    assert example.lab_facts()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"age_years": 60}, "sex"),
        ({"age_years": 60, "sex": "male", "wieght_kg": 80}, "wieght_kg"),
        (
            {"age_years": 60, "sex": "male", "labs": [{"name": "potassium", "valu": 4, "value": 4}]},
            "labs.0.valu",
        ),
        ({"age_years": -1, "sex": "male"}, "age_years"),
        ({"age_years": True, "sex": "male"}, "age_years"),
        ({"age_years": 60, "sex": "male", "weight_kg": "heavy"}, "weight_kg"),
        ({"age_years": 60, "sex": "male", "labs": [{"name": "potassium", "value": 4.1}]}, "without a unit"),
        (
            {"age_years": 60, "sex": "male", "labs": [{"name": "potassium", "value": 4.1, "unit": "mg"}]},
            "'mg'",
        ),
        (
            {"age_years": 60, "sex": "male", "labs": [{"name": "potassium", "value": 41, "unit": "mmol/L"}]},
            "41",
        ),
        ({"age_years": 60, "sex": "male", "conditions": [{"system": "icd10"}]}, "conditions.0"),
        ({"resourceType": "Observation"}, "FHIR"),
    ],
)
def test_a_wrong_file_is_refused_naming_the_key(tmp_path: Path, document: dict[str, Any], said: str) -> None:
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(document))
    with pytest.raises(PatientFileError) as refused:
        load_patient(path)
    assert said in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"NaN"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "patient.json"
    path.write_bytes(content)
    with pytest.raises(PatientFileError):
        load_patient(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PatientFileError, match=r"nobody\.json"):
        load_patient(tmp_path / "nobody.json")


@pytest.mark.parametrize(
    ("lab", "one", "other"),
    [
        ("potassium", (3.2, "mmol/L"), (3.2, "mEq/L")),
        ("magnesium", (0.7, "mmol/L"), (1.7014, "mg/dL")),
        ("calcium", (2.5, "mmol/L"), (10.02, "mg/dL")),
        ("creatinine", (88.4, "µmol/L"), (1.0, "mg/dL")),
        ("glucose", (5.55, "mmol/L"), (100, "mg/dL")),
        ("digoxin", (2.56, "nmol/L"), (2.0, "ng/mL")),
    ],
)
def test_both_conventions_of_units_agree(lab: str, one: tuple[float, str], other: tuple[float, str]) -> None:
    assert convert(lab, *one) == pytest.approx(convert(lab, *other), rel=1e-3)


def test_the_newest_lab_counts_whatever_the_order() -> None:
    labs = [
        {"name": "K", "value": 3.1, "unit": "mmol/L", "time": "2026-01-05T08:00:00"},
        {"name": "potassium", "value": 4.4, "unit": "mmol/L", "time": "2026-01-04T08:00:00"},
    ]
    for order in (labs, labs[::-1]):
        assert patient(labs=order).lab_facts() == {"potassium_mmol_l": 3.1}


def test_creatinine_clearance_is_cockcroft_gaults_with_the_actual_weight() -> None:
    labs = [{"name": "creatinine", "value": 1.0, "unit": "mg/dL"}]
    man = Chart(patient(weight_kg=72, labs=labs), None)
    woman = Chart(patient(weight_kg=72, labs=labs, sex="female"), None)
    assert man.value("crcl_ml_min") == pytest.approx(80, rel=1e-3)
    assert woman.value("crcl_ml_min") == pytest.approx(68, rel=1e-3)
    assert Chart(patient(labs=labs), None).missing("crcl_ml_min") == ("weight_kg",)


def test_a_low_ejection_fraction_is_open_only_where_something_points_to_it() -> None:
    def fact(*texts: str, **values: Any) -> Any:
        return Chart(patient(conditions=[{"text": text} for text in texts], **values), None).value(
            "reduced_ef"
        )

    assert fact() is False
    assert fact("heart failure") is None
    assert fact("heart failure", lvef_percent=40) is True
    assert fact("heart failure", lvef_percent=41) is False
    assert fact("HFrEF") is True
    assert fact("diastolic heart failure") is False
    assert fact("diastolic heart failure", "old MI") is None
    assert Chart(patient(), None).missing("reduced_ef") == ("conditions",)


def test_qt_replaces_qtc_below_a_rate_of_sixty() -> None:
    slow = EcgFindings(hr_bpm=50, qt_ms=460, qtcf_ms=433)
    assert Chart(None, slow).value("qtc_or_qt_ms") == 460
    assert Chart(None, slow.model_copy(update={"hr_bpm": 60})).value("qtc_or_qt_ms") == 433


@given(st.text(max_size=200))
def test_notes_and_texts_are_data_and_never_break_anything(text: str) -> None:
    chart = Chart(patient(notes=text, indication=text, conditions=[{"text": text or "x"}]), None)
    assert chart.value("long_qt") in (True, False)


def test_codes_of_diagnoses_are_read_with_and_without_dots() -> None:
    for code in ("I48.91", "I4891"):
        chart = Chart(patient(conditions=[{"code": code, "system": "icd10"}]), None)
        assert chart.value("atrial_fibrillation") is True


@pytest.mark.parametrize(
    ("text", "diagnosis", "there"),
    [
        ("non-ischemic cardiomyopathy", "structural_heart_disease", True),
        ("non-ischemic cardiomyopathy", "ischaemic_heart_disease", False),
        ("CHF, LVEF 25%", "hfref", True),
        ("CHF, EF of 55-60 %", "hfref", False),
        ("no prior MI, asthma", "prior_mi", False),
        ("no prior MI, asthma", "asthma", True),
        ("Atrioventricular block, second degree", "av_block_2_or_3_charted", True),
        ("Long-QT syndrome type 1", "long_qt", True),
        ("ruled out for MI", "prior_mi", False),
        ("rule out MI", "prior_mi", True),
        ("Parkinson's disease", "parkinsonism", True),
        ("history of afib", "atrial_fibrillation_charted", True),
        ("ischemic cardiomyopathy, EF 20-25%", "hfref", True),
        ("ejection fraction of 25 percent", "hfref", True),
        ("LVEF 60%", "hfref", False),
        ("2nd degree AVB", "av_block_2_or_3_charted", True),
        ("CHB s/p PPM", "complete_av_block_charted", True),
        ("heart block", "av_block_2_or_3_charted", True),
        ("first-degree heart block", "av_block_2_or_3_charted", False),
        ("Wolff-Parkinson-White", "parkinsonism", False),
        ("s/p inferior infarct", "prior_mi", True),
        ("history of TdP", "torsades", True),
        ("upper GI bleeding", "active_bleeding", True),
        ("HIT negative", "heparin_thrombocytopenia", False),
        ("asthma ruled out", "asthma", False),
        ("Child-Pugh class C", "severe_hepatic_impairment_charted", True),
        ("family hx of long QT", "long_qt", False),
    ],
)
def test_texts_of_diagnoses_are_read_as_a_clinician_reads_them(
    text: str, diagnosis: str, there: bool
) -> None:
    assert (diagnosis in diagnoses_in(None, text)) is there


def test_a_code_of_another_system_is_mentioned_and_not_taken_for_nothing() -> None:
    chart = Chart(patient(conditions=[{"code": "427.31", "system": "icd9"}]), None)
    assert chart.unreadable() == ("427.31",)
