"""The mask: exact where it is sure, refusing where it cannot know, and never safer for knowing less."""

import itertools
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from knowledge.candidates import candidates
from knowledge.doses import GivenAction, parse_action
from knowledge.drugs import load_catalogue
from knowledge.mask import Verdict, judge
from knowledge.policy import REFUSED
from knowledge.rules import load_rules

CATALOGUE = load_catalogue()
# How grave a verdict is; both refusals keep the drug from the patient.
GRAVE = {"allowed": 0, "caution": 1, "warning": 2, "cannot_evaluate": 3, "blocked": 3}
LABS = ("potassium", "magnesium", "calcium", "ionized_calcium", "creatinine", "glucose", "platelets")
MEASURED = (*LABS, "weight_kg", "qtcf_ms", "pr_ms", "systolic_bp_mmhg")
MEDICATIONS = sorted(drug.id for drug in CATALOGUE)
DISEASES = (
    "heart failure",
    "systolic heart failure",
    "acute decompensated heart failure",
    "old myocardial infarction",
    "asthma",
    "COPD",
    "sick sinus syndrome",
    "complete heart block",
    "WPW",
    "atrial fibrillation",
    "long QT syndrome",
    "cirrhosis",
    "myasthenia gravis",
    "left bundle branch block",
    "hypertrophic cardiomyopathy",
    "heparin-induced thrombocytopenia",
    "gout",
    "diastolic heart failure with preserved ejection fraction",
)
ACTIONS = tuple(candidates("all", None, CATALOGUE))
PATIENTS = st.fixed_dictionaries(
    {
        "labs": st.fixed_dictionaries(
            {
                "potassium": st.sampled_from([2.4, 3.2, 3.7, 4.0, 4.5, 5.3, 6.4]),
                "magnesium": st.sampled_from([0.5, 0.9, 2.5]),
                "creatinine": st.sampled_from([70.0, 150.0, 260.0, 600.0]),
                "calcium": st.sampled_from([1.7, 2.4, 3.0]),
                "platelets": st.sampled_from([30.0, 90.0, 250.0]),
            }
        ),
        "ecg": st.fixed_dictionaries(
            {
                "hr_bpm": st.sampled_from([42.0, 48.0, 55.0, 72.0, 130.0]),
                "qtcf_ms": st.sampled_from([400.0, 445.0, 475.0, 505.0, 560.0]),
                "pr_ms": st.sampled_from([160.0, 250.0, 320.0]),
                "rhythm": st.sampled_from(["sinus", "atrial_fibrillation"]),
                "av_block_2_or_3": st.booleans(),
            }
        ),
        "patient": st.fixed_dictionaries(
            {
                "age_years": st.sampled_from([25, 62, 80]),
                "lvef_percent": st.sampled_from([25, 40, 41, 60]),
                "systolic_bp_mmhg": st.sampled_from([80, 95, 130]),
                "weight_kg": st.sampled_from([45, 80]),
            }
        ),
        "has": st.lists(st.sampled_from(DISEASES), max_size=3, unique=True),
        "taking": st.lists(st.sampled_from(MEDICATIONS), max_size=4, unique=True),
    }
)
QUICK = settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def all_verdicts(bedside: Any, case: dict[str, Any]) -> dict[GivenAction, Verdict]:
    bed = bedside(**case)
    return dict(
        zip(ACTIONS, judge(ACTIONS, bed.patient, bed.findings, bed.catalogue, bed.rules), strict=True)
    )


def safer(before: dict[GivenAction, Verdict], after: dict[GivenAction, Verdict]) -> list[str]:
    return [
        f"{action}: {before[action].verdict} -> {after[action].verdict}"
        for action in ACTIONS
        if GRAVE[after[action].verdict] < GRAVE[before[action].verdict]
    ]


