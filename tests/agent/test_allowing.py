"""What would have to change: each change is judged by the mask on a copy, and what it cannot lift is said."""

from agent.workbench import Workbench
from tests.agent.conftest import Talk


def test_the_change_that_lifts_a_rule_is_named_and_makes_the_mask_agree(bench: Workbench) -> None:
    would = bench.explain_exclusion("dofetilide 500 ug oral")["would_allow"]
    lifting = {line: change["lifts"] for change in would["changes"] for line in change["change"]}
    assert "R54" in lifting["potassium 4.5 mmol/L (recorded: 3.2 mmol/L)"]
    assert not set(would["left"]) & {rule for lifts in lifting.values() for rule in lifts}


def test_it_is_told_and_the_record_stays(bench: Workbench, talk: Talk) -> None:
    before = bench.case.patient
    talk().ask("why is dofetilide 500 ug oral excluded?")
    answer = talk().ask("what would have to change to allow it?").answer
    assert "potassium 4.5 mmol/L (recorded: 3.2 mmol/L): lifts" in answer
    assert bench.case.patient is before


def test_what_is_allowed_needs_no_change(bench: Workbench) -> None:
    assert bench.explain_exclusion("verapamil 40 mg oral")["would_allow"] == {}
