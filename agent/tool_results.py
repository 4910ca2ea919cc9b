"""What a chat model is shown of a result: the numbers that matter, and text of the record as data."""

import re
from typing import Any

from agent.prompts import fence
from agent.state import Json

_FOR_MACHINES = ("samples", "order", "fs_hz", "risk_components")
_OURS = ("given", "rules")  # evidence that the record has no part in
_SENTENCES = {"notes", "indication", "text", "reaction"}
_NAMES = {"id", "name", "substance", "frequency", "dose", "route", "unit", "code", "system"}
_PLAIN = re.compile(r"[\w.,+/%()-]+(?: [\w.,+/%()-]+){0,2}", re.ASCII)


def brief(value: Any) -> Any:
    """A result without what only machines read: single samples and empty entries."""
    if isinstance(value, dict):
        kept = {key: brief(item) for key, item in value.items() if key not in _FOR_MACHINES}
        return {key: item for key, item in kept.items() if item not in (None, [], {}, "")}
    return [brief(item) for item in value] if isinstance(value, list) else value


def record_fenced(record: Json) -> Json:
    """The record with its free text between markers; numbers, flags, times and short names as they are."""
    return {key: _fenced(key, value) for key, value in record.items()}


def evidence_fenced(value: Any) -> Any:
    """A result in which what rules quote from the record, such as an unknown medication, is between markers."""
    if isinstance(value, list):
        return [evidence_fenced(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _evidence(item) if key == "evidence" else evidence_fenced(item) for key, item in value.items()
    }


def _evidence(facts: Json) -> Json:
    return {name: fact if name in _OURS else _quoted(name, fact) for name, fact in facts.items()}


def _quoted(name: str, fact: Any) -> Any:
    if isinstance(fact, list):
        return [_quoted(name, item) for item in fact]
    return fence(fact, name) if isinstance(fact, str) and not _is_plain(fact) else fact


def _fenced(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _fenced(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [_fenced(key, item) for item in value]
    if not isinstance(value, str) or key not in _SENTENCES | _NAMES:
        return value
    return value if key in _NAMES and _is_plain(value) else fence(value, key)


def _is_plain(text: str) -> bool:
    """A short code or name, which is too short to give an order: "potassium", "I50.22", "25 mg"."""
    return len(text) <= 24 and _PLAIN.fullmatch(text) is not None