@QUICK
@given(case=PATIENTS, extra=st.sampled_from(MEDICATIONS))
def test_one_more_medication_never_makes_a_verdict_safer(
    bedside: Any, case: dict[str, Any], extra: str
) -> None:
    more = case | {"taking": [*case["taking"], extra]}
    assert safer(all_verdicts(bedside, case), all_verdicts(bedside, more)) == []


@pytest.mark.parametrize("anticoagulant", sorted(CATALOGUE.members("anticoagulant")))
def test_an_anticoagulant_of_unknown_duration_does_not_let_fibrillation_be_converted(
    bedside: Any, anticoagulant: str
) -> None:
    af = {"ecg": {"rhythm": "atrial_fibrillation", "pr_ms": None}}
    begun = bedside(**af, taking=[anticoagulant]).judge("ibutilide 1 mg iv")
    assert begun.verdict == "cannot_evaluate"
    assert "anticoagulated_3_weeks" in begun.missing
    for_weeks = bedside(**af, taking=[anticoagulant], patient={"anticoagulated_3_weeks": True})
    assert for_weeks.judge("ibutilide 1 mg iv").verdict not in REFUSED
    too_short = bedside(**af, taking=[anticoagulant], patient={"anticoagulated_3_weeks": False})
    assert too_short.judge("ibutilide 1 mg iv").verdict == "blocked"


@QUICK
@given(case=PATIENTS, extra=st.sampled_from(DISEASES))
def test_one_more_disease_never_makes_a_verdict_safer(bedside: Any, case: dict[str, Any], extra: str) -> None:
    more = case | {"has": [*case["has"], extra]}
    assert safer(all_verdicts(bedside, case), all_verdicts(bedside, more)) == []


@QUICK
@given(case=PATIENTS, lost=st.sampled_from(["potassium", "magnesium", "creatinine", "qtcf_ms", "glucose"]))
def test_knowing_less_never_makes_a_verdict_safer(bedside: Any, case: dict[str, Any], lost: str) -> None:
    less = case | {"lacks": [lost, "qtcb_ms", "qt_ms"] if lost == "qtcf_ms" else [lost]}
    assert safer(all_verdicts(bedside, case), all_verdicts(bedside, less)) == []


@QUICK
@given(case=PATIENTS, seed=st.integers(0, 1000))
def test_order_and_case_never_change_a_verdict(bedside: Any, case: dict[str, Any], seed: int) -> None:
    shuffled = random.Random(seed)
    turned = case | {
        "taking": shuffled.sample(
            [name.upper().replace("_", " ") for name in case["taking"]], len(case["taking"])
        ),
        "has": shuffled.sample([text.upper() for text in case["has"]], len(case["has"])),
    }
    before, after = all_verdicts(bedside, case), all_verdicts(bedside, turned)
    assert [before[action].verdict for action in ACTIONS] == [after[action].verdict for action in ACTIONS]


@pytest.mark.parametrize("lost", MEASURED)
def test_a_drug_that_is_refused_for_want_of_a_value_names_it(bedside: Any, lost: str) -> None:
    """And none is refused for want of a value without a name."""
    lacks = [lost, "qtcb_ms", "qt_ms"] if lost == "qtcf_ms" else [lost]
    for action, verdict in all_verdicts(bedside, {"lacks": lacks}).items():
        if verdict.verdict == "cannot_evaluate":
            assert verdict.missing, action
            assert any(name in verdict.reason for name in verdict.missing)


def test_a_missing_potassium_is_never_a_normal_potassium(bedside: Any) -> None:
    known, unknown = bedside(), bedside(lacks=["potassium"])
    for action in (
        "dofetilide 500 ug oral",
        "sotalol 80 mg oral",
        "ibutilide 1 mg iv",
        "digoxin 0.25 mg oral",
    ):
        assert known.judge(action).verdict not in REFUSED
        verdict = unknown.judge(action)
        assert verdict.verdict == "cannot_evaluate"
        assert "potassium" in verdict.missing


