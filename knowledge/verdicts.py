"""From the outcomes of single rules to the verdict of an action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from knowledge.chart import LISTS
from knowledge.conditions import Evidence
from knowledge.doses import GivenAction
from knowledge.policy import GRAVITY, VerdictName, verdict_of

_LIST_NAMES = {"conditions": "diagnoses", "medications": "medications", "allergies": "allergies"}


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule that holds, with the values it looked at; or, with `missing`, one that cannot be decided.

    verdict: what this rule alone would lead to. rank: its place among others, the gravest first.
    """

    id: str
    severity: str
    text: str
    source: str
    evidence: Evidence
    missing: tuple[str, ...] = ()
    kind: str = ""
    verdict: VerdictName = field(init=False)
    rank: tuple[int, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        verdict = verdict_of(self.severity, self.missing, self.kind)
        object.__setattr__(self, "verdict", verdict)
        object.__setattr__(self, "rank", (-GRAVITY[verdict], self.id))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one action, with its rules, the gravest first."""

    action: GivenAction
    verdict: VerdictName
    rules: tuple[FiredRule, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The inputs that undecided rules need, as named in the patient file or by `measure`."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.missing))

    @property
    def reason(self) -> str:
        """Why, in a sentence: the gravest rule, or what it needs."""
        if not self.rules:
            return "No rule objects."
        deciding = [rule for rule in self.rules if rule.verdict == self.verdict]
        said = f"{deciding[0].text} ({deciding[0].id})"
        if self.verdict == "cannot_evaluate":
            needed = dict.fromkeys(name for rule in deciding for name in rule.missing)
            return f"Cannot be judged without {', '.join(needed)}: {said}"
        return said


def conclude(action: GivenAction, outcomes: Iterable[FiredRule]) -> Verdict:
    """The gravest of the outcomes, with each rule once, in its gravest outcome; ties by id."""
    best: dict[str, FiredRule] = {}
    for outcome in outcomes:
        known = best.get(outcome.id)
        if known is None or outcome.rank < known.rank:
            best[outcome.id] = outcome
    rules = tuple(sorted(best.values(), key=attrgetter("rank")))
    return Verdict(action, rules[0].verdict if rules else "allowed", rules)


def gather(outcomes: Iterable[FiredRule]) -> Iterator[FiredRule]:
    """The outcomes, but those that only want a whole list gathered to one for each list."""
    wanting: dict[str, list[FiredRule]] = {}
    for outcome in outcomes:
        if outcome.missing and outcome.kind != "data" and LISTS.issuperset(outcome.missing):
            wanting.setdefault(outcome.missing[0], []).append(outcome)
        else:
            yield outcome
    for name, rules in wanting.items():
        ids = sorted({rule.id for rule in rules})
        gravest = min(rules, key=attrgetter("rank"))
        undecided = "a rule" if len(ids) == 1 else f"{len(ids)} rules"
        text = f"No list of {_LIST_NAMES[name]} was given, so {undecided} could not be decided"
        yield FiredRule(f"D-{name}", gravest.severity, text, "policy", {"rules": ", ".join(ids)}, (name,))
