"""The Clinical Action Space Mask: a verdict and its rules for every action. Pure functions of their inputs.

A rule speaks of one drug, or of a drug and a partner. So the verdict of any combination is made of
the outcomes of its drugs and of its pairs, each worked out once per patient: tens of thousands of
combinations cost little more than their drugs. Order never matters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from knowledge.chart import Chart
from knowledge.conditions import ALWAYS, Condition, Evidence, Truth, Value
from knowledge.conflicts import conflicts
from knowledge.doses import DrugDose, GivenAction, convert_dose
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError
from knowledge.findings import EcgFindings
from knowledge.medications import Taken, resolve_medications, substances
from knowledge.patient import Patient
from knowledge.rules import DoseTest, Rule
from knowledge.verdicts import FiredRule, Verdict, conclude, gather

__all__ = ["FiredRule", "Mask", "Verdict", "judge"]

# Where no weight is known, a test per kg is decided only if it comes out the same at both of these.
ADULT_WEIGHTS_KG = (30.0, 250.0)


@dataclass(frozen=True)
class _Prepared:
    """A rule with its drugs written out."""

    rule: Rule
    drugs: frozenset[str]
    partners: frozenset[str]
    condition: Condition | None

    @property
    def tests_dose(self) -> bool:
        """Whether it matters how much is given."""
        return self.rule.dose is not None or self.rule.partner_dose is not None


@dataclass
class _Index:
    """Rules by the drugs they concern."""

    solo: dict[str, list[_Prepared]] = field(default_factory=dict)
    subject: dict[str, list[_Prepared]] = field(default_factory=dict)
    partner: dict[str, list[_Prepared]] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _prepare(rules: tuple[Rule, ...], catalogue: Catalogue) -> _Index:
    """Rules indexed by drug; the same for every patient, so worked out once."""
    index = _Index()
    for rule in rules:
        drugs = _drugs(rule.drugs, rule.but_not, catalogue)
        partners = _drugs(rule.partners, rule.partners_but_not, catalogue)
        prepared = _Prepared(rule, drugs, partners, rule.condition())
        for drug_id in drugs:
            (index.subject if partners else index.solo).setdefault(drug_id, []).append(prepared)
        for drug_id in partners:
            index.partner.setdefault(drug_id, []).append(prepared)
    return index


def _drugs(names: Iterable[str], but_not: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    named = frozenset[str]().union(*(catalogue.members(name) for name in names))
    return named.difference(*(catalogue.members(name) for name in but_not))


def judge(
    actions: Sequence[GivenAction],
    patient: Patient | None,
    findings: EcgFindings | None,
    catalogue: Catalogue,
    rules: Sequence[Rule],
) -> list[Verdict]:
    """One verdict for each action, in order. Raises CatalogueError when a rule names what is no drug or class."""
    mask = Mask(patient, findings, catalogue, rules)
    return [mask.verdict(action) for action in actions]


class Mask:
    """The rules, applied to one patient. Keeps the outcome of every dose and of every pair."""

    def __init__(
        self,
        patient: Patient | None,
        findings: EcgFindings | None,
        catalogue: Catalogue,
        rules: Sequence[Rule],
    ) -> None:
        listed = patient.medications if patient else None
        self._listed = listed is not None
        self._taken, self._unknown_medications = resolve_medications(listed or (), catalogue)
        self._catalogue = catalogue
        self._chart = Chart(
            patient, findings, self._taking() if self._listed else None, self._unknown_medications
        )
        self._conflicts = tuple(conflicts(self._chart))
        self._allergies = _allergies(patient, catalogue)
        self._index = _prepare(tuple(rules), catalogue)
        self._charts: dict[str, Truth] = {}
        self._singles: dict[DrugDose, tuple[FiredRule, ...]] = {}
        self._between: dict[tuple[str, str], tuple[tuple[_Prepared, bool], ...]] = {}
        self._pairs: dict[tuple[object, ...], tuple[FiredRule, ...]] = {}

    def _taking(self) -> frozenset[str]:
        """The drugs surely taken now, and their classes."""
        drugs = {taken.drug_id for taken in self._taken if taken.sure}
        return frozenset(drugs).union(*(self._catalogue.classes_of(drug_id) for drug_id in drugs))

    def verdict(self, action: GivenAction) -> Verdict:
        """The verdict of one action."""
        outcomes = [outcome for dose in action.doses for outcome in self._single(dose)]
        for one, other in combinations(action.doses, 2):
            outcomes += self._pair(one, other)
        return conclude(action, outcomes)

    def _single(self, dose: DrugDose) -> tuple[FiredRule, ...]:
        if dose not in self._singles:
            self._singles[dose] = tuple(gather(self._judge_single(dose)))
        return self._singles[dose]

    def _pair(self, one: DrugDose, other: DrugDose) -> tuple[FiredRule, ...]:
        """What two doses do to each other. Unless a rule tests a dose, drugs and routes settle it."""
        drugs = (one.drug_id, other.drug_id)
        if drugs not in self._between:
            self._between[drugs] = self._rules_between(*drugs)
        rules = self._between[drugs]
        if not rules:
            return ()
        tested = any(prepared.tests_dose for prepared, _ in rules)
        key = (one, other) if tested else (*drugs, one.route, other.route)
        if key not in self._pairs:
            self._pairs[key] = tuple(
                outcome
                for prepared, swapped in rules
                for outcome in self._judge_pair(prepared, *((other, one) if swapped else (one, other)))
            )
        return self._pairs[key]

    def _rules_between(self, one: str, other: str) -> tuple[tuple[_Prepared, bool], ...]:
        """The rules of two drugs; True with those that speak of the other first."""
        if one == other:
            return ()
        ahead = ((p, False) for p in self._open(self._index.subject, one) if other in p.partners)
        behind = ((p, True) for p in self._open(self._index.subject, other) if one in p.partners)
        return (*ahead, *behind)

    def _judge_pair(self, prepared: _Prepared, subject: DrugDose, partner: DrugDose) -> Iterator[FiredRule]:
        rule = prepared.rule
        given = self._fits(subject, rule.route, rule.dose)
        beside = self._fits(partner, rule.partner_route, rule.partner_dose, said="with")
        yield from self._outcome(prepared, given, beside)

    def _judge_single(self, dose: DrugDose) -> Iterator[FiredRule]:
        """What the dose does alone, and with what the patient takes."""
        yield from self._limits(dose)
        for prepared in self._open(self._index.solo, dose.drug_id):
            rule = prepared.rule
            given = self._fits(dose, rule.route, rule.dose)
            yield from self._outcome(prepared, given, self._allergic(rule, dose.drug_id))
        for prepared in self._open(self._index.subject, dose.drug_id):
            rule = prepared.rule
            given = self._fits(dose, rule.route, rule.dose)
            for taken in self._taken_of(prepared.partners, dose):
                on = self._on(taken, rule, rule.partner_route, rule.partner_dose)
                yield from self._outcome(prepared, given, on)
        for prepared in self._open(self._index.partner, dose.drug_id):
            rule = prepared.rule
            given = self._fits(dose, rule.partner_route, rule.partner_dose)
            for taken in self._taken_of(prepared.drugs, dose):
                yield from self._outcome(prepared, given, self._on(taken, rule, rule.route, rule.dose))
        yield from self._remarks(dose)

    def _open(self, rules: dict[str, list[_Prepared]], drug_id: str) -> Iterator[_Prepared]:
        """The rules of a drug that this chart does not rule out."""
        return (
            prepared for prepared in rules.get(drug_id, ()) if self._chart_of(prepared).value is not False
        )

    def _taken_of(self, drugs: frozenset[str], dose: DrugDose) -> list[Taken | None]:
        """Which of the drugs the patient takes, other than the dose's own; [None] when no list was given."""
        if not self._listed:
            return [None]
        return [taken for taken in self._taken if taken.drug_id in drugs and taken.drug_id != dose.drug_id]

    def _remarks(self, dose: DrugDose) -> Iterator[FiredRule]:
        """What has to be said of the dose and the chart beside all rules."""
        for taken in self._taken:
            if taken.drug_id == dose.drug_id:
                text = f"The patient takes {taken.text} already: it counts toward the largest daily dose"
                yield FiredRule("D03", "C", text, "policy", {"takes": taken.text, "given": str(dose)})
        if codes := self._chart.unreadable():
            text = f"Diagnoses in a code that is not read here, and so not looked at: {', '.join(codes)}"
            yield FiredRule("D04", "C", text, "policy", {"codes": ", ".join(codes)})
        for conflict in self._conflicts:
            if conflict.facts & self._facts_of(dose.drug_id):
                yield FiredRule("D05", "C", conflict.text, "policy", conflict.evidence)
        if self._unknown_medications:
            names = ", ".join(self._unknown_medications)
            text = f"Not in the catalogue, so their interactions were not checked: {names}"
            yield FiredRule("D01", "C", text, "policy", {"medications": names})

    def _facts_of(self, drug_id: str) -> frozenset[str]:
        """The facts that rules about a drug read."""
        rules = (*self._index.solo.get(drug_id, ()), *self._index.subject.get(drug_id, ()))
        return frozenset[str]().union(*(p.condition.facts for p in rules if p.condition))

    def _outcome(self, prepared: _Prepared, *parts: Truth) -> Iterator[FiredRule]:
        """The rule, if it holds or cannot be decided for these parts and this chart."""
        rule = prepared.rule
        truths = (*parts, self._chart_of(prepared))
        if any(truth.value is False for truth in truths):
            return
        evidence = {name: value for truth in truths for name, value in truth.evidence.items()}
        missing = tuple(dict.fromkeys(name for truth in truths for name in truth.missing))
        yield FiredRule(rule.id, rule.severity, rule.text, rule.source, evidence, missing, rule.kind)

    def _chart_of(self, prepared: _Prepared) -> Truth:
        """What the chart says to a rule, worked out once."""
        rule = prepared.rule
        if rule.id not in self._charts:
            if rule.needs:
                missing = tuple(dict.fromkeys(n for fact in rule.needs for n in self._chart.missing(fact)))
                truth = Truth(None if missing else False, {}, missing)
            else:
                truth = prepared.condition.holds(self._chart) if prepared.condition else ALWAYS
            self._charts[rule.id] = truth
        return self._charts[rule.id]

    def _fits(
        self, dose: DrugDose, routes: tuple[str, ...] | None, test: DoseTest | None, said: str = "given"
    ) -> Truth:
        """Whether a dose that is given is by such a route and of such a size."""
        if routes is not None and dose.route not in routes:
            return Truth(False, {})
        if test is None:
            return Truth(True, {said: f"{self._catalogue.get(dose.drug_id).name} {dose.route}"})
        return self._sized(test, dose.dose, dose.unit, {said: str(dose)})

    def _sized(self, test: DoseTest, dose: float | None, unit: str | None, evidence: Evidence) -> Truth:
        """A test of a dose; per kg it needs the weight, and an infusion is not measured in bolus units."""
        if dose is None or unit is None:
            return Truth(None, evidence, ("dose",))
        if "/kg" in test.unit and "/kg" not in unit:
            weight = self._chart.value("weight_kg")
            weights = list(ADULT_WEIGHTS_KG) if weight is None else [float(weight)]
            evidence = evidence if weight is None else {**evidence, "weight_kg": weight}
        else:
            weights = []
        try:
            said = {test.holds(value) for value in _in_unit(dose, unit, test.unit, weights)}
        except DoseError:
            return Truth(False, evidence)
        return Truth(said.pop(), evidence) if len(said) == 1 else Truth(None, evidence, ("weight_kg",))

    def _on(
        self, taken: Taken | None, rule: Rule, routes: tuple[str, ...] | None, test: DoseTest | None
    ) -> Truth:
        """Whether the patient is on a partner: sure of the drug, its route, its dose, and not washed out."""
        if taken is None:
            return Truth(None, {}, ("medications",))
        evidence: dict[str, Value | str] = {"takes": taken.text}
        if taken.hours_ago:
            evidence["last_taken_hours_ago"] = taken.hours_ago
        if self._washed_out(taken, rule):
            return Truth(False, evidence)
        missing = [] if taken.sure else [f"medications: which drug is {taken.text!r}?"]
        if routes is not None:
            if taken.route is None:
                missing.append(f"medications: route of {taken.text}")
            elif taken.route not in routes:
                return Truth(False, evidence)
        if test is not None:
            sized = self._sized(test, taken.dose, taken.unit, evidence)
            if sized.value is False:
                return sized
            if sized.value is None:
                missing.append(f"medications: dose of {taken.text}")
        return Truth(None if missing else True, evidence, tuple(missing))

    def _washed_out(self, taken: Taken, rule: Rule) -> bool:
        if taken.hours_ago is None:
            return False
        if rule.within_h is not None:
            return taken.hours_ago > rule.within_h
        half_life_h = self._catalogue.get(taken.drug_id).longest_half_life_h
        return half_life_h is not None and taken.hours_ago > rule.within_half_lives * half_life_h

    def _allergic(self, rule: Rule, drug_id: str) -> Truth:
        """Whether an allergy on record is one the rule means; ALWAYS for a rule that means none."""
        if not rule.allergens:
            return ALWAYS
        if self._allergies is None:
            return Truth(None, {}, ("allergies",))
        for substance, drugs in self._allergies:
            for allergen in rule.allergens:
                if allergen == "itself":
                    hit = drug_id in drugs
                elif allergen == "same_class":
                    hit = any(
                        {drug_id, *drugs} <= self._catalogue.members(name) and drugs for name in rule.drugs
                    )
                elif allergen in self._catalogue.classes:
                    hit = bool(drugs & self._catalogue.members(allergen))
                else:
                    hit = allergen in substance.lower()
                if hit:
                    return Truth(True, {"allergy": substance})
        return Truth(False, {})

    def _limits(self, dose: DrugDose) -> Iterator[FiredRule]:
        """The largest single dose of the catalogue."""
        drug = self._catalogue.get(dose.drug_id)
        route = drug.route(dose.route)
        limit = route.max_single if route.max_single is not None else route.max_daily
        value = convert_dose(dose.dose, dose.unit, route.unit)
        if limit is not None and value > limit:
            text = f"{drug.name} {route.route}: {value:g} {route.unit} is over the maximum of {limit:g} {route.unit}"
            yield FiredRule("R105", "B", text, route.source, {"given": str(dose), "maximum": limit})


def _in_unit(dose: float, unit: str, target: str, weights_kg: Sequence[float]) -> list[float]:
    """The dose in a unit; with weights, per kg at each of them."""
    if not weights_kg:
        return [convert_dose(dose, unit, target)]
    amount, *per = unit.split("/")
    return [convert_dose(dose / weight, "/".join((amount, "kg", *per)), target) for weight in weights_kg]


def _allergies(patient: Patient | None, catalogue: Catalogue) -> list[tuple[str, frozenset[str]]] | None:
    """Substances with the drugs they may be; None when no list of allergies was given."""
    if patient is None or patient.allergies is None:
        return None
    return [(entry.substance, substances(entry.substance, catalogue)) for entry in patient.allergies]
