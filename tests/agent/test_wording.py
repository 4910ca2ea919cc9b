"""The words that terminal and report share: nothing invented, nothing lost when verdicts are merged."""

import pytest

from agent.wording import (
    because,
    decisive,
    evidence_text,
    fact_text,
    fired_rules,
    group_verdicts,
    interval_name,
    number,
    one_line,
    percent,
    reasons_of_rows,
    spread,
    standing,
    words,
)
from tests.agent.made_results import LOW_POTASSIUM, SLOWING, action, made_mask, ranked
from tools.mask import VerdictGiven
from tools.results import ActionGiven, DrugGiven


@pytest.mark.parametrize(
    ("value", "digits", "signed", "shown"),
    [
        (None, 0, False, "–"),
        (0.0, 0, False, "0"),
        (-0.3, 0, False, "0"),
        (-0.3, 0, True, "+0"),
        (12.5, 1, True, "+12.5"),
        (-4.0, 0, True, "-4"),
        (1e9, 0, False, "1000000000"),
    ],
)
def test_a_number_is_never_minus_zero_and_the_unknown_is_a_dash(
    value: float | None, digits: int, signed: bool, shown: str
) -> None:
    assert number(value, digits, signed=signed) == shown


def test_one_sample_has_no_spread() -> None:
    assert spread(412.0, None) == "412"
    assert spread(412.0, 6.2) == "412 ± 6"
    assert spread(None, None) == "–"
    assert percent(None) == "–"
    assert percent(0.6667) == "67 %"


def test_labels_become_words() -> None:
    assert words("atrial_fibrillation") == "atrial fibrillation"
    assert words("wide_qrs") == "wide QRS"
    assert interval_name("tpeak_tend_ms") == "TpTe"
    assert interval_name("unheard_of_ms") == "unheard of"


def test_a_fact_carries_its_unit_and_an_unknown_one_says_so() -> None:
    assert fact_text("potassium_mmol_l", 3.1) == "potassium 3.1 mmol/L"
    assert fact_text("potassium_mmol_l", None) == "potassium unknown"
    assert fact_text("pacemaker", False) == "pacemaker no"
    assert evidence_text({"given": "sotalol 80 mg oral", "takes": ["digoxin", "furosemide"]}) == (
        "takes digoxin, furosemide"
    )


def test_control_characters_of_a_record_are_gone() -> None:
    assert one_line("a\x1b[31m\nb\u202e\x00c") == "a[31m bc"


def test_doses_that_are_judged_alike_stand_together_and_others_apart() -> None:
    shown = [(group.action, group.verdict) for group in group_verdicts(made_mask().verdicts)]
    assert shown == [
        ("metoprolol 25 mg oral", "allowed"),
        ("verapamil 120 mg oral", "caution"),
        ("sotalol 80, 120 mg oral", "blocked"),
        ("dofetilide 500 ug oral", "cannot_evaluate"),
    ]


def test_routes_and_units_of_a_drug_are_kept_apart() -> None:
    verdicts = [
        VerdictGiven(action=action("esmolol", dose, route), verdict="allowed")
        for dose, route in (
            ("50 ug/kg/min", "iv infusion"),
            ("100 ug/kg/min", "iv infusion"),
            ("30 mg", "iv"),
        )
    ]
    (group,) = group_verdicts(verdicts)
    assert group.action == "esmolol 50, 100 ug/kg/min iv infusion; 30 mg iv"


def test_combinations_and_what_was_not_understood_are_never_merged() -> None:
    both = ActionGiven(
        drugs=(
            DrugGiven(name="a", dose="1 mg", route="oral"),
            DrugGiven(name="b", dose="1 mg", route="oral"),
        ),
        text="a 1 mg oral + b 1 mg oral",
    )
    more = both.model_copy(update={"text": "a 2 mg oral + b 1 mg oral"})
    odd = ActionGiven(drugs=(DrugGiven(name="??", dose=None, route=None),), text="??")
    verdicts = [VerdictGiven(action=given, verdict="blocked") for given in (both, more, odd)]
    assert [group.action for group in group_verdicts(verdicts)] == [both.text, more.text, "??"]


def test_a_group_says_its_rules_then_what_is_missing_else_its_reason() -> None:
    because_of = [because(group) for group in group_verdicts(made_mask().verdicts)]
    assert because_of == ["no rule speaks against it", "R44", "R29", "needs creatinine"]


def test_a_rule_that_cannot_be_decided_never_reads_as_one_that_holds() -> None:
    undecided = LOW_POTASSIUM.model_copy(
        update={"missing": ("potassium", "qtcf_ms"), "evidence": {"potassium_mmol_l": None}}
    )
    verdict = VerdictGiven(
        action=action("sotalol", "80 mg"),
        verdict="caution",
        rules=(undecided, SLOWING),
        missing=("potassium", "qtcf_ms"),
    )
    (group,) = group_verdicts([verdict])
    assert because(group) == "R44; undecided R29; needs potassium, QTcF"
    assert decisive(group).startswith("Verapamil raises the digoxin level")
    assert decisive(group).endswith("also undecided R29; needs potassium, QTcF")
    assert standing(undecided) == "block, undecided: needs potassium, QTcF"
    assert standing(SLOWING) == "caution"
    (refused,) = group_verdicts([verdict.model_copy(update={"verdict": "cannot_evaluate"})])
    assert decisive(refused).startswith("Sotalol is not started with potassium below")
    both = group_verdicts([verdict, verdict.model_copy(update={"rules": (LOW_POTASSIUM,)})])
    assert [report.rule.missing for report in fired_rules(both)] == [("potassium", "qtcf_ms"), (), ()]


def test_each_rule_is_told_once_with_every_action_and_every_value_it_looked_at() -> None:
    other = LOW_POTASSIUM.model_copy(update={"evidence": {"potassium_mmol_l": 3.4}})
    verdicts = [
        VerdictGiven(action=action("sotalol", "80 mg"), verdict="blocked", rules=(LOW_POTASSIUM,)),
        VerdictGiven(action=action("ibutilide", "1 mg", "iv"), verdict="blocked", rules=(other, SLOWING)),
    ]
    first, second = fired_rules(group_verdicts(verdicts))
    assert first.actions == ["sotalol 80 mg oral", "ibutilide 1 mg iv"]
    assert first.evidence == ["potassium 3.1 mmol/L", "potassium 3.4 mmol/L"]
    assert second.rule.id == "R44"


def test_reasons_that_all_rows_share_are_told_once_and_citations_are_left_to_the_rules() -> None:
    rows = [ranked(1, action("a", "1 mg"), 0.1), ranked(2, action("b", "1 mg"), 0.1, (SLOWING,))]
    rows[0] = rows[0].model_copy(update={"reasons": (*rows[0].reasons, "rate 45 bpm")})
    common, own = reasons_of_rows(rows)
    assert common == ["QTcF within limits"]
    assert own == [["rate 45 bpm"], []]
