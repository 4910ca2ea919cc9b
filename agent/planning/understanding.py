"""What a question asks: the tools to call and their arguments, or what to say instead.

Topics in a fixed order, first match first; pure functions of the question and of what was called before.
Where a drug, a dose or a number cannot be placed, it is asked for: a wrong drug is worse than no answer.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from agent.planning import showing, topics
from agent.planning.arguments import actions_of, as_said, assumed, at_another_dose, groups_of
from agent.planning.asked import Question, Understood, listed
from agent.planning.courses import course, drawing
from agent.planning.memory import Call, Turns, last_actions, last_hours, last_turn
from agent.planning.reading import Reading, read_question
from agent.planning.vocabulary import Vocabulary
from knowledge.doses import has_negative_number
from worldmodel.ecg import LEADS

AMBIGUOUS = re.compile(r"(?<![\w.,])[1-9]\d{0,2}[.,]\d{3}(?![\d.,]*\d)")
SURE_K = 12  # samples for "how sure are you": K = 3 is too few to tell a spread by
HELP = """\
I answer what-if questions about this patient's ECG, for example:
- What happens to the QTc if I give dofetilide, and is verapamil safer?
- And with half the dose? What if potassium were low? (Say the value.)
- Which rate-control drug is safest for her?
- Why is ibutilide excluded?
- What interacts with digoxin?
- What is her QTc?
- How sure are you?
- Start verapamil, then add metoprolol the next day.
- Show me V2-V5 before and after.
Write a dose with its unit, and the route if there are several. Numbers come from the measured ECG, the rules and
the world model; I never make one up."""
NOT_UNDERSTOOD = (
    "I did not understand that question. Ask what a drug and dose would do, whether or why it is allowed, "
    "which drug is safest for a goal, what interacts with a drug, or what is measured; /help shows examples."
)


def understand(question: str, earlier: Turns, words: Vocabulary) -> Understood:
    """The tool calls that answer the question. `earlier`: the calls of each turn before, oldest first."""
    if has_negative_number(question):
        return Understood(
            reply="I read a number with a minus sign, and neither doses nor values have one. Write it without."
        )
    reading = read_question(question, words)
    if problem := _cannot_place(reading):
        return Understood(reply=problem)
    for asks, answer in _TOPICS:
        if asks(reading):
            understood = answer(Question(reading, earlier, words))
            notes = (*_notes(reading, words), *understood.notes)
            return Understood(understood.calls, notes, understood.reply)
    return Understood(reply=_not_understood(reading))


def _cannot_place(reading: Reading) -> str:
    """What must be asked before anything can be answered."""
    if reading.loose:
        return "I could not tell what one of the numbers belongs to. Please name its unit or what it is."
    if reading.unitless_labs:
        labs = listed(reading.unitless_labs)
        return f"In which unit is the {labs}? It differs between laboratories, so I do not guess."
    dosed = topics.has_dose(reading) and not topics.asks_for_course(reading)
    if reading.loose_doses and (len(reading.actions) > 1 or dosed):
        return "I could not tell which drug one of the doses belongs to. Write each as drug, dose, route."
    if topics.TABLETS.search(reading.text):
        return "How much is that in mg or another unit? Tablets and ampoules differ in strength, so I do not guess."
    if AMBIGUOUS.search(reading.text):
        return (
            "Does the mark in that number stand for thousands or for decimals? Write the number without it."
        )
    if reading.scale and any(not drug.doses for drug in reading.actions):
        return "Of which dose? Write the dose that you mean, with its unit."
    if reading.no_leads:
        return f"There is no lead {listed(reading.no_leads)}. The leads are {', '.join(LEADS)}."
    if topics.OTHER_SEX.search(reading.text):
        return "I cannot suppose another sex: change the patient file for that."
    return ""


def _notes(reading: Reading, words: Vocabulary) -> list[str]:
    """What was assumed, mended or passed over."""
    notes = [f"I read “{drug.slip}” as {words.name(drug.drug_id)}." for drug in reading.drugs if drug.slip]
    placed = {word for phrase in reading.unknown_drugs for word in phrase.split()}
    left = [f"“{word}”" for word in reading.unknown if word not in placed]
    if left:
        notes.append(f"I did not understand {listed(left)} and left it out.")
    if reading.repeated:
        notes.append("The dose is taken as a single dose.")
    if reading.spread_out:
        notes.append("The time over which a dose is given is not simulated; it counts as one dose.")
    if reading.leads and not showing.asks_to_see(reading.text):
        notes.append(
            "Intervals are read from all leads together, not from one lead; the command `plot` draws the leads."
        )
    return notes


def _help(_: Question) -> Understood:
    return Understood(reply=HELP)


def _exclusion(asked: Question) -> Understood:
    said = [drug for drug in asked.reading.drugs if drug.role in ("action", "except")]
    targets = [as_said(drug, asked.words) for drug in said] + list(asked.reading.unknown_drugs)
    targets = targets or list(last_actions(asked.earlier))
    if not targets:
        return Understood(
            reply="Which drug do you mean? I then say which rules exclude it and what is missing."
        )
    assume = assumed(asked.reading, asked.earlier, keep=not said)
    return Understood(tuple(Call("explain_exclusion", {"action": target} | assume) for target in targets))


def _certainty(asked: Question) -> Understood:
    if asked.reading.actions:
        effect = _effect(asked)
        return Understood(
            tuple(_with_more_samples(call) for call in effect.calls), effect.notes, effect.reply
        )
    last = last_turn(asked.earlier, ("simulate", "roll_out", "rank"))
    if not last:
        return Understood(reply="There is no simulated result yet. Ask what a drug would do first.")
    note = "The same question again with more samples, because few samples say little about their spread."
    return Understood(tuple(map(_with_more_samples, last)), (note,))


def _with_more_samples(call: Call) -> Call:
    return (
        Call(call.name, call.args | {"k": SURE_K}) if call.name in ("simulate", "roll_out", "rank") else call
    )


def _interactions(asked: Question) -> Understood:
    drugs = asked.reading.drugs
    if not drugs and not asked.reading.unknown_drugs:
        drugs = tuple(
            drug
            for action in last_actions(asked.earlier)
            for drug in read_question(action, asked.words).drugs
        )
    names = list(dict.fromkeys(asked.words.name(drug.drug_id) for drug in drugs)) + list(
        asked.reading.unknown_drugs
    )
    if not names:
        return Understood(reply="Interactions of which drug? Name one or two.")
    return Understood(
        (Call("search_knowledge", {"query": f"{' '.join(names)} interaction", "drugs": names}),)
    )


def _ranking(asked: Question) -> Understood:
    reading, words = asked.reading, asked.words
    if reading.unknown_drugs and not reading.actions and not reading.goal:
        return Understood(reply=_not_understood(reading))
    goal, drugs = reading.goal, [words.name(drug.drug_id) for drug in reading.actions]
    if len(drugs) == 1 and topics.INSTEAD_OF.search(asked.text):
        goal, drugs = goal or next(iter(words.catalogue.get(reading.actions[0].drug_id).goals), None), []
    without = [words.name(drug_id) for drug_id in reading.excepted]
    said = (("goal", goal), ("drugs", drugs), ("without", without))
    args: dict[str, Any] = {key: value for key, value in said if value}
    last = last_turn(asked.earlier, ("rank",))
    if not args and last and topics.FOLLOWS_UP.search(asked.text):
        args = {key: value for key, value in last[0].args.items() if key in ("goal", "drugs")}
    if reading.hours:
        args["hours"] = reading.hours[0]
    return Understood((Call("rank", args | assumed(reading, asked.earlier, keep=False)),))


def _permission(asked: Question) -> Understood:
    groups = groups_of(asked.reading)
    drugs = [asked.words.name(group[0].drug_id) for group in groups if len(group) == 1 and not group[0].doses]
    dosed = [group for group in groups if len(group) > 1 or group[0].doses]
    actions, notes = actions_of(dosed, asked.words)
    actions += asked.reading.unknown_drugs
    if not actions and not drugs:
        actions = list(last_actions(asked.earlier))
    if not actions and not drugs:
        return Understood(reply="Which drug shall I check? Name it, with a dose if you have one.")
    args: dict[str, Any] = {key: value for key, value in (("actions", actions), ("drugs", drugs)) if value}
    assume = assumed(asked.reading, asked.earlier, keep=not asked.reading.drugs)
    return Understood((Call("check_mask", args | assume),), tuple(notes))


def _effect(asked: Question) -> Understood:
    reading = asked.reading
    if topics.names_only_a_drug(reading) and asked.earlier and asked.earlier[-1]:
        again = {"check_mask": _permission, "explain_exclusion": _exclusion}.get(asked.earlier[-1][-1].name)
        if again:
            return again(asked)
    before = list(last_actions(asked.earlier))
    actions, notes = actions_of(groups_of(reading), asked.words, before)
    actions += [*reading.unknown_drugs, *(["no drug"] if reading.no_drug else [])]
    if len(actions) == 1 and topics.COMPARED.search(reading.text):
        actions = [action for action in before if action not in actions] + actions
    follows = bool(before) and topics.FOLLOWS_UP.search(reading.text) is not None
    return _simulate(actions, reading.hours, assumed(reading, asked.earlier, keep=follows), notes)


def _amended(asked: Question) -> Understood:
    """A follow-up without a drug: the last question with another dose, hour, route or supposition."""
    reading = asked.reading
    last = last_turn(
        asked.earlier, ("simulate", "roll_out", "show_ecg", "rank", "check_mask", "explain_exclusion")
    )
    if not last:
        return Understood(reply="Which drug is that for? Name it, with its dose and route.")
    assume = assumed(reading, asked.earlier, keep=True)
    if not (reading.scale or reading.loose_doses or reading.loose_route):
        hours = {"hours": reading.hours[0]} if reading.hours else {}
        if not hours or last[0].name in ("rank", "roll_out", "show_ecg"):
            return Understood(tuple(Call(call.name, call.args | hours | assume) for call in last))
        return _simulate(list(last_actions(asked.earlier)), reading.hours, assume, ())
    changed = at_another_dose(last_actions(asked.earlier), reading, asked.words)
    if changed.problem:
        return Understood(reply=changed.problem)
    hours_then = reading.hours or last_hours(asked.earlier)
    return _simulate(list(changed.actions), hours_then, assume, changed.notes)


def _simulate(
    actions: Sequence[str], hours: Sequence[float], assume: dict[str, Any], notes: Sequence[str]
) -> Understood:
    args = {"actions": list(actions)} | assume
    calls = tuple(Call("simulate", args | {"hours": hour}) for hour in hours) or (Call("simulate", args),)
    return Understood(calls, tuple(notes))


def _measurement(asked: Question) -> Understood:
    if asked.earlier and topics.FOLLOWS_UP.search(asked.text):
        again = [call for call in asked.earlier[-1] if call.name == "simulate"]
        if again:  # "and the PR?" asks it of what was simulated
            return Understood(tuple(again))
    if asked.reading.unknown and topics.INTERVENED.search(asked.text):
        return Understood(reply=_not_understood(asked.reading))
    if topics.TREATED.search(asked.text):
        return Understood(reply="With which drug and dose? I need at least a drug to say what would happen.")
    return Understood((Call("measure_ecg"),))


def _what_passes(_: Question) -> Understood:
    return Understood((Call("check_mask"),))


def _thanks(_: Question) -> Understood:
    return Understood(reply="Ask on whenever you like.")


def _record(_: Question) -> Understood:
    return Understood((Call("read_record"),))


def _knowledge(asked: Question) -> Understood:
    return Understood((Call("search_knowledge", {"query": asked.text}),))


_TOPICS: tuple[tuple[Callable[[Reading], object], Callable[[Question], Understood]], ...] = (
    (lambda r: topics.HELP.search(r.text), _help),
    (lambda r: topics.THANKS.search(r.text) and not r.drugs, _thanks),
    (topics.asks_rule, _knowledge),
    (topics.asks_why, _exclusion),
    (topics.asks_what_passes, _what_passes),
    (lambda r: showing.asks_to_see(r.text), drawing),
    (topics.asks_for_course, course),
    (lambda r: topics.SURE.search(r.text), _certainty),
    (lambda r: topics.INTERACT.search(r.text), _interactions),
    (topics.asks_fact, _knowledge),
    (topics.asks_for_ranking, _ranking),
    (topics.asks_permission, _permission),
    (topics.asks_effect, _effect),
    (lambda r: r.drugs and topics.KNOWN.search(r.text), _knowledge),
    (topics.changes_something, _amended),
    (topics.asks_permission_for_it, _permission),
    (topics.asks_record, _record),
    (lambda r: topics.MEASURED.search(r.text), _measurement),
)


def _not_understood(reading: Reading) -> str:
    if not reading.unknown:
        return NOT_UNDERSTOOD
    return f"I do not know {listed([f'“{word}”' for word in reading.unknown])}. {NOT_UNDERSTOOD}"
