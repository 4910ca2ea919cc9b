"""The mask as a tool: one verdict for each action, in order, and nothing unknown that passes for normal."""

from dataclasses import replace

import pytest

from knowledge.errors import UnknownDrugError
from tools.case import Case
from tools.mask import mask_actions

VERAPAMIL = "verapamil 120 mg oral"


def test_one_verdict_for_each_action_in_order(case: Case) -> None:
    actions = [VERAPAMIL, "unobtainium 5 mg oral", "no drug", "dofetilide 500 ug oral", "verapamil"]
    verdicts = mask_actions(case, actions=actions).verdicts
    assert len(verdicts) == len(actions)
    assert [verdict.action.text for verdict in verdicts][1:3] == ["unobtainium 5 mg oral", "no drug"]


@pytest.mark.parametrize("action", ["unobtainium 5 mg oral", "verapamil", "verapamil 5 mEq oral"])
def test_what_is_not_understood_cannot_be_evaluated_and_says_why(case: Case, action: str) -> None:
    (verdict,) = mask_actions(case, actions=[action]).verdicts
    assert verdict.verdict == "cannot_evaluate"
    assert verdict.reason
    assert verdict.action.drugs[0].dose is None


def test_the_printed_action_names_drug_dose_and_route(case: Case) -> None:
    (verdict,) = mask_actions(case, actions=["calan 0.12 g po"]).verdicts
    assert [drug.model_dump() for drug in verdict.action.drugs] == [
        {"name": "verapamil", "dose": "120 mg", "route": "oral"}
    ]


def test_a_drug_stands_for_all_its_usual_doses(case: Case) -> None:
    verdicts = mask_actions(case, drugs=["dofetilide"]).verdicts
    assert {verdict.action.drugs[0].dose for verdict in verdicts} == {"125 ug", "250 ug", "500 ug"}


def test_without_a_drug_the_patients_own_goal_is_taken(case: Case) -> None:
    assert case.patient is not None
    aiming = replace(case, patient=case.patient.model_copy(update={"goal": "rate-control"}))
    named = {verdict.action.drugs[0].name for verdict in mask_actions(aiming).verdicts}
    assert "metoprolol" in named
    assert "dofetilide" not in named


def test_an_unknown_drug_or_goal_is_an_error(case: Case) -> None:
    with pytest.raises(UnknownDrugError):
        mask_actions(case, drugs=["unobtainium"])
    with pytest.raises(UnknownDrugError):
        mask_actions(case, goal="immortality")


def test_less_knowledge_never_gives_a_milder_verdict(case: Case) -> None:
    """The same action without patient, without ECG, and without either."""
    gravity = ["allowed", "caution", "warning", "cannot_evaluate", "blocked"]
    actions = ["dofetilide 500 ug oral", "verapamil 5 mg iv", "ibutilide 1 mg iv"]
    known = mask_actions(case, actions=actions).verdicts
    for less in (
        replace(case, patient=None),
        replace(case, ecg=None, measurement=None),
        Case(),
    ):
        for full, poor in zip(known, mask_actions(less, actions=actions).verdicts, strict=True):
            assert gravity.index(poor.verdict) >= gravity.index(full.verdict)
    assert {verdict.verdict for verdict in mask_actions(Case(), actions=actions).verdicts} == {
        "cannot_evaluate"
    }


def test_every_rule_comes_with_source_and_evidence() -> None:
    (verdict,) = mask_actions(Case(), actions=["dofetilide 500 ug oral"]).verdicts
    assert verdict.rules
    for rule in verdict.rules:
        assert rule.source
        assert rule.severity in ("block", "warning", "caution", "info")
        assert rule.evidence or rule.missing
