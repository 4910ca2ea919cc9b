"""What a chat model is shown of a result: the numbers that matter, and text of the record as data."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from agent.prompts import fence
from tools.case import Case
from worldmodel.ecg import LEADS

_FOR_MACHINES = ("samples", "order", "fs_hz", "risk_components", "drawing", "labels", "labels_unknown")
_SENTENCES = {"notes", "indication", "text", "reaction"}
_NAMES = {"id", "name", "substance", "frequency", "dose", "route", "unit", "code", "system"}
_PLAIN = re.compile(r"[\w.,+/%()-]+(?: [\w.,+/%()-]+){0,2}", re.ASCII)


def brief(value: Any) -> Any:
    """A result without what only machines read: single samples and empty entries."""
    if isinstance(value, dict):
        kept = {key: brief(item) for key, item in value.items() if key not in _FOR_MACHINES}
        return {key: item for key, item in kept.items() if item not in (None, [], {}, "")}
    return [brief(item) for item in value] if isinstance(value, list) else value


def record_fenced(key: str, value: Any) -> Any:
    """Free text of the record between markers; numbers, flags, times and short names as they are."""
    if isinstance(value, dict):
        return {inner: record_fenced(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [record_fenced(key, item) for item in value]
    return fence(value, key) if _is_free_text(key, value) else value


def quotes_fenced(value: Any, quotes: Sequence[str], key: str = "text") -> Any:
    """A result in which every text that quotes free text of the record is between markers, whole."""
    if isinstance(value, dict):
        return {inner: quotes_fenced(item, quotes, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [quotes_fenced(item, quotes, key) for item in value]
    quoting = isinstance(value, str) and any(quote in value.casefold() for quote in quotes)
    return fence(value, key) if quoting and not value.startswith("<record-") else value


def shown_to_model(value: Any, quotes: Sequence[str]) -> str:
    """A result as the chat model reads it: JSON in which what is quoted of the record stands in a fence."""
    return json.dumps(quotes_fenced(value, quotes), ensure_ascii=False, separators=(",", ":"))


def foreign_texts(case: Case) -> tuple[str, ...]:
    """The texts of the record and of the ECG's file that could give an order, folded to one case."""
    record = case.patient.model_dump(mode="json") if case.patient else {}
    names = [path.name for path in (case.ecg_path, case.patient_path) if path]
    names += [lead for lead in case.ecg.leads if lead not in LEADS] if case.ecg else []
    return (*free_texts(record), *(name.casefold() for name in names if not _is_short(name)))


def free_texts(record: Any, key: str = "") -> Iterator[str]:
    """The texts of a record that could give an order, folded to one case."""
    if isinstance(record, dict):
        for inner, item in record.items():
            yield from free_texts(item, inner)
    elif isinstance(record, list):
        for item in record:
            yield from free_texts(item, key)
    elif _is_free_text(key, record) and not _is_short(record):
        yield record.casefold()


def _is_free_text(key: str, value: Any) -> bool:
    if not isinstance(value, str) or key not in _SENTENCES | _NAMES:
        return False
    return key in _SENTENCES or not _is_short(value)


def _is_short(text: str) -> bool:
    """A short code or name, which is too short to give an order: "potassium", "I50.22", "25 mg"."""
    return not text.strip() or (len(text) <= 24 and _PLAIN.fullmatch(text) is not None)
