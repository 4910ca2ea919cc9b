"""A FHIR Bundle becomes the same patient as the plain file, and what it says besides is listed."""

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.chart import Chart
from knowledge.errors import PatientFileError
from knowledge.patient import Patient, load_patient, parse_patient


def lab(code: str, value: float, unit: str, time: str = "2026-01-05T08:00:00Z") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": f"LOINC {code}"},
        "valueQuantity": {"value": value, "unit": unit},
        "effectiveDateTime": time,
    }


def condition(code: str, text: str, **more: Any) -> dict[str, Any]:
    coding = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code, "display": text}]
    return {"resourceType": "Condition", "code": {"coding": coding}} | more


PRESSURE = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 104, "unit": "mmHg"},
        }
    ],
}
DIGOXIN = {
    "resourceType": "MedicationAdministration",
    "status": "completed",
    "medicationReference": {"reference": "Medication/m1"},
    "effectiveDateTime": "2026-01-05T04:00:00Z",
    "dosage": {"dose": {"value": 0.25, "unit": "mg"}, "route": {"text": "oral"}},
}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1954-06-01", "gender": "female"}
    return {
        "resourceType": "Bundle",
        "timestamp": "2026-01-05T10:00:00Z",
        "entry": [{"resource": resource} for resource in (person, *resources)],
    }


def read(*resources: dict[str, Any]) -> Patient:
    return parse_patient(bundle(*resources))


def test_a_bundle_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle(lab("2823-3", 3.2, "mmol/L"))))
    patient = load_patient(path)
    assert (patient.id, patient.age_years, patient.sex) == ("p1", 71, "female")
    assert patient.lab_facts() == {"potassium_mmol_l": 3.2}


def test_what_the_rules_read_is_there() -> None:
    patient = read(
        lab("2160-0", 1.0, "mg/dL"),
        lab("29463-7", 72, "kg", "2026-01-05"),
        lab("29463-7", 60, "kg", "2025-01-05"),
        PRESSURE,
        condition("I50.22", "Chronic systolic heart failure"),
        DIGOXIN,
        {"resourceType": "Medication", "id": "m1", "code": {"text": "digoxin 0.25 mg tablet"}},
        {"resourceType": "AllergyIntolerance", "code": {"text": "amiodarone"}},
    )
    chart = Chart(patient, None)
    assert chart.value("crcl_ml_min") == pytest.approx((140 - 71) * 72 / 72 * 0.85, rel=1e-3)
    assert chart.value("reduced_ef") is True
    assert patient.systolic_bp_mmhg == 104
    assert patient.medications is not None
    assert patient.medications[0].last_taken_hours_ago == 6
    assert patient.allergies is not None
    assert patient.allergies[0].substance == "amiodarone"


def test_what_is_void_does_not_count() -> None:
    refuted = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    patient = read(
        condition("J45.9", "Asthma", **refuted),
        condition("I10", "Hypertension"),
        lab("2823-3", 9.0, "mmol/L") | {"status": "entered-in-error"},
    )
    assert Chart(patient, None).value("asthma") is False
    assert patient.labs == ()


def test_what_a_bundle_does_not_speak_of_stays_unknown() -> None:
    patient = read()
    assert (patient.conditions, patient.medications, patient.allergies) == (None, None, None)
    none_known = read({"resourceType": "AllergyIntolerance", "code": {"text": "No known allergies"}})
    assert none_known.allergies == ()


def test_what_is_not_understood_is_listed() -> None:
    patient = read(lab("99999-9", 1, "furlong"), {"resourceType": "Device"})
    assert set(patient.not_understood) == {"LOINC 99999-9", "FHIR Device"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"resourceType": "Patient"}, "Give a Bundle"),
        ({"resourceType": "Bundle", "entry": []}, "one patient"),
        (bundle(lab("2823-3", 3.2, "furlong")), "potassium"),
        (bundle(lab("29463-7", 72, "furlong")), "weight_kg"),
        ({"resourceType": "Bundle", "entry": ["x"]}, "valid FHIR"),
    ],
)
def test_wrong_bundles_are_refused_with_a_hint(document: dict[str, Any], said: str) -> None:
    with pytest.raises(PatientFileError) as refused:
        parse_patient(document)
    assert said in refused.value.message + refused.value.hint
