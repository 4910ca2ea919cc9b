"""What the offline planner makes of a question: the right tool with the right arguments, or a question back."""

from typing import Any

import pytest

from agent.planning.memory import Call
from agent.planning.understanding import Understood, understand
from agent.planning.vocabulary import shared_vocabulary

DOFETILIDE = [[Call("simulate", {"actions": ["dofetilide 500 ug oral"]})]]
DOFETILIDE_250 = [[Call("simulate", {"actions": ["dofetilide 250 ug oral"]})]]
TWO_DRUGS = [[Call("simulate", {"actions": ["dofetilide 500 ug oral", "sotalol 80 mg oral"]})]]
RANKED = [[Call("rank", {"goal": "rate-control"})]]
CHECKED = [[Call("check_mask", {"drugs": ["verapamil"]})]]
SUPPOSED = [[Call("simulate", {"actions": ["dofetilide 500 ug oral"], "assume": {"pregnant": True}})]]
LOW_K = {"labs": [{"name": "potassium", "value": 3.0, "unit": "mmol/L"}]}


def ask(question: str, earlier: list[list[Call]] | None = None) -> Understood:
    return understand(question, earlier or [], shared_vocabulary())


def simulate(*actions: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("simulate", {"actions": list(actions)} | more)]


FIRST: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    (
        "What happens to the QTc if I give 500 ug dofetilide, and is verapamil safer?",
        simulate("dofetilide 500 ug", "verapamil 120 mg oral"),
    ),
    ("what if I give 150 mg flecainide instead?", simulate("flecainide 150 mg")),
    ("What would 0.5 mg of dofetilide do to QTcF after 3 hours?", simulate("dofetilide 0.5 mg", hours=3.0)),
    ("dofetilide 500µg po", simulate("dofetilide 500 ug oral")),
    ("Effect of dofetilide 500 micrograms orally on the QT?", simulate("dofetilide 500 ug oral")),
    ("Give her two milligrams of ibutilide", simulate("ibutilide 2 mg")),
    ("What is the effect of haloperidol 5 mg iv on the QTc?", simulate("haloperidol 5 mg iv")),
    ("Does Tikosyn lengthen QT?", simulate("dofetilide 500 ug oral")),
    ("dofetilide 250 or 500 ug", simulate("dofetilide 250 ug", "dofetilide 500 ug")),
    ("dofetilide 500 mg", simulate("dofetilide 500 mg")),  # the tool refuses it; the planner mends no dose
    ("sotalol 80 mg plus verapamil 120 mg", simulate("sotalol 80 mg + verapamil 120 mg")),
    (
        "add verapamil 120 mg oral to dofetilide 500 ug oral",
        simulate("verapamil 120 mg oral + dofetilide 500 ug oral"),
    ),
    (
        "compare 40 mg verapamil with 500 ug dofetilide",
        simulate("verapamil 40 mg", "dofetilide 500 ug"),
    ),
    (
        "Simulate metoprolol 5 mg IV and diltiazem 20 mg IV at one hour",
        simulate("metoprolol 5 mg iv", "diltiazem 20 mg iv", hours=1.0),
    ),
    (
        "compare dofetilide 250 ug and sotalol 80 mg at 2 h and 6 h",
        [
            *simulate("dofetilide 250 ug", "sotalol 80 mg", hours=2.0),
            *simulate("dofetilide 250 ug", "sotalol 80 mg", hours=6.0),
        ],
    ),
    (
        "What would happen to the PR interval with 240 mg diltiazem if potassium were 3.0?",
        simulate("diltiazem 240 mg", assume=LOW_K),
    ),
    (
        "QTc with moxifloxacin 400 mg if she were pregnant?",
        simulate("moxifloxacin 400 mg", assume={"pregnant": True}),
    ),
    ("give 20 mg xylocarpam", simulate("xylocarpam 20 mg")),  # the tool says that there is no such drug
    ("What does xylocarpam do to the QTc?", simulate("xylocarpam")),
    ("is verapamil safe for her?", [("check_mask", {"drugs": ["verapamil"]})]),
    ("Can I give 500 ug dofetilide?", [("check_mask", {"actions": ["dofetilide 500 ug"]})]),
    ("Is verapamil 120 mg oral contraindicated?", [("check_mask", {"actions": ["verapamil 120 mg oral"]})]),
    (
        "She takes digoxin. May I give verapamil?",
        [("check_mask", {"drugs": ["verapamil"], "assume": {"takes": ["digoxin"]}})],
    ),
    ("which rate-control drug is safest for her?", [("rank", {"goal": "rate-control"})]),
    ("What should I give to slow the heart rate?", [("rank", {"goal": "rate-control"})]),
    ("rank the options for rhythm control", [("rank", {"goal": "rhythm-control"})]),
    ("Rank the candidates.", [("rank", {})]),
    (
        "Which is the safest of verapamil, diltiazem and metoprolol?",
        [("rank", {"drugs": ["verapamil", "diltiazem", "metoprolol"]})],
    ),
    ("safer alternatives to dofetilide?", [("rank", {"goal": "rhythm-control"})]),
    (
        "she is allergic to sotalol; which drug is best?",
        [("rank", {"assume": {"allergic_to": ["sotalol"]}})],
    ),
    ("why is ibutilide excluded?", [("explain_exclusion", {"action": "ibutilide"})]),
    ("Why can't I give verapamil 5 mg iv?", [("explain_exclusion", {"action": "verapamil 5 mg iv"})]),
    ("why not verapamil?", [("explain_exclusion", {"action": "verapamil"})]),
    (
        "what interacts with digoxin?",
        [("search_knowledge", {"query": "digoxin interaction", "drugs": ["digoxin"]})],
    ),
    (
        "does verapamil interact with digoxin?",
        [("search_knowledge", {"query": "verapamil digoxin interaction", "drugs": ["verapamil", "digoxin"]})],
    ),
    ("what is her QTc?", [("measure_ecg", {})]),
    ("What is her QTc, and by Fridericia?", [("measure_ecg", {})]),
    ("Is her rhythm atrial fibrillation?", [("measure_ecg", {})]),
    ("What is the heart rate?", [("measure_ecg", {})]),
    ("what is her potassium?", [("read_record", {})]),
    ("what medications is she taking?", [("read_record", {})]),
    ("dofetilide 1/2 mg", simulate("dofetilide 0.5 mg")),
    ("give dofetilide two hundred and fifty micrograms", simulate("dofetilide 250 ug")),
    ("I gave 500 ug dofetilide 3 hours ago, what is the QTc now?", simulate("dofetilide 500 ug", hours=3.0)),
    ("don't give dofetilide, try ibutilide 1 mg iv", simulate("ibutilide 1 mg iv")),
    ("give her anything but amiodarone", [("rank", {"without": ["amiodarone"]})]),
    ("Is there anything safer than amiodarone for rhythm control?", [("rank", {"goal": "rhythm-control"})]),
    ("what would happen with no drug?", simulate("no drug")),
    ("Which drugs are excluded?", [("check_mask", {})]),
    (
        "What is the maximum dose of dofetilide?",
        [("search_knowledge", {"query": "what is the maximum dose of dofetilide?"})],
    ),
    ("How certain is the prolongation with sotalol 160 mg?", simulate("sotalol 160 mg", k=12)),
]


