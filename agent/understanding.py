"""What a question asks: the tools to call and their arguments, or what to say instead.

Rules in a fixed order, first match first; pure functions of the question and of what was called before.
Where a drug, a dose or a number cannot be placed, it is asked for: a wrong drug is worse than no answer.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.assumptions import Assumptions
from agent.reading import DrugSaid, Reading, read_question
from agent.vocabulary import Vocabulary

SURE_K = 12  # samples for "how sure are you": K = 3 is too few to tell a spread by


@dataclass(frozen=True)
class Call:
    """One tool call."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)


Turns = Sequence[Sequence[Call]]


@dataclass(frozen=True)
class Understood:
    """Calls to make; notes to say beside their results; or a reply where there is nothing to call."""

    calls: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
    reply: str = ""


HELP = """\
I answer what-if questions about this patient's ECG, for example:
- What happens to the QTc if I give dofetilide, and is verapamil safer?
- And with half the dose? What if potassium were low? (Say the value.)
- Which rate-control drug is safest for her?
- Why is ibutilide excluded?
- What interacts with digoxin?
- What is her QTc?
- How sure are you?
Write a dose with its unit, and the route if there are several. Numbers come from the measured ECG, the rules and
the world model; I never make one up."""
NOT_UNDERSTOOD = (
    "I did not understand that question. Ask what a drug and dose would do, whether or why it is allowed, which drug "
    "is safest for a goal, what interacts with a drug, or what is measured; /help shows examples."
)


def understand(question: str, earlier: Turns, words: Vocabulary) -> Understood:
    """The tool calls that answer the question. `earlier`: the calls of each turn before, oldest first."""
    reading = read_question(question, words)
    objection = _cannot_place(reading)
    if objection:
        return Understood(reply=objection)
    notes = _notes(reading, words)
    for asks, answer in _TOPICS:
        if asks(reading):
            understood = answer(reading, earlier, words)
            return Understood(understood.calls, (*notes, *understood.notes), understood.reply)
    return Understood(reply=_not_understood(reading))


def _cannot_place(reading: Reading) -> str:
    """What must be asked before anything can be answered."""
    if reading.loose:
        return "I could not tell what one of the numbers in your question belongs to. Please name its unit or what it is."
    if reading.unitless_labs:
        return f"In which unit is the {_and(reading.unitless_labs)}? It differs between laboratories, so I do not guess."
    if len(reading.loose_doses) and len(reading.actions) > 1:
        return "I could not tell which drug one of the doses belongs to. Please write each as: drug, dose, route."
    if _SEQUENCE.search(reading.text) and len(reading.actions) + len(reading.unknown_drugs):
        return (
            "I do not simulate one drug after another in a conversation. Ask for each by itself, or for both together; "
            "the command `simulate` chains them with --then."
        )
    if _WHOSE.search(reading.text):
        return "I cannot suppose another sex: change the patient file for that."
    return ""


def _notes(reading: Reading, words: Vocabulary) -> list[str]:
    notes = [f"I read “{d.slip}” as {words.name(d.drug_id)}." for d in reading.drugs if d.slip]
    placed = {word for phrase in reading.unknown_drugs for word in phrase.split()}
    left = [word for word in reading.unknown if word not in placed]
    if left:
        notes.append(f"I did not understand {_and([f'“{word}”' for word in left])} and left it out.")
    if reading.repeated:
        notes.append("The dose is simulated as a single dose.")
    if reading.spread_out:
        notes.append("The time over which a dose is given is not simulated; it counts as one dose.")
    if reading.leads:
        notes.append(
            "Intervals are read from all leads together, not from one lead; the command `plot` draws the leads."
        )
    return notes


# --- topics -----------------------------------------------------------------------------------------------------------

