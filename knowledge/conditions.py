"""Conditions of rules: a small language over the facts of a chart, in three-valued logic.

    potassium_mmol_l < 3.5 and not pacemaker
    (qtc_ms > 440 and not ventricular_conduction_abnormality) or qtc_ms > 500

Names are facts of `knowledge.chart`. A fact may be unknown; then Kleene's logic decides: unknown and
False is False, unknown or True is True, all else that touches an unknown stays unknown and names it.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from knowledge.errors import CatalogueError

Value = float | bool | None
Evidence = Mapping[str, Value | str]
_OPERATORS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class Facts(Protocol):
    """Whatever can say the value of a fact, and which inputs it would need where it is unknown."""

    def value(self, name: str) -> Value: ...
    def missing(self, name: str) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Truth:
    """True, False or None (unknown); the facts that were looked at; the inputs an unknown would need."""

    value: bool | None
    evidence: Evidence
    missing: tuple[str, ...] = ()


ALWAYS = Truth(True, {})


@dataclass(frozen=True)
class Condition:
    """A parsed condition. `facts` are the names it reads."""

    text: str
    facts: frozenset[str]
    _tree: ast.expr

    def holds(self, facts: Facts) -> Truth:
        """Decide it on a chart."""
        return _decide(self._tree, facts)


def parse_condition(text: str, known: frozenset[str]) -> Condition:
    """Parse a condition; `known` are the facts there are. Raises CatalogueError."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise CatalogueError(
            f"condition {text!r}: {error.msg}", "Write facts, comparisons, and, or, not."
        ) from error
    names: set[str] = set()
    _check(tree, text, known, names)
    return Condition(text, frozenset(names), tree)


def _check(node: ast.expr, text: str, known: frozenset[str], names: set[str]) -> None:
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                _check(part, text, known, names)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            _check(part, text, known, names)
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in _OPERATORS for op in ops):
            for part in (left, *rights):
                if not _is_number(part):
                    _check(part, text, known, names)
        case ast.Name(id=name) if name in known:
            names.add(name)
        case ast.Name(id=name):
            raise CatalogueError(f"condition {text!r}: no fact is called {name!r}", "See knowledge/chart.py.")
        case _:
            raise CatalogueError(
                f"condition {text!r} uses {ast.unparse(node)!r}", "Only facts, < <= > >=, and, or, not."
            )


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _decide(node: ast.expr, facts: Facts) -> Truth:
    match node:
        case ast.BoolOp(op=op, values=parts):
            return _join([_decide(part, facts) for part in parts], decisive=isinstance(op, ast.Or))
        case ast.UnaryOp(operand=part):
            inner = _decide(part, facts)
            return Truth(None if inner.value is None else not inner.value, inner.evidence, inner.missing)
        case ast.Compare():
            return _compare(node, facts)
        case ast.Name(id=name):
            value = facts.value(name)
            missing = facts.missing(name) if value is None else ()
            return Truth(None if value is None else bool(value), {name: value}, missing)
        case _:
            raise AssertionError("parse_condition lets nothing else through")


def _join(parts: list[Truth], decisive: bool) -> Truth:
    """`or` (decisive True) and `and` (decisive False): one decisive part settles it."""
    settled = [part for part in parts if part.value is decisive]
    unknown = [part for part in parts if part.value is None]
    said = settled or unknown or parts
    evidence: dict[str, Value | str] = {name: value for part in said for name, value in part.evidence.items()}
    if settled:
        return Truth(decisive, evidence)
    if unknown:
        missing = tuple(dict.fromkeys(name for part in unknown for name in part.missing))
        return Truth(None, {name: value for part in parts for name, value in part.evidence.items()}, missing)
    return Truth(not decisive, evidence)


def _compare(node: ast.Compare, facts: Facts) -> Truth:
    evidence: dict[str, Value | str] = {}
    missing: list[str] = []
    numbers: list[float | None] = []
    for part in (node.left, *node.comparators):
        if isinstance(part, ast.Name):
            value = facts.value(part.id)
            evidence[part.id] = value
            numbers.append(None if value is None else float(value))
            missing += facts.missing(part.id) if value is None else ()
        else:
            assert isinstance(part, ast.Constant) and isinstance(part.value, int | float)
            numbers.append(float(part.value))
    if missing or None in numbers:
        return Truth(None, evidence, tuple(dict.fromkeys(missing)))
    pairs = zip(node.ops, numbers, numbers[1:], strict=False)
    holds = all(_OPERATORS[type(op)](a, b) for op, a, b in pairs if a is not None and b is not None)
    return Truth(holds, evidence)
