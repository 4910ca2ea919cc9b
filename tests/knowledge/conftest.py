"""A well patient of whom all is known, from which tests depart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from knowledge.doses import GivenAction, parse_action
from knowledge.drugs import Catalogue, load_catalogue
from knowledge.findings import EcgFindings
from knowledge.mask import Verdict, judge
from knowledge.patient import Patient, parse_patient
from knowledge.rules import Rule, load_rules

UNITS = {"inr": "", "digoxin": "ng/mL", "creatinine": "umol/L", "alt": "U/L", "platelets": "10^9/L"}
WELL_LABS: dict[str, float] = {
    "potassium": 4.5,
    "magnesium": 0.9,
    "calcium": 2.4,
    "ionized_calcium": 1.2,
    "sodium": 140,
    "creatinine": 80,
    "glucose": 6.5,
    "inr": 1.0,
    "alt": 20,
    "platelets": 250,
}
WELL_ECG: dict[str, Any] = {
    "hr_bpm": 72,
    "pr_ms": 160,
    "qrs_ms": 92,
    "qt_ms": 385,
    "qtcf_ms": 410,
    "qtcb_ms": 420,
    "rhythm": "sinus",
    "av_block_2_or_3": False,
    "lbbb": False,
    "rbbb": False,
    "bifascicular": False,
    "preexcitation": False,
    "paced": False,
    "brugada": False,
    "wide_complex_tachycardia": False,
    "ventricular_fibrillation": False,
}
WELL: dict[str, Any] = {
    "age_years": 50,
    "sex": "male",
    "weight_kg": 80,
    "height_cm": 178,
    "lvef_percent": 60,
    "systolic_bp_mmhg": 125,
    "pacemaker": False,
    "pregnant": False,
    "continuous_ecg": True,
}


@dataclass(frozen=True)
class Bedside:
    """A patient with an ECG, and the mask over them."""

    patient: Patient
    findings: EcgFindings
    catalogue: Catalogue
    rules: Sequence[Rule]

    def judge(self, action: str | GivenAction) -> Verdict:
        given = parse_action(action, self.catalogue) if isinstance(action, str) else action
        return judge([given], self.patient, self.findings, self.catalogue, self.rules)[0]


MakeBedside = Callable[..., Bedside]


def make_bedside(
    taking: Sequence[Any] = (),
    has: Sequence[str] = (),
    lacks: Sequence[str] = (),
    allergic: Sequence[str] = (),
    patient: Mapping[str, Any] | None = None,
    labs: Mapping[str, float] | None = None,
    ecg: Mapping[str, Any] | None = None,
) -> Bedside:
    """The well patient, changed as said; `lacks` takes inputs away by name."""
    values = WELL_LABS | dict(labs or {})
    document: dict[str, Any] = WELL | {
        "conditions": [{"text": text} for text in has],
        "medications": [{"name": item} if isinstance(item, str) else item for item in taking],
        "allergies": [{"substance": substance} for substance in allergic],
        "labs": [
            {"name": name, "value": value, "unit": UNITS.get(name, "mmol/L")}
            for name, value in values.items()
            if name not in lacks
        ],
    }
    document |= dict(patient or {})
    seen = WELL_ECG | dict(ecg or {})
    return Bedside(
        parse_patient({name: value for name, value in document.items() if name not in lacks}),
        EcgFindings(**{name: value for name, value in seen.items() if name not in lacks}),
        load_catalogue(),
        load_rules(),
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def bedside() -> MakeBedside:
    return make_bedside