_SEQUENCE = re.compile(
    r"\b(?:then|afterwards|followed by|the next day|next day|day after|a day later|the day after)\b"
)
_WHOSE = re.compile(r"\b(?:were|was|suppose|assum\w+)\s+(?:\w+\s+){0,2}(?:male|female|man|woman)\b")
_HELP = re.compile(
    r"^\W*(?:help|what (?:can|do) you (?:do|know|answer)|how do (?:i|you) (?:use|work)\w*)\b|^\W*$|^\W*(?:hi|hello)\W*$"
)
_WHY = re.compile(r"\b(?:why|how come|what (?:is|are) the reasons?|for what reason)\b")
_TO_ALLOW = re.compile(
    r"\bwhat\b.*\b(?:change|needed|need|missing|have to|take)\b.*\b(?:allow|permit|unblock|possible|give|use)\w*"
)
_REFUSED = re.compile(
    r"\b(?:exclu\w+|block\w*|refus\w+|forbid\w*|ruled? out|not (?:\w+ )?(?:allowed|recommended|safe|permitted|possible|simulated"
    r"|ranked|in the|on the|listed|an option|give|use)|contraindicat\w+|warn\w*|caution|can(?:'t|not)|shouldn't|unsafe|missing"
    r"|dangerous|not)\b"
)
_SURE = re.compile(
    r"\bhow (?:sure|certain|confident|reliable|trustworthy|uncertain)\b|\b(?:uncertain\w*|confidence|certainty|error bars?)\b"
    r"|\bare you (?:sure|certain|confident)\b|\bcan i trust\b"
)
_INTERACT = re.compile(r"\b(?:interact\w*|interfere\w*)\b")
_RANK = re.compile(
    r"\b(?:rank\w*|safest|best|recommend\w*|suggest\w*|prefer\w*|options?|alternatives?|candidates?|least risk|lowest risk"
    r"|what (?:should|would|could|can) (?:i|we|you) (?:give|use|do|start|choose|prescribe)|which (?:\w+[ -]){0,3}(?:drug|agent|medication|medicine|one))\b"
)
_INSTEAD_OF = re.compile(
    r"\b(?:alternatives?|options?|substitutes?|replace\w*|instead|other than|rather than|better than|safer than)\b"
)
_MAY = re.compile(
    r"\b(?:safe(?:ly)?|allowed|permitted|contraindicat\w*|acceptable|okay|ok|unsafe|dangerous|risky|harmful|tolerated?|blocked)\b"
    r"|\b(?:can|may|should|could) (?:i|we|she|he|they|you)\b|\bcheck\b|\bmask\b"
)
_COMPARATIVE = re.compile(r"\b(?:safer|better|worse|compar\w+|versus|vs|difference|rather than|instead)\b")
_EFFECT = re.compile(
    r"\b(?:happen\w*|effects?|affect\w*|do to|does to|prolong\w*|lengthen\w*|shorten\w*|increas\w*|decreas\w*|raise\w*|lower\w*"
    r"|slow\w*|widen\w*|chang\w*|simulat\w*|predict\w*|expect\w*|what if|what about|how about|what would|what will|give\w*|gave"
    r"|start\w*|try|add\w*|compar\w+|versus|vs|safer|better|worse|impact|qtc?|pr|qrs|rate|after|on|with|dose|if)\b"
)
_FOLLOW_UP = re.compile(
    r"^\W*(?:and\b|or\b|what about|how about|but\b|what if|instead|then\b|if\b|now\b|same\b|at\b|suppos|assum|with\b|by\b)"
)
_MEASURED = re.compile(
    r"\b(?:qtc?[bf]?|pr|qrs|rr|jt|intervals?|heart rate|rate|hr|pulse|rhythm|tpeak\w*|t-peak\w*|measure\w*|ecg|ekg|bazett"
    r"|fridericia|bpm|quality|p wave|findings?)\b"
)
_RECORD = re.compile(
    r"\b(?:potassium|magnesium|calcium|sodium|creatinine|glucose|inr|platelets?|digoxin level|labs?|medications?|medicines?"
    r"|drugs? (?:is|does) (?:she|he)|taking|takes|allerg\w+|age|old|sex|weight|lvef|ejection fraction|record|chart|notes|history"
    r"|conditions?|diagnos\w+|goal|indication|blood pressure|pregnant)\b"
)
_KNOWLEDGE = re.compile(
    r"\b(?:mechanism|evidence|source|known|know|rules?|literature|label|why|how does|about|tell me|explain)\b"
)
_INTERVENED = re.compile(
    r"\b(?:after|on|with|if|give|gave|given|giving|start\w*|add\w*|prolong\w*|effects?|do to|does|happen\w*)\b"
)

Answerer = Callable[[Reading, Turns, Vocabulary], Understood]


def _help(*_: object) -> Understood:
    return Understood(reply=HELP)


