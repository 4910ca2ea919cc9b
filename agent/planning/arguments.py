"""The arguments of a tool call, as the tools read them, from what a question mentions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.assumptions import Assumptions
from agent.planning.memory import Turns, last_turn
from agent.planning.reading import DrugSaid, Reading, read_question
from agent.planning.vocabulary import Vocabulary


@dataclass(frozen=True)
class Changed:
    """Actions at another dose or by another route; or the problem that has to be asked about."""

    actions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


def groups_of(reading: Reading) -> list[list[DrugSaid]]:
    """The drugs that are to be given, those together in one group."""
    groups: list[list[DrugSaid]] = []
    for drug in reading.actions:
        if drug.joined and groups:
            groups[-1].append(drug)
        else:
            groups.append([drug])
    return groups


def actions_of(
    groups: Sequence[Sequence[DrugSaid]], words: Vocabulary, before: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Actions such as "verapamil 120 mg oral", and what had to be assumed for them.

    A drug without a dose has that of the actions spoken of `before`, if it is among them, else a usual one.
    """
    actions: list[str] = []
    notes: list[str] = []
    for group in groups:
        options = [_options(drug, words, before, notes) for drug in group]
        actions += options[0] if len(group) == 1 else [" + ".join(choices[0] for choices in options)]
    return list(dict.fromkeys(actions)), list(dict.fromkeys(notes))


def _options(drug: DrugSaid, words: Vocabulary, before: Sequence[str], notes: list[str]) -> list[str]:
    """One action for each dose said; else as before, or a usual dose, which is noted."""
    name = words.name(drug.drug_id)
    spoken_of = [action for action in before if action.startswith(f"{name} ") and " + " not in action]
    if drug.doses:
        return [_written(name, dose, drug.route) for dose in drug.doses]
    if len(spoken_of) == 1 and drug.route is None:
        return spoken_of
    usual = words.usual_dose(drug.drug_id, drug.route)
    if usual is None:
        return [_written(name, drug.route)]
    notes.append(f"No dose was given for {name}, so a usual one is used.")
    return [_written(name, usual)]


def as_said(drug: DrugSaid, words: Vocabulary) -> str:
    """The drug with the dose and route that were said, and nothing assumed."""
    return _written(words.name(drug.drug_id), *drug.doses[:1], drug.route)


def _written(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def at_another_dose(actions: Sequence[str], reading: Reading, words: Vocabulary) -> Changed:
    """The last action with the dose, the factor or the route of a follow-up."""
    drugs = read_question(actions[0], words).actions if len(actions) == 1 else ()
    if len(drugs) != 1:
        return Changed(problem="Which of the drugs do you mean? Name it with its dose.")
    (drug,) = drugs
    name, route = words.name(drug.drug_id), reading.loose_route or drug.route
    if reading.loose_doses:
        return Changed(tuple(_written(name, dose, route) for dose in reading.loose_doses))
    if reading.scale and drug.doses:
        amount, _, unit = drug.doses[0].partition(" ")
        return Changed((_written(name, f"{float(amount) * reading.scale:g} {unit}", route),))
    if reading.scale:
        return Changed(problem=f"Which dose of {name} do you mean?")
    usual = words.usual_dose(drug.drug_id, route)
    if usual is None:
        return Changed(problem=f"{name} is not given that way here.")
    return Changed((_written(name, usual),), (f"For another route of {name} a usual dose is used.",))


def assumed(reading: Reading, earlier: Turns, keep: bool) -> dict[str, Any]:
    """The `assume` argument: what this question supposes; with `keep`, on top of what the last one did."""
    last = last_turn(earlier)
    before = last[0].args.get("assume", {}) if keep and last else {}
    said = reading.assume.model_dump(exclude_defaults=True)
    merged = before | said
    if "labs" in before and "labs" in said:
        new = {lab["name"] for lab in said["labs"]}
        merged["labs"] = [*(lab for lab in before["labs"] if lab["name"] not in new), *said["labs"]]
    return {"assume": merged} if Assumptions.model_validate(merged) else {}
