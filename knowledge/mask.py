"""The Clinical Action Space Mask: a verdict and its rules for every action. Pure functions of their inputs.

A rule speaks of one drug, or of a drug and a partner. So the verdict of any combination is made of
the outcomes of its drugs and of its pairs, each worked out once per patient: tens of thousands of
combinations cost little more than their drugs. Order never matters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from knowledge.chart import LISTS, Chart
from knowledge.conditions import ALWAYS, Condition, Evidence, Truth, Value
from knowledge.doses import DrugDose, GivenAction, convert_dose
from knowledge.drugs import Catalogue
from knowledge.errors import DoseError
from knowledge.findings import EcgFindings
from knowledge.medications import Taken, resolve_medications, substances
from knowledge.patient import Patient
from knowledge.policy import GRAVITY, VerdictName, verdict_of
from knowledge.rules import DoseTest, Rule

# Where no weight is known, a test per kg is decided only if it comes out the same at both of these.
ADULT_WEIGHTS_KG = (30.0, 250.0)
_LIST_NAMES = {"conditions": "diagnoses", "medications": "medications", "allergies": "allergies"}


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that holds, with the values it looked at; or, with `missing`, one that cannot be decided."""

    id: str
    severity: str
    text: str
    source: str
    evidence: Evidence
    missing: tuple[str, ...] = ()
    kind: str = ""

    @property
    def verdict(self) -> VerdictName:
        """What this rule alone would lead to."""
        return verdict_of(self.severity, self.missing, self.kind)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one action: its rules, gravest first, the inputs it lacks, and the reason in a sentence."""

    action: GivenAction
    verdict: VerdictName
    rules: tuple[FiredRule, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class _Prepared:
    """A rule with its drugs written out."""

    rule: Rule
    drugs: frozenset[str]
    partners: frozenset[str]
    condition: Condition | None


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
        self._chart = Chart(patient, findings, self._taking() if self._listed else None)
        self._allergies = _allergies(patient, catalogue)
        self._index = _prepare(tuple(rules), catalogue)
        self._charts: dict[str, Truth] = {}
        self._singles: dict[DrugDose, tuple[FiredRule, ...]] = {}
        self._pairs: dict[tuple[DrugDose, DrugDose], tuple[FiredRule, ...]] = {}

    def _taking(self) -> frozenset[str]:
        """The drugs surely taken now, and their classes."""
        drugs = {taken.drug_id for taken in self._taken if taken.sure}
        return frozenset(drugs).union(*(self._catalogue.classes_of(drug_id) for drug_id in drugs))

    def verdict(self, action: GivenAction) -> Verdict:
        """The verdict of one action."""
        outcomes = [outcome for dose in action.doses for outcome in self._single(dose)]
        for one, other in combinations(action.doses, 2):
            if one.drug_id != other.drug_id:
                outcomes += self._pair(one, other)
        return _conclude(action, outcomes)

    def _single(self, dose: DrugDose) -> tuple[FiredRule, ...]:
        if dose not in self._singles:
            self._singles[dose] = tuple(self._judge_single(dose))
        return self._singles[dose]

    def _pair(self, one: DrugDose, other: DrugDose) -> tuple[FiredRule, ...]:
        if (one, other) not in self._pairs:
            pair = (*self._judge_pair(one, other), *self._judge_pair(other, one))
            self._pairs[one, other] = self._pairs[other, one] = pair
        return self._pairs[one, other]

    def _judge_single(self, dose: DrugDose) -> Iterator[FiredRule]:
        """What the dose does alone, and with what the patient takes."""
        yield from self._limits(dose)
        for prepared in self._index.solo.get(dose.drug_id, ()):
            rule = prepared.rule
            yield from self._outcome(prepared, self._given(rule, dose), self._allergic(rule, dose.drug_id))
        as_subject = self._index.subject.get(dose.drug_id, ())
        as_partner = self._index.partner.get(dose.drug_id, ())
        if not self._listed:
            untold = Truth(None, {}, ("medications",))
            for prepared in (*as_subject, *as_partner):
                yield from self._outcome(prepared, untold)
        for taken in self._taken:
            if taken.drug_id == dose.drug_id:
                yield from self._again(taken, dose)
                continue
            for prepared in as_subject:
                if taken.drug_id in prepared.partners:
                    rule = prepared.rule
                    on = self._on(taken, rule, rule.partner_route, rule.partner_dose)
                    yield from self._outcome(prepared, self._given(rule, dose), on)
            for prepared in as_partner:
                if taken.drug_id in prepared.drugs:
                    rule = prepared.rule
                    on = self._on(taken, rule, rule.route, rule.dose)
                    yield from self._outcome(prepared, self._given_partner(rule, dose), on)
        if self._unknown_medications:
            names = ", ".join(self._unknown_medications)
            text = f"Not in the catalogue, so their interactions were not checked: {names}"
            yield FiredRule("D01", "C", text, "policy", {"medications": names})

    def _again(self, taken: Taken, dose: DrugDose) -> Iterator[FiredRule]:
        """The patient takes this drug already."""
        text = f"The patient takes {taken.text} already: it counts toward the largest daily dose"
        yield FiredRule("D03", "C", text, "policy", {"takes": taken.text, "given": str(dose)})

    def _judge_pair(self, subject: DrugDose, partner: DrugDose) -> Iterator[FiredRule]:
        for prepared in self._index.subject.get(subject.drug_id, ()):
            if partner.drug_id in prepared.partners:
                rule = prepared.rule
                yield from self._outcome(
                    prepared, self._given(rule, subject), self._given_partner(rule, partner)
                )

    def _outcome(self, prepared: _Prepared, *parts: Truth) -> Iterator[FiredRule]:
        """The rule, if it holds or cannot be decided for these parts and this chart."""
        rule = prepared.rule
        if any(part.value is False for part in parts):
            return
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

    def _given(self, rule: Rule, dose: DrugDose) -> Truth:
        return self._fits(dose, rule.route, rule.dose)

    def _given_partner(self, rule: Rule, dose: DrugDose) -> Truth:
        return self._fits(dose, rule.partner_route, rule.partner_dose)

    def _fits(self, dose: DrugDose, routes: tuple[str, ...] | None, test: DoseTest | None) -> Truth:
        """Whether a dose that is given is by such a route and of such a size."""
        if routes is not None and dose.route not in routes:
            return Truth(False, {})
        evidence: dict[str, Value | str] = {"given": str(dose)}
        return self._sized(test, dose.dose, dose.unit, evidence) if test else Truth(True, evidence)

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

    def _on(self, taken: Taken, rule: Rule, routes: tuple[str, ...] | None, test: DoseTest | None) -> Truth:
        """Whether the patient is on a partner: sure of the drug, its route, its dose, and not washed out."""
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


def _conclude(action: GivenAction, outcomes: list[FiredRule]) -> Verdict:
    """The gravest of the outcomes, with all of them."""
    if not outcomes:
        return Verdict(action, "allowed", reason="No rule objects.")
    kept = _strongest(_gathered(outcomes))
    worst = kept[0].verdict
    missing = tuple(dict.fromkeys(name for outcome in kept for name in outcome.missing))
    return Verdict(action, worst, kept, missing, _reason(worst, kept))


def _reason(verdict: VerdictName, rules: Sequence[FiredRule]) -> str:
    deciding = [rule for rule in rules if rule.verdict == verdict]
    if verdict == "cannot_evaluate":
        needed = ", ".join(dict.fromkeys(name for rule in deciding for name in rule.missing))
        return f"Cannot be judged without {needed}: {deciding[0].text} ({deciding[0].id})"
    return f"{deciding[0].text} ({deciding[0].id})"


def _gathered(outcomes: Iterable[FiredRule]) -> Iterator[FiredRule]:
    """Rules that only want a whole list, gathered to one outcome for each list."""
    wanting: dict[str, list[FiredRule]] = {}
    for outcome in outcomes:
        if outcome.missing and outcome.kind != "data" and LISTS.issuperset(outcome.missing):
            wanting.setdefault(outcome.missing[0], []).append(outcome)
        else:
            yield outcome
    for name, rules in wanting.items():
        ids = ", ".join(sorted({rule.id for rule in rules}))
        gravest = max(rules, key=lambda rule: GRAVITY[rule.verdict])
        text = f"No list of {_LIST_NAMES[name]} was given: {ids} could not be decided"
        yield FiredRule(f"D-{name}", gravest.severity, text, "policy", {"rules": ids}, (name,))


def _strongest(outcomes: Iterable[FiredRule]) -> tuple[FiredRule, ...]:
    """Each rule once, in its gravest outcome; the gravest first, ties by id."""
    best: dict[str, FiredRule] = {}
    for outcome in outcomes:
        known = best.get(outcome.id)
        if known is None or GRAVITY[outcome.verdict] > GRAVITY[known.verdict]:
            best[outcome.id] = outcome
    return tuple(sorted(best.values(), key=lambda outcome: (-GRAVITY[outcome.verdict], outcome.id)))
