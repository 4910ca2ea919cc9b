"""Whether the knowledge base holds together, and which of its facts still wait for a clinician."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.doses import convert_dose, parse_action
from knowledge.drugs import Catalogue, Drug, DrugRoute, load_catalogue
from knowledge.errors import DoseError, KnowledgeError
from knowledge.names import look_alikes_listed, names_of_several, resolve_drug
from knowledge.rules import Rule, load_rules

NOT_CHECKED = ("memory", "policy")
MOST_BLOCK = 1.5  # of a channel, where 1 is what dofetilide or a full dose of its kind does


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
        *(problem for drug in catalogue for problem in drug_problems(drug, catalogue)),
        *name_problems(catalogue),
        *_rule_problems(rules, catalogue),
    )
    waiting = (*(fact for drug in catalogue for fact in _drug_waits(drug)), *_rules_wait(rules))
    routes = sum(len(drug.routes) for drug in catalogue)
    return Report(len(catalogue.drugs), routes, len(rules), problems, waiting)


def drug_problems(drug: Drug, catalogue: Catalogue) -> Iterator[str]:
    """What does not hold together in one record."""
    for name in drug.names:
        if resolve_drug(name, catalogue).drug is not drug:
            yield f"{drug.id}: the name {name!r} does not lead back to it"
    for route in drug.routes:
        for problem in _route_problems(route):
            yield f"{drug.id} {route.route}: {problem}"
    for channel, share in drug.mechanism.items():
        if not 0 < share <= MOST_BLOCK:
            yield f"{drug.id}: {channel} is {share:g}, and 1 is full block or drive"
    if drug.channels is not None and set(drug.channels.ic50_nm) != set(drug.channels.hill):
        yield f"{drug.id}: some current has a potency without its Hill coefficient, or the reverse"
    if drug.routes:
        wanted = {"goal": drug.goals, "indication": drug.indications, "ATC code": drug.atc}
        for what in (what for what, value in wanted.items() if not value):
            yield f"{drug.id}: can be given, and has no {what}"
        for organ in (organ for organ in ("renal", "hepatic") if getattr(drug, organ) is None):
            yield f"{drug.id}: can be given, and does not say what {organ} impairment does"


def _route_problems(route: DrugRoute) -> Iterator[str]:
    usual, limit = route.usual_doses, route.max_single
    if list(usual) != sorted(set(usual)):
        yield "usual doses are not in order"
    if limit is not None and max(usual) > limit:
        yield "a usual dose is over the maximum"
    if route.max_daily is not None and max(usual[-1], limit or 0) > route.max_daily:
        yield "a single dose is over the maximum of a day"
    if limit is not None and route.reference_dose > limit and not route.reference_why:
        yield "the reference dose is over the maximum, and reference_why does not say why"
    if route.infusion != ("/min" in route.unit or "/h" in route.unit):
        yield f"an infusion needs a rate, and only an infusion has one, not {route.unit}"
    # Absorption as fast as elimination puts the peak at 1/ke; it cannot come later.
    if not route.infusion and route.tmax_h > route.half_life_h / math.log(2):
        yield "the peak comes later than this half-life allows"
    if not route.infusion and route.observe_hours > route.tmax_h + route.half_life_h:
        yield "it is looked at when its peak has passed"


def name_problems(catalogue: Catalogue) -> Iterator[str]:
    """Lists of names that contradict the catalogue, and codes that two drugs have."""
    for name, ids in names_of_several().items():
        for drug_id in (drug_id for drug_id in ids if drug_id not in catalogue):
            yield f"shared_names.yaml: {name} stands for {drug_id!r}, which is no drug"
    known = {name.lower() for drug in catalogue for name in drug.names}
    for name in sorted(known & look_alikes_listed()):
        yield f"strangers.txt: {name!r} is in the catalogue"
    codes = Counter(drug.rxcui for drug in catalogue if drug.rxcui)
    for code in (code for code, drugs in codes.items() if drugs > 1):
        yield f"RxCUI {code} belongs to several drugs"


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
    facts = [("names, codes, classes and goals", drug.confidence)]
    if drug.mechanism:
        facts.append(("mechanism", drug.mechanism_confidence))
    named = {
        "ion channels": drug.channels,
        "protein binding": drug.binding,
        "renal impairment": drug.renal,
        "hepatic impairment": drug.hepatic,
    }
    facts += [(what, fact.confidence) for what, fact in named.items() if fact is not None]
    for route in drug.routes:
        facts.append((f"doses and pharmacokinetics, {route.route}", route.confidence))
        if route.cmax is not None:
            facts.append((f"peak in plasma, {route.route}", route.cmax.confidence))
    for name, effect in drug.effects.known().items():
        facts.append((f"effect on {name}: {effect.mean:g} (sd {effect.sd:g})", effect.confidence))
    for what, confidence in facts:
        if confidence in NOT_CHECKED:
            yield Waiting(drug.id, what, confidence)


def _rules_wait(rules: Sequence[Rule]) -> Iterator[Waiting]:
    for rule in rules:
        if rule.confidence in NOT_CHECKED:
            yield Waiting(rule.id, rule.text, rule.confidence)
