"""The Clinical Action Space Mask: a verdict and its rules for every action. Pure functions of their inputs.

A rule speaks of one drug, or of a drug and a partner. So the verdict of any combination is made of
the outcomes of its drugs and of its pairs, each worked out once per patient: tens of thousands of
combinations cost little more than their drugs. Order never matters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations

from knowledge.chart import Chart
from knowledge.conditions import ALWAYS, Condition, Evidence, Truth
from knowledge.conflicts import conflicts
from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue
from knowledge.findings import EcgFindings
from knowledge.imported import NOTHING, Imported, KnownPair
from knowledge.limits import over_maximum
from knowledge.matching import Matching, read_allergies
from knowledge.medications import Taken, resolve_medications
from knowledge.patient import Patient
from knowledge.rules import Rule
from knowledge.verdicts import FiredRule, Verdict, conclude, gather

__all__ = ["FiredRule", "Mask", "Verdict", "judge"]


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
def _prepare(
    rules: tuple[Rule, ...], catalogue: Catalogue, more: tuple[tuple[str, frozenset[str]], ...]
) -> _Index:
    """Rules indexed by drug; the same for every patient, so worked out once. more: members of classes beside

    the catalogue's. They widen what a rule speaks of, never what it spares.
    """
    members = dict(more)
    index = _Index()
    for rule in rules:
        drugs = _drugs(rule.drugs, rule.but_not, catalogue, members)
        partners = _drugs(rule.partners, rule.partners_but_not, catalogue, members)
        prepared = _Prepared(rule, drugs, partners, rule.condition())
        for drug_id in drugs:
            (index.subject if partners else index.solo).setdefault(drug_id, []).append(prepared)
        for drug_id in partners:
            index.partner.setdefault(drug_id, []).append(prepared)
    return index


def _drugs(
    names: Iterable[str],
    but_not: Iterable[str],
    catalogue: Catalogue,
    more: Mapping[str, frozenset[str]],
) -> frozenset[str]:
    named = frozenset[str]().union(*(catalogue.members(name) | more.get(name, frozenset()) for name in names))
    return named.difference(*(catalogue.members(name) for name in but_not))


def judge(
    actions: Sequence[GivenAction],
    patient: Patient | None,
    findings: EcgFindings | None,
    catalogue: Catalogue,
    rules: Sequence[Rule],
    imported: Imported = NOTHING,
) -> list[Verdict]:
    """One verdict for each action, in order. Raises CatalogueError when a rule names what is no drug or class.

    imported: rules of the user's, judged beside the others, so that they can only tighten.
    """
    mask = Mask(patient, findings, catalogue, rules, imported)
    return [mask.verdict(action) for action in actions]


class Mask:
    """The rules, applied to one patient. Keeps the outcome of every dose and of every pair."""

    def __init__(
        self,
        patient: Patient | None,
        findings: EcgFindings | None,
        catalogue: Catalogue,
        rules: Sequence[Rule],
        imported: Imported = NOTHING,
    ) -> None:
        listed = patient.medications if patient else None
        self._listed = listed is not None
        self._taken, self._unknown_medications = resolve_medications(listed or (), catalogue)
        self._catalogue = catalogue
        self._chart = Chart(
            patient, findings, self._taking() if self._listed else None, self._unknown_medications
        )
        self._conflicts = tuple(conflicts(self._chart))
        self._matching = Matching(catalogue, self._chart, read_allergies(patient, catalogue))
        self._imported = imported
        self._index = _prepare((*rules, *imported.rules), catalogue, imported.members)
        self._charts: dict[int, Truth] = {}  # by rule as an object: imports may give two rules one id
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
        rules, pairs = self._between[drugs], self._imported.between(*drugs)
        if not rules and not pairs:
            return ()
        tested = any(prepared.tests_dose for prepared, _ in rules)
        key = (one, other) if tested else (*drugs, one.route, other.route)
        if key not in self._pairs:
            judged = (
                outcome
                for prepared, swapped in rules
                for outcome in self._judge_pair(prepared, *((other, one) if swapped else (one, other)))
            )
            self._pairs[key] = (*judged, *(_pair_outcome(pair, {"with": other.drug_id}) for pair in pairs))
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
        given = self._matching.fits(subject, rule.route, rule.dose)
        beside = self._matching.fits(partner, rule.partner_route, rule.partner_dose, said="with")
        yield from self._outcome(prepared, given, beside)

    def _judge_single(self, dose: DrugDose) -> Iterator[FiredRule]:
        """What the dose does alone, and with what the patient takes."""
        yield from over_maximum(dose, self._taken, self._catalogue)
        for prepared in self._open(self._index.solo, dose.drug_id):
            rule = prepared.rule
            given = self._matching.fits(dose, rule.route, rule.dose)
            yield from self._outcome(prepared, given, self._matching.allergic(rule, dose.drug_id))
        for prepared in self._open(self._index.subject, dose.drug_id):
            rule = prepared.rule
            given = self._matching.fits(dose, rule.route, rule.dose)
            for taken in self._taken_of(prepared.partners, dose):
                on = self._matching.on(taken, rule, rule.partner_route, rule.partner_dose)
                yield from self._outcome(prepared, given, on)
        for prepared in self._open(self._index.partner, dose.drug_id):
            rule = prepared.rule
            given = self._matching.fits(dose, rule.partner_route, rule.partner_dose)
            for taken in self._taken_of(prepared.drugs, dose):
                yield from self._outcome(
                    prepared, given, self._matching.on(taken, rule, rule.route, rule.dose)
                )
        yield from self._imported_pairs(dose)
        yield from self._remarks(dose)

    def _imported_pairs(self, dose: DrugDose) -> Iterator[FiredRule]:
        """What imported pairs say of the dose and what is taken; without a list of that the gravest of them is open."""
        if not self._listed and (gravest := self._imported.gravest.get(dose.drug_id)):
            yield _pair_outcome(gravest, {}, ("medications",))
        for taken in self._taken if self._imported.pairs else ():
            pairs = self._imported.between(dose.drug_id, taken.drug_id)
            if pairs and not self._matching.washed_out(taken):
                missing = () if taken.sure else (f"medications: which drug is {taken.text!r}?",)
                yield from (_pair_outcome(pair, {"takes": taken.text}, missing) for pair in pairs)

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
        if coded := [text for text, _ in self._matching.allergies or () if text.startswith("code ")]:
            text = f"An allergy of which only a code is known, and so not looked at: {', '.join(coded)}"
            yield FiredRule("D06", "C", text, "policy", {"allergies": ", ".join(coded)})
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
        if id(prepared) not in self._charts:
            if rule.needs:
                missing = tuple(dict.fromkeys(n for fact in rule.needs for n in self._chart.missing(fact)))
                truth = Truth(None if missing else False, {}, missing)
            else:
                truth = prepared.condition.holds(self._chart) if prepared.condition else ALWAYS
            self._charts[id(prepared)] = truth
        return self._charts[id(prepared)]


def _pair_outcome(pair: KnownPair, evidence: Evidence, missing: tuple[str, ...] = ()) -> FiredRule:
    return FiredRule(pair.id, pair.severity, pair.text, pair.source, evidence, missing, "interaction")
