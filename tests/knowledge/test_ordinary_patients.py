"""Ten ordinary patients keep their ordinary choices: a mask that forbids everything protects nobody."""

from collections import Counter
from typing import Any

import pytest

from knowledge.candidates import candidates
from knowledge.drugs import load_catalogue
from knowledge.mask import judge
from knowledge.policy import REFUSED

AF: dict[str, Any] = {"hr_bpm": 125, "pr_ms": None, "rhythm": "atrial_fibrillation"}
PATIENTS: dict[str, dict[str, Any]] = {
    "AF with rapid rate, hypertension": {
        "has": ["atrial fibrillation", "hypertension"],
        "taking": ["lisinopril", "apixaban"],
        "ecg": AF,
    },
    "new AF without anticoagulation": {
        "has": ["atrial fibrillation"],
        "taking": ["levothyroxine"],
        "ecg": AF,
    },
    "paroxysmal AF in sinus rhythm": {
        "has": ["paroxysmal atrial fibrillation"],
        "taking": [{"name": "metoprolol", "dose": "25 mg", "route": "oral"}, "rivaroxaban"],
    },
    "stable heart failure after an infarct": {
        "has": ["systolic heart failure", "old MI"],
        "taking": ["carvedilol", "lisinopril", "furosemide", "aspirin", "atorvastatin"],
        "patient": {"age_years": 70, "lvef_percent": 32},
    },
    "pneumonia": {"has": ["pneumonia"], "taking": ["acetaminophen"]},
    "nausea after surgery": {"has": ["cholecystectomy"], "taking": ["oxycodone"]},
    "renal failure and diabetes": {
        "has": ["chronic kidney disease stage 4", "diabetes"],
        "taking": ["insulin glargine", "amlodipine"],
        "labs": {"creatinine": 230},
    },
    "low potassium on a diuretic": {
        "has": ["hypertension"],
        "taking": ["hydrochlorothiazide"],
        "labs": {"potassium": 3.1},
    },
    "STEMI": {"has": ["STEMI"], "taking": ["aspirin", "ticagrelor"], "patient": {"lvef_percent": 50}},
    "COPD": {"has": ["COPD"], "taking": ["tiotropium", "albuterol"]},
}
CHOICES = {
    "AF with rapid rate, hypertension": ["metoprolol 5 mg iv", "diltiazem 20 mg iv", "digoxin 0.125 mg oral"],
    "new AF without anticoagulation": [
        "metoprolol 25 mg oral",
        "diltiazem 60 mg oral",
        "heparin 5000 units sc",
    ],
    "paroxysmal AF in sinus rhythm": ["flecainide 100 mg oral", "dofetilide 500 ug", "metoprolol 50 mg oral"],
    "stable heart failure after an infarct": ["digoxin 0.125 mg oral", "amiodarone 200 mg oral"],
    "pneumonia": ["levofloxacin 750 mg oral", "azithromycin 500 mg oral", "moxifloxacin 400 mg oral"],
    "nausea after surgery": ["ondansetron 4 mg iv"],
    "renal failure and diabetes": ["metoprolol 25 mg oral", "insulin 5 units iv"],
    "low potassium on a diuretic": ["potassium chloride 40 mEq oral", "magnesium sulfate 2 g iv"],
    "STEMI": ["metoprolol 25 mg oral", "heparin 5000 units iv", "atropine 0.5 mg iv"],
    "COPD": ["diltiazem 60 mg oral", "metoprolol 25 mg oral"],
}


@pytest.mark.parametrize("name", PATIENTS)
def test_an_ordinary_patient_keeps_the_ordinary_choices(bedside: Any, name: str) -> None:
    bed = bedside(**PATIENTS[name])
    verdicts = {action: bed.judge(action) for action in CHOICES[name]}
    assert {a: v.reason for a, v in verdicts.items() if v.verdict in REFUSED} == {}


def test_most_candidates_are_left_to_ordinary_patients(bedside: Any) -> None:
    actions = candidates("all", None, load_catalogue())
    counts: Counter[str] = Counter()
    for changes in PATIENTS.values():
        bed = bedside(**changes)
        counts.update(v.verdict for v in judge(actions, bed.patient, bed.findings, bed.catalogue, bed.rules))
    assert counts["allowed"] > 0.55 * counts.total()
    assert counts["blocked"] + counts["cannot_evaluate"] < 0.2 * counts.total()
