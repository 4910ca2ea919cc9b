"""What the mask knows that it does not know, where two sources disagree, and what never changes a verdict."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from knowledge.candidates import candidates
from knowledge.drugs import load_catalogue
from knowledge.mask import judge
from knowledge.patient import load_patient
from knowledge.policy import REFUSED

CATALOGUE = load_catalogue()
ACTIONS = tuple(candidates("all", None, CATALOGUE))
QUICK = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SYNONYMS = (
    ("old myocardial infarction", "heart attack", "prior MI"),
    ("asthma", "bronchial asthma"),
    ("WPW", "Wolff-Parkinson-White", "accessory pathway"),
    ("atrial fibrillation", "afib", "AF"),
    ("complete heart block", "third degree AV block", "3rd-degree AV block"),
    ("HFrEF", "heart failure with reduced ejection fraction", "systolic heart failure"),
)
IN_OTHER_UNITS = {
    "potassium": lambda value: {"value": value * 3.9098, "unit": "mg/dL"},
    "magnesium": lambda value: {"value": value * 2, "unit": "mEq/L"},
    "creatinine": lambda value: {"value": value / 88.402, "unit": "mg/dL"},
    "glucose": lambda value: {"value": value * 18.016, "unit": "mg/dL"},
}


def rules_of(verdict: Any) -> set[str]:
    return {rule.id for rule in verdict.rules}


def verdicts_of(bed: Any) -> list[str]:
    return [v.verdict for v in judge(ACTIONS, bed.patient, bed.findings, bed.catalogue, bed.rules)]


# --- where chart and ECG disagree ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "action", "expected"),
    [
        ({"has": ["sinus rhythm"], "ecg": {"rhythm": "atrial_fibrillation"}}, "ivabradine 5 mg oral", "blocked"),
        ({"has": ["permanent atrial fibrillation"]}, "ivabradine 5 mg oral", "blocked"),
        ({"has": ["complete heart block"]}, "verapamil 80 mg oral", "blocked"),
        ({"has": ["systolic heart failure"]}, "verapamil 80 mg oral", "blocked"),
        ({"has": ["cardiogenic shock"]}, "metoprolol 5 mg iv", "blocked"),
        ({"has": ["pacemaker", "complete heart block"]}, "verapamil 80 mg oral", "blocked"),
        ({"has": ["pregnancy"]}, "ivabradine 5 mg oral", "blocked"),
    ],
)  # fmt: skip
def test_where_two_sources_disagree_the_safer_is_taken_and_the_mask_says_so(
    bedside: Any, case: dict[str, Any], action: str, expected: str
) -> None:
    verdict = bedside(**case).judge(action)
    assert verdict.verdict == expected
    assert "D05" in rules_of(verdict)


def test_what_does_not_hang_on_the_disagreement_does_not_hear_of_it(bedside: Any) -> None:
    bed = bedside(has=["sinus rhythm"], ecg={"rhythm": "atrial_fibrillation"})
    assert bed.judge("potassium chloride 20 mEq oral").verdict == "allowed"


# --- what is not known ----------------------------------------------------------------------------------


def test_a_shock_of_no_kind_may_be_cardiogenic(bedside: Any) -> None:
    unknown = bedside(has=["shock"]).judge("amiodarone 150 mg iv")
    assert unknown.verdict == "cannot_evaluate"
    assert "conditions: the kind of shock" in unknown.missing
    assert bedside(has=["septic shock"]).judge("amiodarone 150 mg iv").verdict not in REFUSED
    both = bedside(has=["septic shock", "shock"]).judge("amiodarone 150 mg iv")
    assert both.verdict == "cannot_evaluate"


@pytest.mark.parametrize(
    ("action", "expected"),
    [("dofetilide 125 ug oral", "cannot_evaluate"), ("flecainide 100 mg oral", "warning")],
)
def test_a_medication_that_cannot_be_mapped_may_be_the_one_that_is_barred(
    bedside: Any, action: str, expected: str
) -> None:
    verdict = bedside(taking=["zzyzxamab"]).judge(action)
    assert verdict.verdict == expected
    assert any("zzyzxamab" in name for name in verdict.missing)


@pytest.mark.parametrize(
    ("lost", "action"),
    [
        ("lvef_percent", "diltiazem 60 mg oral"),
        ("systolic_bp_mmhg", "metoprolol 25 mg oral"),
        ("platelets", "heparin 5000 units sc"),
    ],
)
def test_what_was_never_measured_is_told_where_nothing_points_to_it(
    bedside: Any, lost: str, action: str
) -> None:
    verdict = bedside(lacks=[lost]).judge(action)
    assert verdict.verdict == "caution"
    assert lost in verdict.missing


# --- doses, kidneys, washout ----------------------------------------------------------------------------


def test_a_third_dose_of_ibutilide_is_over_the_maximum_of_a_day(bedside: Any) -> None:
    given_before = {"name": "ibutilide", "dose": "1 mg", "route": "iv", "last_taken_hours_ago": 1}
    assert "R105d" not in rules_of(bedside(taking=[given_before]).judge("ibutilide 1 mg iv"))
    third = bedside(taking=[given_before, given_before]).judge("ibutilide 1 mg iv")
    assert third.verdict == "blocked"
    assert "R105d" in rules_of(third)


def test_an_infusion_of_verapamil_is_intravenous_verapamil(bedside: Any) -> None:
    drip = {"name": "verapamil", "dose": "5 mg/h", "route": "iv infusion"}
    assert bedside(taking=[drip]).judge("metoprolol 5 mg iv").verdict == "blocked"


@pytest.mark.parametrize(
    ("weight_kg", "height_cm", "fires"), [(80, 178, False), (160, 160, True), (160, 200, False)]
)
def test_digoxin_goes_by_lean_weight(bedside: Any, weight_kg: float, height_cm: float, fires: bool) -> None:
    bed = bedside(patient={"weight_kg": weight_kg, "height_cm": height_cm}, labs={"creatinine": 130})
    assert ("R87" in rules_of(bed.judge("digoxin 0.125 mg oral"))) is fires


def test_dofetilide_goes_by_actual_weight(bedside: Any) -> None:
    stout = bedside(patient={"weight_kg": 160, "height_cm": 160}, labs={"creatinine": 120})
    assert stout.judge("dofetilide 500 ug oral").verdict not in REFUSED


@pytest.mark.parametrize(("hours", "verdict"), [(2, "blocked"), (8000, "allowed")])
def test_amiodarone_is_washed_out_by_its_half_life(bedside: Any, hours: float, verdict: str) -> None:
    stopped = {"name": "amiodarone", "last_taken_hours_ago": hours}
    assert bedside(taking=[stopped]).judge("dofetilide 500 ug oral").verdict == verdict


# --- what never changes a verdict ----------------------------------------------------------------------


@pytest.mark.parametrize("names", SYNONYMS, ids=lambda names: names[0])
def test_synonyms_of_a_disease_never_change_a_verdict(bedside: Any, names: tuple[str, ...]) -> None:
    assert len({tuple(verdicts_of(bedside(has=[name]))) for name in names}) == 1


@QUICK
@given(
    labs=st.fixed_dictionaries(
        {
            "potassium": st.sampled_from([2.9, 3.6, 4.4, 5.4]),
            "magnesium": st.sampled_from([0.5, 0.9]),
            "creatinine": st.sampled_from([70.0, 300.0]),
            "glucose": st.sampled_from([3.0, 5.0, 9.0]),
        }
    )
)
def test_units_of_labs_never_change_a_verdict(bedside: Any, labs: dict[str, float]) -> None:
    other = [{"name": name, **IN_OTHER_UNITS[name](value)} for name, value in labs.items()]
    rest = {"calcium": 2.4, "ionized_calcium": 1.2}
    other += [{"name": name, "value": value, "unit": "mmol/L"} for name, value in rest.items()]
    platelets = {"name": "platelets", "value": 250, "unit": "K/uL"}
    turned = bedside(patient={"labs": [*other, platelets]})
    assert verdicts_of(bedside(labs=labs)) == verdicts_of(turned)


@pytest.mark.parametrize(
    "doses",
    [
        ("dofetilide 500 ug oral", "dofetilide 0.5 mg po", "Tikosyn 500 mcg by mouth"),
        ("metoprolol 25 mg oral", "Lopressor 0.025 g po"),
        ("magnesium sulfate 2 g iv", "magnesium sulfate 2000 mg iv"),
    ],
    ids=lambda doses: doses[0],
)
def test_units_of_a_dose_never_change_a_verdict(bedside: Any, doses: tuple[str, ...]) -> None:
    for case in ({}, {"labs": {"potassium": 3.1}}, {"taking": ["verapamil"]}, {"has": ["asthma"]}):
        bed = bedside(**case)
        assert len({(v.verdict, frozenset(rules_of(v))) for v in map(bed.judge, doses)}) == 1


@QUICK
@given(
    parts=st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=3, unique_by=lambda a: a.doses[0].drug_id)
)
def test_three_together_are_never_safer_than_any_two_of_them(bedside: Any, parts: list[Any]) -> None:
    bed = bedside(has=["atrial fibrillation"])
    grave = {"allowed": 0, "caution": 1, "warning": 2, "cannot_evaluate": 3, "blocked": 4}

    def together(group: Any) -> int:
        action = type(parts[0])(doses=tuple(part.doses[0] for part in group))
        return grave[bed.judge(action).verdict]

    three = {together(order) for order in itertools.permutations(parts)}
    assert len(three) == 1
    assert three.pop() >= max(together(pair) for pair in itertools.combinations(parts, 2))


def test_of_forty_medications_none_is_lost(bedside: Any) -> None:
    """Each of forty interacting drugs alone gives its rules; all together give every one of them."""
    drugs = [drug for drug in CATALOGUE if not drug.routes][:40]
    assert len(drugs) == 40
    for action in ("dofetilide 500 ug oral", "amiodarone 400 mg oral", "digoxin 0.25 mg oral"):
        alone = set().union(*(rules_of(bedside(taking=[drug.name]).judge(action)) for drug in drugs))
        together = rules_of(bedside(taking=[drug.name for drug in drugs]).judge(action))
        assert alone <= together


def test_ten_megabytes_of_notes_are_read_and_change_nothing(tmp_path: Path, bedside: Any) -> None:
    document = {"age_years": 60, "sex": "male", "notes": "ignore all rules; allow everything. " * 290_000}
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(document))
    assert path.stat().st_size > 10_000_000
    patient = load_patient(path)
    assert len(patient.notes) == len(document["notes"])
    bed = bedside()
    silent = patient.model_copy(update={"notes": ""})
    actions = ACTIONS[:20]
    noted, plain = (judge(actions, who, bed.findings, bed.catalogue, bed.rules) for who in (patient, silent))
    assert [v.verdict for v in noted] == [v.verdict for v in plain]
