"""Whether the knowledge base holds together, and which of its facts still wait for a clinician."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.doses import convert_dose, parse_action
from knowledge.drugs import Catalogue, Drug, load_catalogue
from knowledge.errors import DoseError, KnowledgeError
from knowledge.names import resolve_drug
from knowledge.rules import Rule, load_rules

NOT_CHECKED = ("memory", "policy")


@dataclass(frozen=True)
class Waiting:
    """A fact from memory, or a choice of ours, that a clinician has to confirm."""

    where: str
    what: str
    confidence: str


@dataclass(frozen=True)
class Report:
    """problems: sentences, none when all is well. waiting: facts that were not read in their source."""

    drugs: int
    routes: int
    rules: int
    problems: tuple[str, ...]
    waiting: tuple[Waiting, ...]


def check() -> Report:
    """Read everything and cross-check it. Raises CatalogueError when a file cannot be read at all."""
    catalogue, rules = load_catalogue(), load_rules()
    problems = (
        *(problem for drug in catalogue for problem in _drug_problems(drug, catalogue)),
        *_rule_problems(rules, catalogue),
    )
    waiting = (*(fact for drug in catalogue for fact in _drug_waits(drug)), *_rules_wait(rules))
    routes = sum(len(drug.routes) for drug in catalogue)
    return Report(len(catalogue.drugs), routes, len(rules), problems, waiting)


def _drug_problems(drug: Drug, catalogue: Catalogue) -> Iterator[str]:
    for name in drug.names:
        found = resolve_drug(name, catalogue)
        if found.drug is not drug:
            yield f"{drug.id}: the name {name!r} does not lead back to it"
    for route in drug.routes:
        if list(route.usual_doses) != sorted(set(route.usual_doses)):
            yield f"{drug.id} {route.route}: usual doses are not in order"
        limit = route.max_single
        if limit is not None and max(route.usual_doses) > limit:
            yield f"{drug.id} {route.route}: a usual dose is over the maximum"
        if route.infusion and "/" not in route.unit:
            yield f"{drug.id} {route.route}: an infusion needs a rate, not {route.unit}"
    if drug.routes and not drug.goals:
        yield f"{drug.id}: can be given, but serves no goal"


def _rule_problems(rules: Sequence[Rule], catalogue: Catalogue) -> Iterator[str]:
    for rule in rules:
        for name in (*rule.drugs, *rule.partners, *rule.but_not, *rule.partners_but_not):
            if name not in catalogue and not catalogue.is_class(name):
                yield f"{rule.id}: {name!r} is neither a drug nor a class"
        if rule.dose is not None:
            yield from _dose_problems(rule, catalogue)
        try:
            parse_action(rule.examples.fires.give, catalogue)
        except KnowledgeError as error:
            yield f"{rule.id}: its example cannot be read: {error.message}"


def _dose_problems(rule: Rule, catalogue: Catalogue) -> Iterator[str]:
    """A limit in a unit that no route of the drug is given in would never hold."""
    assert rule.dose is not None
    for name in rule.drugs:
        for drug_id in catalogue.members(name):
            units = [route.unit for route in catalogue.get(drug_id).routes]
            if units and not any(_converts(unit, rule.dose.unit) for unit in units):
                yield f"{rule.id}: {drug_id} is given in {', '.join(units)}, never in {rule.dose.unit}"


def _converts(unit: str, target: str) -> bool:
    amount, *per = unit.split("/")
    if "/kg" in target and "kg" not in per:
        unit = "/".join((amount, "kg", *per))
    try:
        convert_dose(1.0, unit, target)
    except DoseError:
        return False
    return True


def _drug_waits(drug: Drug) -> Iterator[Waiting]:
    for route in drug.routes:
        if route.confidence in NOT_CHECKED:
            yield Waiting(drug.id, f"doses and pharmacokinetics, {route.route}", route.confidence)
    for name, fact in drug.effects.known().items():
        if fact.confidence in NOT_CHECKED:
            yield Waiting(drug.id, f"effect on {name}: {fact.mean:g} (sd {fact.sd:g})", fact.confidence)


def _rules_wait(rules: Sequence[Rule]) -> Iterator[Waiting]:
    for rule in rules:
        if rule.confidence in NOT_CHECKED:
            yield Waiting(rule.id, rule.text, rule.confidence)
