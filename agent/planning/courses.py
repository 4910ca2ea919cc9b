"""Drugs one after the other, and leads before and after: what to call, or what to ask back."""

from dataclasses import replace
from typing import Any

from agent.planning import showing, topics
from agent.planning.arguments import actions_of, assumed, groups_of
from agent.planning.asked import Question, Understood
from agent.planning.memory import Call, last_actions, last_hours, last_turn

DAY_H = 24.0
AFTER_WHICH = "After which drug? Name both, each with its dose and route."
NO_TIME = "No time was given, so each next dose comes when the one before has its peak effect."


def course(asked: Question) -> Understood:
    """One drug after the other; a single one is added to what was simulated before."""
    reading = asked.reading
    groups, before = groups_of(reading), last_turn(asked.earlier, ("simulate", "roll_out"))
    one_drug = len(groups) == 1 and len(groups[0]) == 1
    if one_drug and reading.loose_doses:
        (drug,) = groups[0]
        again = (*drug.doses, *reading.loose_doses)
        groups = [[replace(drug, doses=again, route=drug.route or reading.loose_route)]]
    if not one_drug and any(len(drug.doses) > 1 for group in groups for drug in group):
        return Understood(reply="Which of the doses? A course has one for each of its steps.")
    hours = reading.hours or ((DAY_H,) if topics.NEXT_DAY.search(asked.text) else ())
    if len(hours) > 1:
        return Understood(reply="I take one time for all steps of a course. Which one shall it be?")
    said, notes = actions_of(groups, asked.words)
    steps = [*said, *reading.unknown_drugs]
    when: dict[str, Any] = {"hours": hours[0]} if hours else {}
    added = len(steps) == 1
    if added:
        steps = [*last_actions(asked.earlier), *steps] if before else steps
        if len(steps) < 2 or (before[0].name == "simulate" and len(steps) > 2):
            return Understood(reply=AFTER_WHICH)
        when = {key: value for key, value in before[0].args.items() if key == "hours"} | when
        when = when if hours or before[0].name == "roll_out" else {}
    assume = assumed(reading, asked.earlier, keep=added)
    notes += [] if when else [NO_TIME]
    return Understood((Call("roll_out", {"steps": steps} | when | assume),), tuple(notes))


def drawing(asked: Question) -> Understood:
    """Leads of now, or before and after the one action that is named or was spoken of last."""
    reading = asked.reading
    actions, notes = actions_of(groups_of(reading), asked.words, last_actions(asked.earlier))
    actions += reading.unknown_drugs
    named, after = bool(actions), showing.asks_after(asked.text)
    last = last_turn(asked.earlier, ("simulate", "roll_out", "show_ecg", "rank"))
    if not named and after and last and last[0].name in ("simulate", "show_ecg"):
        actions = list(last_actions(asked.earlier))
    if len(actions) > 1:
        return Understood(reply="Which of them shall I draw? Name one, with its dose and route.")
    if not actions and after:
        return Understood(reply="Before and after which drug? Name it with its dose and route.")
    args: dict[str, Any] = {"leads": showing.leads_asked(asked.text)}
    if actions:
        hours = reading.hours or (() if named else last_hours(asked.earlier))
        args |= {"action": actions[0]} | ({"hours": hours[0]} if hours else {})
        args |= assumed(reading, asked.earlier, keep=not named)
    return Understood((Call("show_ecg", args),), tuple(notes))