def test_what_does_not_hang_on_potassium_does_not_ask_for_it(bedside: Any) -> None:
    unknown = bedside(lacks=["potassium", "magnesium", "calcium", "qtcf_ms", "creatinine", "glucose", "inr"])
    for action in (
        "heparin 5000 units sc",
        "metoprolol 25 mg oral",
        "diltiazem 60 mg oral",
        "atropine 1 mg iv",
    ):
        assert unknown.judge(action).verdict == "allowed"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("verapamil 5 mg iv", "metoprolol 5 mg iv"),
        ("dofetilide 500 ug oral", "verapamil 80 mg oral"),
        ("sotalol 80 mg oral", "moxifloxacin 400 mg oral"),
        ("ivabradine 5 mg oral", "diltiazem 60 mg oral"),
        ("ibutilide 1 mg iv", "procainamide 500 mg iv"),
        ("metoprolol 25 mg oral", "atenolol 50 mg oral"),
    ],
)
def test_a_blocked_pair_is_blocked_in_any_order_and_among_others(bedside: Any, one: str, other: str) -> None:
    bed = bedside()
    for parts in itertools.permutations([one, other, "furosemide 40 mg oral"]):
        assert bed.judge(" + ".join(parts)).verdict == "blocked"
    partner = parse_action(other, bed.catalogue).doses[0]
    name = bed.catalogue.get(partner.drug_id).brands or (partner.drug_id,)
    many = [{"name": name[0], "route": partner.route}, *(f"aspirin {n} mg" for n in range(100, 140))]
    assert bedside(taking=many).judge(one).verdict == "blocked"


def test_five_hundred_milligrams_of_dofetilide_are_blocked_by_the_maximum_dose(bedside: Any) -> None:
    verdict = bedside().judge("dofetilide 500 mg")
    assert verdict.verdict == "blocked"
    assert verdict.rules[0].id == "R105"
    assert (
        bedside().judge("Tikosyn 0.5 mg po").verdict
        == bedside().judge("dofetilide 500 ug").verdict
        == "allowed"
    )


def test_no_drug_is_always_allowed(bedside: Any) -> None:
    assert bedside(lacks=["conditions", "medications", "allergies"]).judge("no drug").verdict == "allowed"


def test_a_drug_washed_out_is_no_partner_any_more(bedside: Any) -> None:
    recent = {"name": "verapamil", "last_taken_hours_ago": 6}
    long_ago = {"name": "verapamil", "last_taken_hours_ago": 100}
    assert bedside(taking=[recent]).judge("dofetilide 500 ug").verdict == "blocked"
    assert bedside(taking=[long_ago]).judge("dofetilide 500 ug").verdict == "allowed"
    months = {"name": "amiodarone", "last_taken_hours_ago": 24 * 30}
    assert bedside(taking=[months]).judge("sotalol 80 mg oral").verdict == "blocked"


def test_a_medication_that_may_be_a_partner_is_asked_for(bedside: Any) -> None:
    """An entry that holds a partner's name and more: not taken for it, and not overlooked."""
    verdict = bedside(taking=["verapamil frobnicate"]).judge("dofetilide 500 ug")
    assert verdict.verdict == "cannot_evaluate"
    assert any("verapamil frobnicate" in name for name in verdict.missing)


def test_a_medication_outside_the_catalogue_is_mentioned(bedside: Any) -> None:
    verdict = bedside(taking=["zzyzxamab"]).judge("heparin 5000 units sc")
    assert verdict.verdict == "caution"
    assert "zzyzxamab" in verdict.reason


def test_evidence_holds_the_patients_values(bedside: Any) -> None:
    verdict = bedside(labs={"potassium": 3.1}).judge("sotalol 80 mg oral")
    assert {rule.id: rule.evidence for rule in verdict.rules}["R29"]["potassium_mmol_l"] == 3.1


