"""The case in words: everything that was given is said, and what was not is not made up."""

from agent.case_facts import measured_facts, patient_facts
from knowledge.patient import parse_patient
from tests.agent.made_results import made_case
from worldmodel.measurement import Measurement


def test_everything_a_patient_file_can_hold_is_said() -> None:
    everything = {
        "id": "x",
        "age_years": 54.5,
        "sex": "male",
        "weight_kg": 80,
        "height_cm": 181,
        "pregnant": False,
        "indication": "flutter",
        "goal": "rhythm-control",
        "conditions": [{"code": "I48.3"}],
        "labs": [{"name": "inr", "value": 2.1, "unit": ""}],
        "medications": [{"name": "sotalol", "last_taken_hours_ago": 30}],
        "allergies": [{"substance": "iodine"}],
        "lvef_percent": 58,
        "systolic_bp_mmhg": 131,
        "pacemaker": True,
        "qt_history": [{"qtc_ms": 431}, {"qtc_ms": 502, "drug": "sotalol", "time": "2025-03-01T00:00:00"}],
        "child_pugh": "A",
        "continuous_ecg": True,
        "af_duration_hours": 20,
        "anticoagulated_3_weeks": False,
        "tee_cleared": True,
    }
    facts = dict(patient_facts(parse_patient(everything)))
    assert facts["Age, sex"] == "54.5 years, male"
    assert facts["Conditions"] == "I48.3"
    assert facts["Laboratory"] == "inr 2.1 (no unit)"
    assert facts["Medications"] == "sotalol last 30 h ago"
    assert facts["Allergies"] == "iodine"
    assert facts["Pacemaker"] == "yes"
    assert facts["Pregnant"] == "no"
    assert facts["Earlier QTc"] == "431 ms without a drug; 502 ms on sotalol (2025-03-01)"
    assert facts["Atrial fibrillation for"] == "20 h"
    said = set(everything) - {"id", "age_years", "sex"}
    assert len(facts) == len(said) + 1


def test_what_was_not_given_is_unknown_or_left_out() -> None:
    facts = dict(patient_facts(parse_patient({"age_years": 60, "sex": "female"})))
    assert set(facts) == {"Age, sex", "Conditions", "Laboratory", "Medications", "Allergies"}
    assert facts["Medications"] == "unknown: no list was given"
    assert facts["Laboratory"] == "none"


def test_an_ecg_that_could_not_be_measured_says_why() -> None:
    ecg, _ = made_case().pre_dose()
    blank = Measurement(not_measurable={"hr_bpm": "no beats", "qt_ms": "no beats"}, missing_leads=("V6",))
    facts = dict(measured_facts(ecg, blank))
    assert facts["Intervals"] == "none could be measured"
    assert facts["Not measurable"] == "rate, QT: no beats"
    assert facts["Not recorded"] == "V6"