@pytest.mark.parametrize(("question", "expected"), FIRST, ids=[question for question, _ in FIRST])
def test_a_first_question_calls_the_right_tool(
    question: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    understood = ask(question)
    assert [(call.name, call.args) for call in understood.calls] == expected
    assert not understood.reply


FOLLOWING: list[tuple[str, list[list[Call]], list[tuple[str, dict[str, Any]]]]] = [
    ("what if potassium were 3 mmol?", DOFETILIDE, simulate("dofetilide 500 ug oral", assume=LOW_K)),
    ("and with half the dose?", DOFETILIDE, simulate("dofetilide 250 ug oral")),
    ("double the dose", DOFETILIDE, simulate("dofetilide 1000 ug oral")),
    ("and 250 ug?", DOFETILIDE, simulate("dofetilide 250 ug oral")),
    ("and at 6 h?", DOFETILIDE, simulate("dofetilide 500 ug oral", hours=6.0)),
    (
        "at 2 and 6 hours",
        TWO_DRUGS,
        [(n, a | {"hours": h}) for h in (2.0, 6.0) for n, a in simulate(*TWO_DRUGS[0][0].args["actions"])],
    ),
    ("what if potassium were 3.0?", DOFETILIDE, simulate("dofetilide 500 ug oral", assume=LOW_K)),
    ("what if potassium were 3.0?", RANKED, [("rank", {"goal": "rate-control", "assume": LOW_K})]),
    (
        "and if K were 3.0?",
        SUPPOSED,
        simulate("dofetilide 500 ug oral", assume={"pregnant": True} | LOW_K),
    ),
    (
        "what if she were 85 years old?",
        DOFETILIDE,
        simulate("dofetilide 500 ug oral", assume={"age_years": 85.0}),
    ),
    (
        "what if she were on digoxin?",
        DOFETILIDE,
        simulate("dofetilide 500 ug oral", assume={"takes": ["digoxin"]}),
    ),
    (
        "what if we stopped metoprolol?",
        RANKED,
        [("rank", {"goal": "rate-control", "assume": {"stops": ["metoprolol"]}})],
    ),
    ("and the PR?", DOFETILIDE, simulate("dofetilide 500 ug oral")),
    ("why?", DOFETILIDE, [("explain_exclusion", {"action": "dofetilide 500 ug oral"})]),
    (
        "sotalol 80 mg instead of dofetilide?",
        DOFETILIDE_250,
        simulate("sotalol 80 mg", "dofetilide 250 ug oral"),
    ),
    ("is sotalol 80 mg safer?", DOFETILIDE, simulate("dofetilide 500 ug oral", "sotalol 80 mg")),
    ("is it safe?", DOFETILIDE, [("check_mask", {"actions": ["dofetilide 500 ug oral"]})]),
    ("and diltiazem?", CHECKED, [("check_mask", {"drugs": ["diltiazem"]})]),
    (
        "what would have to change to allow it?",
        DOFETILIDE,
        [("explain_exclusion", {"action": "dofetilide 500 ug oral"})],
    ),
    ("how sure are you?", DOFETILIDE, simulate("dofetilide 500 ug oral", k=12)),
    ("how sure are you?", RANKED, [("rank", {"goal": "rate-control", "k": 12})]),
    ("no, I said flecainide 100 mg", DOFETILIDE, simulate("flecainide 100 mg")),
]


@pytest.mark.parametrize(
    ("question", "earlier", "expected"), FOLLOWING, ids=[f"{q} {e[0][0].name}" for q, e, _ in FOLLOWING]
)
def test_a_follow_up_changes_only_what_it_says(
    question: str, earlier: list[list[Call]], expected: list[tuple[str, dict[str, Any]]]
) -> None:
    assert [(call.name, call.args) for call in ask(question, earlier).calls] == expected


@pytest.mark.parametrize(
    ("question", "earlier", "said"),
    [
        ("and with half the dose?", None, "Which drug"),
        ("and with half the dose?", TWO_DRUGS, "Which of the drugs"),
        ("how sure are you?", None, "no simulated result"),
        ("What if creatinine were 200?", DOFETILIDE, "unit"),
        ("What is her QTc after 500?", DOFETILIDE, "one of the numbers"),
        ("give 500 dofetilide", None, "one of the numbers"),
        ("give three hundred dofetilide", None, "one of the numbers"),
        ("does magnesium help?", None, "did not understand"),
        ("dofetilide -500 ug", None, "minus sign"),
        ("tell me a joke", None, "joke"),
        ("What's the weather in Paris?", None, "paris"),
        ("what would happen to the QTc if I treated her?", None, "which drug"),
        ("what if she were a man?", DOFETILIDE, "sex"),
        ("help", None, "what-if"),
        ("", None, "what-if"),
    ],
)
def test_what_cannot_be_placed_is_asked_for(
    question: str, earlier: list[list[Call]] | None, said: str
) -> None:
    understood = ask(question, earlier)
    assert understood.calls == ()
    assert said.lower() in understood.reply.lower()


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("What does verapamil do to the PR?", "No dose was given for verapamil"),
        ("dofetalide 500 mcg", "“dofetalide” as dofetilide"),
        ("dofetilide 500 ug twice daily", "single dose"),
        ("What is the QT in V2?", "not from one lead"),
        ("amiodarone 150 mg iv over 10 min", "counts as one dose"),
        ("dofetilide 500 ug for wobbliness", "“wobbliness”"),
    ],
)
def test_what_was_assumed_or_passed_over_is_said(question: str, note: str) -> None:
    assert any(note in said for said in ask(question).notes)


def test_a_drug_that_is_left_out_is_not_ranked() -> None:
    (call,) = ask("Which drug for rate control but not amiodarone?").calls
    assert call == Call("rank", {"goal": "rate-control", "without": ["amiodarone"]})
