"""A FHIR Bundle becomes the same patient as the plain file, and what it says besides is listed."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from knowledge.chart import Chart
from knowledge.doses import parse_action
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.errors import PatientFileError
from knowledge.mask import judge
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


def snomed(code: str, text: str | None = None) -> dict[str, Any]:
    coding = {"system": "http://snomed.info/sct", "code": code} | ({"display": text} if text else {})
    return {"resourceType": "Condition", "code": {"coding": [coding]}}


@pytest.mark.parametrize(
    ("code", "diagnosis"),
    [
        ("703272007", "reduced_ef"),
        ("195967001", "asthma"),
        ("27885002", "av_block_2_or_3"),
        ("49436004", "atrial_fibrillation"),
        ("74390002", "preexcitation"),
        ("1755008", "prior_mi"),
        ("9651007", "long_qt"),
    ],
)
def test_snomed_codes_alone_are_read(code: str, diagnosis: str) -> None:
    chart = Chart(read(snomed(code)), None)
    assert chart.value(diagnosis) is True
    assert chart.unreadable() == ()


def test_a_snomed_code_that_is_not_known_is_told_unless_it_has_a_text() -> None:
    assert Chart(read(snomed("11111111")), None).unreadable() == ("11111111",)
    assert Chart(read(snomed("44054006", "Diabetes mellitus type 2")), None).unreadable() == ()


def test_every_code_of_a_condition_counts() -> None:
    coding = [
        {"system": "http://snomed.info/sct", "code": "195967001"},
        {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I48.91"},
    ]
    chart = Chart(read({"resourceType": "Condition", "code": {"coding": coding}}), None)
    assert chart.value("asthma") is chart.value("atrial_fibrillation") is True


def rxnorm(kind: str, code: str, text: str | None = None, **more: Any) -> dict[str, Any]:
    concept: dict[str, Any] = {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code}]
    }
    concept |= {"text": text} if text else {}
    key = "code" if kind == "AllergyIntolerance" else "medicationCodeableConcept"
    return {"resourceType": kind, "status": "active", key: concept} | more


def test_rxnorm_codes_name_drugs_where_the_text_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    drug = load_catalogue().get("verapamil").model_copy(update={"rxcui": "11170"})
    coded = Catalogue((drug, *(d for d in load_catalogue() if d.id != drug.id)), load_catalogue().classes)
    monkeypatch.setattr("knowledge.fhir.load_catalogue", lambda: coded)
    patient = read(
        rxnorm("MedicationStatement", "11170"),
        rxnorm("MedicationRequest", "11170", "Calan SR 240 mg"),
        rxnorm("AllergyIntolerance", "11170"),
    )
    assert patient.medications is not None
    assert patient.allergies is not None
    assert {entry.name for entry in patient.medications} == {"verapamil", "Calan SR 240 mg"}
    assert patient.allergies[0].substance == "verapamil"


def test_a_medication_without_a_name_is_not_one_that_is_not_taken(bedside: Any) -> None:
    patient = read(rxnorm("MedicationRequest", "999999999"), condition("I10", "Hypertension"))
    assert patient.medications is not None
    assert patient.medications[0].name == "code 999999999 of RxNorm"
    bed = bedside()
    given = [parse_action("sotalol 80 mg oral", bed.catalogue)]
    (verdict,) = judge(given, patient, bed.findings, bed.catalogue, bed.rules)
    assert "999999999" in str(verdict.missing)


def test_an_allergy_that_is_only_a_code_is_told(bedside: Any) -> None:
    substance = {"coding": [{"system": "http://snomed.info/sct", "code": "372687004"}]}
    patient = read({"resourceType": "AllergyIntolerance", "code": substance})
    bed = bedside()
    given = [parse_action("ondansetron 4 mg iv", bed.catalogue)]
    (verdict,) = judge(given, patient, bed.findings, bed.catalogue, bed.rules)
    assert "D06" in {rule.id for rule in verdict.rules}
    none = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}
    assert read({"resourceType": "AllergyIntolerance", "code": none}).allergies == ()


def test_a_drug_that_was_stopped_counts_until_it_is_washed_out() -> None:
    ended = {"status": "stopped", "effectivePeriod": {"start": "2025-12-01", "end": "2026-01-04T10:00:00Z"}}
    patient = read(rxnorm("MedicationStatement", "703", "amiodarone", **ended))
    assert patient.medications is not None
    assert patient.medications[0].last_taken_hours_ago == 24
    unsaid = read(rxnorm("MedicationStatement", "703", "amiodarone") | {"status": "stopped"}).medications
    assert unsaid is not None
    assert unsaid[0].last_taken_hours_ago is None


@pytest.mark.parametrize("status", ["unknown", "on-hold", "active", "completed"])
def test_a_medication_of_doubtful_status_is_taken(status: str) -> None:
    assert read(rxnorm("MedicationStatement", "1", "digoxin") | {"status": status}).medications


def test_a_bound_is_read_as_just_beyond_it_and_told() -> None:
    bound = lab("2823-3", 6.0, "mmol/L")
    bound["valueQuantity"]["comparator"] = ">"
    patient = read(bound)
    assert patient.lab_facts()["potassium_mmol_l"] > 6.0
    assert "only a bound" in patient.not_understood[0]


def test_the_newest_lab_is_told_across_time_zones_and_of_a_month() -> None:
    patient = read(
        lab("2823-3", 3.1, "mmol/L", "2026-01-05T08:00:00-05:00"),
        lab("2823-3", 4.4, "mmol/L", "2026-01-05T09:00:00Z"),
        lab("2823-3", 5.5, "mmol/L", "2025-12"),
        lab("2823-3", 6.5, "mmol/L", "2024"),
    )
    assert patient.lab_facts() == {"potassium_mmol_l": 3.1}


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


def spoilt(value: Any, dice: random.Random) -> Any:
    """The same JSON with a few of its parts replaced by what does not belong there."""
    if dice.random() < 0.03:
        return dice.choice([None, 5, "x", [], {}, True, [None], {"value": "y"}, -1e308, "2026-99-99"])
    if isinstance(value, dict):
        return {key: spoilt(part, dice) for key, part in value.items()}
    return [spoilt(part, dice) for part in value] if isinstance(value, list) else value


def test_a_spoilt_bundle_is_read_or_refused_and_never_breaks() -> None:
    whole = bundle(
        lab("2823-3", 3.2, "mmol/L"),
        PRESSURE,
        condition("I50.22", "Chronic systolic heart failure"),
        DIGOXIN,
        rxnorm(
            "MedicationStatement", "703", "amiodarone", status="stopped", effectivePeriod={"end": "2026-01"}
        ),
        rxnorm("AllergyIntolerance", "703"),
    )
    dice = random.Random(5)
    documents = [spoilt(whole, dice) for _ in range(100)]
    read = refused = listed = 0
    for document in documents:
        if isinstance(document, dict) and "resourceType" in document:
            try:
                listed += bool(Chart(parse_patient(document), None).not_understood())
                read += 1
            except PatientFileError as error:
                assert error.hint
                refused += 1
    assert min(read, refused, listed) > 5  # the dice spoil enough, and not all
