"""What the mask leaves to ten ordinary patients: the share of single drugs and of pairs by verdict.

python benchmarks/ordinary_patients.py
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from knowledge.candidates import candidates
from knowledge.doses import GivenAction
from knowledge.drugs import load_catalogue
from knowledge.findings import EcgFindings
from knowledge.mask import judge
from knowledge.patient import Patient, parse_patient
from knowledge.rules import load_rules

VERDICTS = ("allowed", "caution", "warning", "cannot_evaluate", "blocked")
LABS = {
    "potassium": (4.4, "mmol/L"),
    "magnesium": (0.85, "mmol/L"),
    "calcium": (2.4, "mmol/L"),
    "creatinine": (80, "umol/L"),
    "glucose": (6.5, "mmol/L"),
    "platelets": (250, "10^9/L"),
}
SINUS: dict[str, Any] = {
    "hr_bpm": 74, "pr_ms": 160, "qrs_ms": 92, "qt_ms": 385, "qtcf_ms": 413, "qtcb_ms": 427, "rhythm": "sinus",
    "av_block_2_or_3": False, "lbbb": False, "rbbb": False, "bifascicular": False, "preexcitation": False,
    "paced": False, "brugada": False, "wide_complex_tachycardia": False, "ventricular_fibrillation": False,
}  # fmt: skip
AF: dict[str, Any] = {"hr_bpm": 125, "pr_ms": None, "rhythm": "atrial_fibrillation"}
PERSON: dict[str, Any] = {
    "age_years": 58, "sex": "male", "weight_kg": 80, "height_cm": 178, "lvef_percent": 60, "systolic_bp_mmhg": 128,
    "pacemaker": False, "continuous_ecg": True, "allergies": [],
}  # fmt: skip
# Diagnoses and medications of each, and where they differ from a well person.
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
        "person": {"age_years": 70, "lvef_percent": 32},
    },
    "pneumonia": {"has": ["pneumonia"], "taking": ["acetaminophen"], "person": {"sex": "female"}},
    "nausea after surgery": {
        "has": ["cholecystectomy"],
        "taking": ["oxycodone"],
        "person": {"sex": "female"},
    },
    "renal failure and diabetes": {
        "has": ["chronic kidney disease stage 4", "diabetes"],
        "taking": ["insulin glargine", "amlodipine"],
        "labs": {"creatinine": (230, "umol/L")},
    },
    "low potassium on a diuretic": {
        "has": ["hypertension"],
        "taking": ["hydrochlorothiazide"],
        "labs": {"potassium": (3.1, "mmol/L")},
    },
    "STEMI": {"has": ["STEMI"], "taking": ["aspirin", "ticagrelor"], "person": {"lvef_percent": 50}},
    "COPD": {"has": ["COPD"], "taking": ["tiotropium", "albuterol"], "person": {"age_years": 66}},
}


def ordinary_patients() -> Iterator[tuple[str, Patient, EcgFindings]]:
    """The ten, with what their ECGs show."""
    for name, case in PATIENTS.items():
        labs = LABS | case.get("labs", {})
        document = PERSON | case.get("person", {})
        document |= {
            "conditions": [{"text": text} for text in case["has"]],
            "medications": [{"name": item} if isinstance(item, str) else item for item in case["taking"]],
            "labs": [{"name": lab, "value": value, "unit": unit} for lab, (value, unit) in labs.items()],
        }
        yield name, parse_patient(document), EcgFindings(**(SINUS | case.get("ecg", {})))


def shares(actions: list[GivenAction], patient: Patient, findings: EcgFindings) -> Counter[str]:
    """How many actions come to each verdict."""
    verdicts = judge(actions, patient, findings, load_catalogue(), load_rules())
    return Counter(verdict.verdict for verdict in verdicts)


def main() -> None:
    """Print a line for each patient, and one for all."""
    singles = candidates("all", None, load_catalogue())
    pairs = [
        GivenAction.model_construct(doses=(one.doses[0], other.doses[0]))
        for one, other in combinations(singles, 2)
        if one.doses[0].drug_id != other.doses[0].drug_id
    ]
    for title, actions in (("single drugs", singles), ("pairs", pairs)):
        print(f"{len(actions)} {title:<32}" + "".join(f"{verdict:>17}" for verdict in VERDICTS))
        total: Counter[str] = Counter()
        for name, patient, findings in ordinary_patients():
            counts = shares(actions, patient, findings)
            total += counts
            _print(name, counts)
        _print("all ten", total)


def _print(name: str, counts: Counter[str]) -> None:
    print(f"{name:<38}" + "".join(f"{counts[verdict] / counts.total():>16.0%} " for verdict in VERDICTS))


if __name__ == "__main__":
    main()