def test_chart_and_ecg_are_joined_on_the_safe_side(bedside: Any) -> None:
    charted = bedside(has=["complete heart block"], ecg={"av_block_2_or_3": False})
    seen = bedside(ecg={"av_block_2_or_3": True})
    assert (
        charted.judge("verapamil 80 mg oral").verdict
        == seen.judge("verapamil 80 mg oral").verdict
        == "blocked"
    )


def test_without_a_patient_file_antiarrhythmics_are_refused_and_heparin_is_warned_of(bedside: Any) -> None:
    bed = bedside()
    actions = [parse_action(text, bed.catalogue) for text in ("dofetilide 500 ug", "heparin 5000 units sc")]
    refused, warned = judge(actions, None, bed.findings, bed.catalogue, bed.rules)
    assert refused.verdict == "cannot_evaluate"
    assert {"potassium", "creatinine", "conditions", "medications"} <= set(refused.missing)
    assert warned.verdict == "warning"


@pytest.mark.parametrize(
    ("substance", "action", "expected"),
    [
        ("amiodarone", "amiodarone 150 mg iv", "blocked"),
        ("Cordarone", "amiodarone 150 mg iv", "blocked"),
        ("iodine", "amiodarone 150 mg iv", "blocked"),
        ("beta blockers", "metoprolol 25 mg oral", "blocked"),
        ("ciprofloxacin", "levofloxacin 500 mg oral", "blocked"),
        ("enoxaparin", "heparin 5000 units sc", "blocked"),
        ("sulfa", "furosemide 40 mg oral", "caution"),
        ("penicillin", "metoprolol 25 mg oral", "allowed"),
    ],
)
def test_allergies_and_cross_allergies(bedside: Any, substance: str, action: str, expected: str) -> None:
    assert bedside(allergic=[substance]).judge(action).verdict == expected


@pytest.mark.parametrize(
    ("conditions", "action", "expected"),
    [
        (["no history of asthma"], "propranolol 40 mg oral", "allowed"),
        (["family history of long QT syndrome"], "dofetilide 500 ug", "allowed"),
        (["asthma"], "propranolol 40 mg oral", "blocked"),
        (["first degree AV block"], "verapamil 80 mg oral", "allowed"),
        (["Mobitz II AV block"], "verapamil 80 mg oral", "blocked"),
    ],
)
def test_diagnoses_are_read_and_denials_are_not(
    bedside: Any, conditions: list[str], action: str, expected: str
) -> None:
    assert bedside(has=conditions).judge(action).verdict == expected


def forbidden_beside() -> dict[str, set[str]]:
    """Drug -> drugs never given beside it, in either direction, by the rules that hold for every patient."""
    beside: dict[str, set[str]] = {}
    for rule in load_rules():
        if (
            rule.severity == "B"
            and rule.partners
            and not (rule.when or rule.dose or rule.route or rule.partner_route)
        ):
            barred = [CATALOGUE.members(name) for name in rule.but_not]
            spared = [CATALOGUE.members(name) for name in rule.partners_but_not]
            drugs = (
                frozenset[str]().union(*(CATALOGUE.members(name) for name in rule.drugs)).difference(*barred)
            )
            partners = frozenset[str]().union(*(CATALOGUE.members(name) for name in rule.partners))
            for one, other in itertools.product(drugs, partners.difference(*spared)):
                if one != other:
                    beside.setdefault(one, set()).add(other)
                    beside.setdefault(other, set()).add(one)
    return beside


def test_no_forbidden_pair_slips_through_in_either_direction_or_under_a_brand(bedside: Any) -> None:
    beside = forbidden_beside()
    assert sum(map(len, beside.values())) > 600
    for taken, never in beside.items():
        record = CATALOGUE.get(taken)
        bed = bedside(taking=[(record.brands or record.names)[0].upper()])
        verdicts = judge(ACTIONS, bed.patient, bed.findings, bed.catalogue, bed.rules)
        slipped = [
            str(verdict.action)
            for verdict in verdicts
            if verdict.action.doses[0].drug_id in never and verdict.verdict != "blocked"
        ]
        assert slipped == [], taken