def _exclusion(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    said = [d for d in reading.drugs if d.role in ("action", "except")] or []
    targets = [_as_said(drug, words) for drug in said] + list(reading.unknown_drugs)
    if not targets:
        targets = list(_last_actions(earlier))
    if not targets:
        return Understood(
            reply="Which drug do you mean? Name it, and I say which rules exclude it and what is missing."
        )
    assume = _assumed(reading, earlier, keep=not said)
    return Understood(tuple(Call("explain_exclusion", {"action": target} | assume) for target in targets))


def _certainty(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    if reading.actions:
        understood = _what_if(reading, earlier, words)
        calls = tuple(
            Call(c.name, c.args | {"k": SURE_K}) if c.name == "simulate" else c for c in understood.calls
        )
        return Understood(calls, understood.notes, understood.reply)
    last = _last_turn(earlier, ("simulate", "rank"))
    if not last:
        return Understood(
            reply="There is no simulated result yet to be sure or unsure about. Ask what a drug would do first."
        )
    return Understood(
        tuple(Call(c.name, c.args | {"k": SURE_K}) for c in last),
        ("The same question again with more samples, because few samples say little about their spread.",),
    )


def _interactions(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    names = [words.name(drug.drug_id) for drug in reading.drugs]
    if not names and not reading.unknown_drugs:
        names = [
            words.name(i)
            for i in dict.fromkeys(
                d.drug_id for a in _last_actions(earlier) for d in read_question(a, words).drugs
            )
        ]
    names += list(reading.unknown_drugs)
    if not names:
        return Understood(reply="Interactions of which drug? Name one or two.")
    return Understood((Call("search_knowledge", {"query": f"{' '.join(names)} interaction"}),))


def _ranking(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    if reading.unknown_drugs and not reading.actions and not reading.goal:
        return Understood(reply=_not_understood(reading))
    args: dict[str, Any] = {}
    goal = reading.goal
    drugs = [words.name(d.drug_id) for d in reading.actions]
    if len(drugs) == 1 and _INSTEAD_OF.search(reading.text):
        goal = goal or next(iter(words.catalogue.get(reading.actions[0].drug_id).goals), None)
        drugs = []
    last = _last_turn(earlier, ("rank",))
    if not goal and not drugs and last and _FOLLOW_UP.search(reading.text):
        args = {key: value for key, value in last[0].args.items() if key in ("goal", "drugs")}
    if goal:
        args["goal"] = goal
    if reading.excepted:
        serving = [d for d in words.catalogue.drugs if d.routes and (goal is None or goal in d.goals)]
        drugs = drugs or [d.name for d in serving]
        drugs = [name for name in drugs if name not in {words.name(i) for i in reading.excepted}]
    if drugs:
        args["drugs"] = drugs
    if reading.hours:
        args["hours"] = reading.hours[0]
    return Understood((Call("rank", args | _assumed(reading, earlier, keep=False)),))


def _permission(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    actions, drugs, notes = [], [], []
    for group in _groups(reading):
        if len(group) == 1 and not group[0].doses:
            drugs.append(words.name(group[0].drug_id))
        else:
            more, said = _actions([group], words)
            actions += more
            notes += said
    actions += list(reading.unknown_drugs)
    if not actions and not drugs:
        actions = list(_last_actions(earlier))
    if not actions and not drugs:
        return Understood(reply="Which drug shall I check? Name it, with a dose if you have one.")
    args: dict[str, Any] = {}
    if actions:
        args["actions"] = actions
    if drugs:
        args["drugs"] = drugs
    return Understood(
        (Call("check_mask", args | _assumed(reading, earlier, keep=not reading.drugs)),), tuple(notes)
    )


def _what_if(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    if _same_question(reading) and earlier and earlier[-1]:
        if earlier[-1][-1].name == "check_mask":
            return _permission(reading, earlier, words)
        if earlier[-1][-1].name == "explain_exclusion":
            return _exclusion(reading, earlier, words)
    actions, notes = _actions(_groups(reading), words)
    actions += list(reading.unknown_drugs)
    last = _last_actions(earlier)
    compares = bool(re.search(r"\b(?:safer|better|worse|compar\w+|versus|vs|difference)\b", reading.text))
    if len(actions) == 1 and compares and last:
        actions = [a for a in last if a not in actions] + actions
    follows = bool(last) and (_FOLLOW_UP.search(reading.text) is not None)
    return _simulate(actions, reading.hours, _assumed(reading, earlier, keep=follows), notes)


def _amended(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    """A follow-up without a drug: the last question with another dose, hour, route or supposition."""
    last = _last_turn(earlier, ("simulate", "rank", "check_mask", "explain_exclusion"))
    if not last:
        asked = (
            "supposed change"
            if reading.assume
            else "dose"
            if reading.loose_doses or reading.scale
            else "time"
        )
        return Understood(
            reply=f"Which drug is the {asked} for? Name it, such as: dofetilide, with a dose and route."
        )
    assume = _assumed(reading, earlier, keep=True)
    if not (reading.scale or reading.loose_doses or reading.loose_route or reading.hours):
        return Understood(tuple(Call(c.name, _without_assumption(c.args) | assume) for c in last))
    actions = list(_last_actions(earlier))
    changed, notes, problem = _with_dose(actions, reading, words)
    if problem:
        return Understood(reply=problem)
    if reading.hours and changed == actions:
        last_simulate = _last_turn(earlier, ("simulate",))
        if not last_simulate:
            return Understood(
                tuple(
                    Call(c.name, _without_assumption(c.args) | {"hours": reading.hours[0]} | assume)
                    for c in last
                    if c.name == "rank"
                )
            )
    return _simulate(changed, reading.hours or _last_hours(earlier), assume, notes)


def _measurement(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    if reading.unknown and _INTERVENED.search(reading.text):
        return Understood(reply=_not_understood(reading))
    if _INTERVENED.search(reading.text) and re.search(
        r"\b(?:after|if|happen\w*|effects?|give|start\w*|prolong\w*)\b", reading.text
    ):
        return Understood(reply="With which drug and dose? I need at least a drug to say what would happen.")
    return Understood((Call("measure_ecg"),))


def _recorded(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    return Understood((Call("read_record"),))


def _knowledge(reading: Reading, earlier: Turns, words: Vocabulary) -> Understood:
    return Understood((Call("search_knowledge", {"query": reading.text}),))


_TOPICS: tuple[tuple[Callable[[Reading], bool], Answerer], ...] = (
    (lambda r: bool(_HELP.search(r.text)), _help),
    (
        lambda r: (
            bool(_TO_ALLOW.search(r.text))
            or bool(_WHY.search(r.text) and (_REFUSED.search(r.text) or r.drugs))
        ),
        _exclusion,
    ),
    (lambda r: bool(_SURE.search(r.text)), _certainty),
    (lambda r: bool(_INTERACT.search(r.text)), _interactions),
    (lambda r: bool(_RANK.search(r.text)) and not (r.actions and _has_dose(r)), _ranking),
    (
        lambda r: bool(r.actions or r.unknown_drugs) and bool(_MAY.search(r.text)) and not _asks_effect(r),
        _permission,
    ),
    (
        lambda r: (
            bool(r.actions) and bool(_EFFECT.search(r.text) or _has_dose(r) or _COMPARATIVE.search(r.text))
        ),
        _what_if,
    ),
    (lambda r: bool(r.actions) and bool(_KNOWLEDGE.search(r.text)), _knowledge),
    (lambda r: bool(r.actions) and len(r.text.split()) <= 4, _what_if),
    (lambda r: bool(r.unknown_drugs), _what_if),
    (lambda r: bool(r.assume or r.scale or r.loose_doses or r.loose_route or r.hours), _amended),
    (
        lambda r: bool(_MAY.search(r.text)) and bool(re.search(r"\b(?:it|that|this|them)\b", r.text)),
        _permission,
    ),
    (
        lambda r: bool(_RECORD.search(r.text)) and not _INTERVENED.search(r.text.replace("on record", "")),
        _recorded,
    ),
    (lambda r: bool(_MEASURED.search(r.text)), _measurement),
    (lambda r: bool(_RECORD.search(r.text)), _recorded),
)


# --- parts ------------------------------------------------------------------------------------------------------------


def _has_dose(reading: Reading) -> bool:
    return any(drug.doses for drug in reading.actions)


def _asks_effect(reading: Reading) -> bool:
    """Whether numbers are asked for, and not only whether it is allowed."""
    return bool(
        re.search(
            r"\b(?:happen\w*|effects?|prolong\w*|qtc?|pr|qrs|how much|compar\w+|safer|better|simulat\w*|what if)\b",
            reading.text,
        )
    )


def _same_question(reading: Reading) -> bool:
    """Whether the last question is asked again of another drug: "and diltiazem?"."""
    said = re.sub(r"\b(?:and|or|what about|how about|instead|then)\b|[?.,!]", " ", reading.text)
    for drug in reversed(reading.drugs):
        said = said.replace(reading.text[drug.start : drug.end], " ")
    for dose in (dose for drug in reading.drugs for dose in (*drug.doses, drug.route or "")):
        said = said.replace(dose, " ")
    return not said.strip()


def _groups(reading: Reading) -> list[list[DrugSaid]]:
    """The drugs that are given together, group by group."""
    groups: list[list[DrugSaid]] = []
    for drug in reading.actions:
        if drug.joined and groups:
            groups[-1].append(drug)
        else:
            groups.append([drug])
    return groups


def _actions(groups: Sequence[Sequence[DrugSaid]], words: Vocabulary) -> tuple[list[str], list[str]]:
    """Actions as the tools read them, and what had to be assumed."""
    actions: list[str] = []
    notes: list[str] = []
    for group in groups:
        options = [_options(drug, words, notes) for drug in group]
        if len(group) == 1:
            actions += options[0]
        else:
            actions.append(" + ".join(choices[0] for choices in options))
    return list(dict.fromkeys(actions)), notes


def _options(drug: DrugSaid, words: Vocabulary, notes: list[str]) -> list[str]:
    name = words.name(drug.drug_id)
    if drug.doses:
        return [" ".join(filter(None, (name, dose, drug.route))) for dose in drug.doses]
    usual = words.usual_dose(drug.drug_id, drug.route)
    if usual is None:
        return [" ".join(filter(None, (name, drug.route)))]
    notes.append(f"No dose was given for {name}, so a usual one is used.")
    return [f"{name} {usual}"]


def _as_said(drug: DrugSaid, words: Vocabulary) -> str:
    return " ".join(filter(None, (words.name(drug.drug_id), *drug.doses[:1], drug.route)))


def _simulate(
    actions: list[str], hours: Sequence[float], assume: dict[str, Any], notes: Sequence[str]
) -> Understood:
    if not actions:
        return Understood(reply=NOT_UNDERSTOOD)
    base = {"actions": actions} | assume
    calls = tuple(Call("simulate", base | {"hours": hour}) for hour in hours) or (Call("simulate", base),)
    return Understood(calls, tuple(notes))


def _with_dose(actions: list[str], reading: Reading, words: Vocabulary) -> tuple[list[str], list[str], str]:
    """The last actions at another dose or by another route: (actions, notes, what has to be asked)."""
    single = [action for action in actions if " + " not in action]
    if not (reading.scale or reading.loose_doses or reading.loose_route):
        return actions, [], ""
    if len(actions) != 1 or not single:
        return [], [], "Which of the drugs do you mean? Name it with its dose."
    drug = read_question(actions[0], words).actions
    if len(drug) != 1 or not drug[0].doses:
        return [], [], "Which drug and dose do you mean? Name them."
    route = reading.loose_route or drug[0].route
    name = words.name(drug[0].drug_id)
    if reading.scale:
        amount, _, unit = drug[0].doses[0].partition(" ")
        doses = [f"{float(amount) * reading.scale:g} {unit}"]
    elif reading.loose_doses:
        doses = list(reading.loose_doses)
    else:
        usual = words.usual_dose(drug[0].drug_id, route)
        if usual is None:
            return [], [], f"{name} is not given that way here."
        return [f"{name} {usual}"], [f"For another route of {name} a usual dose is used."], ""
    return [" ".join(filter(None, (name, dose, route))) for dose in doses], [], ""


def _assumed(reading: Reading, earlier: Turns, keep: bool) -> dict[str, Any]:
    """The `assume` argument: what this question supposes, on top of the last one's if it follows up on it."""
    assumed = Assumptions()
    last = _last_turn(earlier)
    if keep and last and "assume" in last[0].args:
        assumed = Assumptions.model_validate(last[0].args["assume"])
    said = reading.assume.model_dump(exclude_defaults=True)
    kept = [
        lab.model_dump() for lab in assumed.labs if lab.name not in {new.name for new in reading.assume.labs}
    ]
    merged = assumed.model_dump(exclude_defaults=True) | said
    if kept or "labs" in said:
        merged["labs"] = [*kept, *said.get("labs", ())]
    return {"assume": merged} if merged else {}


def _without_assumption(args: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in args.items() if key != "assume"}


def _last_turn(earlier: Turns, names: Sequence[str] = ()) -> list[Call]:
    """The calls of these names in the last turn that made any."""
    for turn in reversed(earlier):
        found = [call for call in turn if not names or call.name in names]
        if found:
            return found
    return []


def _last_actions(earlier: Turns) -> tuple[str, ...]:
    """The actions spoken of last."""
    found: list[str] = []
    for call in _last_turn(earlier, ("simulate", "check_mask", "explain_exclusion")):
        found += call.args.get("actions") or call.args.get("drugs") or [call.args.get("action")]
    return tuple(dict.fromkeys(filter(None, found)))


def _last_hours(earlier: Turns) -> tuple[float, ...]:
    last = _last_turn(earlier, ("simulate",))
    return (last[-1].args["hours"],) if last and last[-1].args.get("hours") else ()


def _not_understood(reading: Reading) -> str:
    if not reading.unknown:
        return NOT_UNDERSTOOD
    return f"I do not know {_and([f'“{word}”' for word in reading.unknown])}. {NOT_UNDERSTOOD}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
