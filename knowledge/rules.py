"""Rules of the mask: data with conditions a machine decides, read from `data/rules/*.yaml`."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from knowledge.chart import known_facts
from knowledge.conditions import Condition, parse_condition
from knowledge.drugs import DATA, Confidence, Record, cite, explain, read_yaml
from knowledge.errors import CatalogueError

Severity = Literal["B", "W", "C", "I"]
Kind = Literal[
    "interaction", "disease", "ecg", "lab", "dose", "renal", "hepatic", "allergy",
    "duplicate", "pregnancy", "age", "route", "score", "data", "setting",
]  # fmt: skip
SourceType = Literal[
    "contraindication",
    "boxed warning",
    "warning",
    "dosing",
    "trial exclusion",
    "guideline",
    "review",
    "policy",
]


class Example(Record):
    """One case of a rule: what is given, and how the patient differs from a well one of whom all is known.

    taking: current medications. has: diagnoses as texts. lacks: inputs that are unknown. Other facts by
    name in `patient` (as in the patient file), `labs` (name: value in mmol/L and so on) and `ecg`.
    """

    give: str
    taking: tuple[Any, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    allergic: tuple[str, ...] = ()
    patient: dict[str, Any] = Field(default_factory=dict)
    labs: dict[str, float] = Field(default_factory=dict)
    ecg: dict[str, Any] = Field(default_factory=dict)


class Examples(Record):
    """A case that fires the rule, one that does not, one that cannot be decided (None where none can be)."""

    fires: Example
    silent: Example
    unknown: Example | None = None


class DoseTest(Record):
    """A comparison with the dose given: `> 16 mg`; per kg it needs the weight."""

    op: Literal["<", "<=", ">", ">="]
    value: float
    unit: str

    def holds(self, dose: float) -> bool:
        """Compare a dose, in the unit of the test."""
        return {
            "<": dose < self.value,
            "<=": dose <= self.value,
            ">": dose > self.value,
            ">=": dose >= self.value,
        }[self.op]


class Rule(Record):
    """One rule. It fires for an action that gives one of `drugs` (ids or classes, but none of `but_not`)

    by `route` (None: any) in a dose that passes `dose`, together with, or to a patient who takes, one
    of `partners` (none: no partner needed), and whose chart fulfils `when` (none: any chart).
    allergens: it fires for a patient allergic to one of these: drugs, classes, words, or "itself", or "same_class"
    (of the classes in `drugs`).
    needs: facts without which this drug cannot be judged at all. within_half_lives: how long a partner
    that was stopped still counts; within_h: the same in hours. indication, formulation: for what the
    source says it, where that matters.
    """

    id: str
    kind: Kind
    severity: Severity
    text: str
    drugs: tuple[str, ...] = Field(min_length=1)
    but_not: tuple[str, ...] = ()
    route: tuple[str, ...] | None = None
    dose: DoseTest | None = None
    partners: tuple[str, ...] = ()
    partners_but_not: tuple[str, ...] = ()
    partner_route: tuple[str, ...] | None = None
    partner_dose: DoseTest | None = None
    within_half_lives: float = 5.0
    within_h: float | None = None
    when: str | None = None
    allergens: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    indication: str | None = None
    formulation: str | None = None
    advice: str = ""
    source: str
    source_type: SourceType
    confidence: Confidence
    examples: Examples

    def __hash__(self) -> int:
        return hash(self.id)

    @field_validator("dose", "partner_dose", mode="before")
    @classmethod
    def _read_dose(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"\s*(<=|>=|<|>)\s*([\d.]+)\s*(\S+)\s*", value)
        if match is None:
            raise ValueError(f"{value!r} is no test of a dose such as '> 16 mg'")
        return {"op": match[1], "value": float(match[2]), "unit": match[3]}

    @field_validator("route", "partner_route", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _conditions_parse(self) -> "Rule":
        unknown = set(self.needs) - known_facts()
        if unknown:
            raise ValueError(f"needs unknown facts: {', '.join(sorted(unknown))}")
        try:
            self.condition()
        except CatalogueError as error:
            raise ValueError(error.message) from error
        return self

    def case(self) -> str:
        """What it speaks of, severity and words apart: two rules of one case should not disagree."""
        said = {"id", "kind", "severity", "text", "advice", "source", "source_type", "confidence", "examples"}
        return self.model_dump_json(exclude=said)

    def condition(self) -> Condition | None:
        """`when`, parsed."""
        return parse_condition(self.when, known_facts()) if self.when else None


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """Read every rule file of a folder. Raises CatalogueError on malformed and on repeated rules."""
    rules: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        document = read_yaml(path)
        entries = document.get("rules") if isinstance(document, dict) else None
        sources = document.get("sources") or {} if isinstance(document, dict) else None
        if not isinstance(entries, list) or not isinstance(sources, dict):
            raise CatalogueError(f"{path.name}: no list of rules", "It has `sources:` and `rules:`.")
        for entry in cite(entries, sources):
            try:
                rules.append(Rule.model_validate(entry))
            except ValidationError as error:
                name = entry.get("id", "?") if isinstance(entry, dict) else "?"
                raise CatalogueError(f"{path.name}, {name}: {explain(error)}", "Mend the rule.") from error
    ids = [rule.id for rule in rules]
    twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
    if twice:
        raise CatalogueError(f"rules that occur twice: {', '.join(twice)}", "Give each rule its own id.")
    cases: dict[str, Rule] = {}
    for rule in rules:
        other = cases.setdefault(rule.case(), rule)
        if other.severity != rule.severity:
            raise CatalogueError(
                f"{other.id} and {rule.id} contradict each other: {other.severity} and {rule.severity} of one case",
                "Keep one of the two.",
            )
    return tuple(rules)


@lru_cache(maxsize=1)
def load_rules() -> tuple[Rule, ...]:
    """The rules that ship with the package, read once."""
    return read_rules(DATA / "rules")
