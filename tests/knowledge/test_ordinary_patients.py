"""Ten ordinary patients keep their ordinary choices: a mask that forbids everything protects nobody."""

import runpy
from collections import Counter
from pathlib import Path

import pytest

from knowledge.candidates import candidates
from knowledge.doses import parse_action
from knowledge.drugs import load_catalogue
from knowledge.findings import EcgFindings
from knowledge.mask import judge
from knowledge.patient import Patient
from knowledge.policy import REFUSED
from knowledge.rules import load_rules

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "ordinary_patients.py"))
PATIENTS: dict[str, tuple[Patient, EcgFindings]] = {
    name: (patient, findings) for name, patient, findings in BENCHMARK["ordinary_patients"]()
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
def test_an_ordinary_patient_keeps_the_ordinary_choices(name: str) -> None:
    catalogue = load_catalogue()
    actions = [parse_action(text, catalogue) for text in CHOICES[name]]
    verdicts = judge(actions, *PATIENTS[name], catalogue, load_rules())
    assert {str(v.action): v.reason for v in verdicts if v.verdict in REFUSED} == {}


def test_most_candidates_are_left_to_ordinary_patients() -> None:
    actions = candidates("all", None, load_catalogue())
    counts: Counter[str] = Counter()
    for patient, findings in PATIENTS.values():
        counts += BENCHMARK["shares"](actions, patient, findings)
    assert counts["allowed"] > 0.55 * counts.total()
    assert counts["blocked"] + counts["cannot_evaluate"] < 0.2 * counts.total()
