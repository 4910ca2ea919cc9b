"""Every number in an answer must occur in a result of a tool of the same thread.

A number counts as traced when some result holds it up to the rounding in which it is shown, with the
same unit or with none. A sign that is written must be right; a number without sign is a magnitude.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from worldmodel.ecg import LEADS

_UNITS = {
    "ms": ("ms", "msec", "millisecond", "milliseconds"),
    "s": ("s", "sec", "second", "seconds"),
    "min": ("min", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "bpm": ("bpm", "beats/min", "beats per minute", "/min", "per minute"),
    "ug": ("ug", "µg", "μg", "mcg", "microgram", "micrograms"),
    "mg": ("mg", "milligram", "milligrams"),
    "g": ("g", "gram", "grams"),
    "mv": ("mv", "millivolt", "millivolts"),
    "mmol_l": ("mmol/l", "meq/l"),
    "percent": ("%", "percent", "per cent"),
}
_CANONICAL = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_SPELLINGS = "|".join(re.escape(s) for s in sorted(_CANONICAL, key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<sign>[+\-−](?=\d))?(?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?|\.\d+)"
    rf"(?:\s?(?P<unit>{_SPELLINGS})(?![\w]))?(?P<tail>[A-Za-z_]\w*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\b[A-Za-z][A-Za-z_]*-?\d\w*\b")
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_WORDS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}
_SPELLED = re.compile(rf"\b({'|'.join(_WORDS)})\s+({_SPELLINGS})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number as it stands in a text: its value, the decimals shown, and its unit if it has one."""

    text: str
    value: float
    decimals: int
    signed: bool
    unit: str | None


def numbers_in(text: str) -> list[Number]:
    """The numbers of a running text. Names that hold digits (V2, CYP3A4) and list marks are not numbers."""
    plain = _LIST_MARK.sub(" ", text)
    found = [_number(match) for match in _NUMBER.finditer(plain)]
    spelled = [
        Number(m[0], float(_WORDS[m[1].lower()]), 0, False, _CANONICAL[m[2].lower()])
        for m in _SPELLED.finditer(plain)
    ]
    return found + spelled


def _number(match: re.Match[str]) -> Number:
    digits = match["digits"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    value = float(digits) * (-1 if match["sign"] in ("-", "−") else 1)
    unit = _CANONICAL.get(match["unit"].lower()) if match["unit"] else None
    return Number(match[0].strip(), value, decimals, match["sign"] is not None, unit)


def untraced(answer: str, results: Iterable[Any], said: Iterable[str] = ()) -> list[str]:
    """What in `answer` no result holds: numbers with their unit, and names with digits. Empty when all is traced.

    said: what the user has said, whose names with digits may be quoted; its numbers may not.
    """
    results = list(results)
    evidence = [fact for result in results for fact in _facts(result, None)]
    words = {
        label.lower()
        for result in (*results, *said)
        for text in _texts(result)
        for label in _LABEL.findall(text)
    }
    words |= {lead.lower() for lead in LEADS}
    numbers = [n.text for n in numbers_in(answer) if not any(_holds(fact, n) for fact in evidence)]
    labels = [label for label in _LABEL.findall(answer) if label.lower() not in words]
    return list(dict.fromkeys(numbers + labels))


def _holds(fact: tuple[float, str | None], number: Number) -> bool:
    value, unit = fact
    if number.unit == "percent" and unit is None and _rounds_to(value * 100, number):
        return True
    return (unit is None or number.unit is None or unit == number.unit) and _rounds_to(value, number)


def _rounds_to(value: float, number: Number) -> bool:
    if not number.signed:
        value = abs(value)
    return math.isfinite(value) and abs(value - number.value) <= 0.5 * 10**-number.decimals + 1e-9


def _facts(result: Any, unit: str | None) -> Iterator[tuple[float, str | None]]:
    """(value, unit) of every number in a JSON-like result; keys such as `qtcf_ms` give the unit of all below."""
    if isinstance(result, bool) or result is None:
        return
    if isinstance(result, int | float):
        yield float(result), unit
    elif isinstance(result, str):
        yield from ((n.value, n.unit) for n in numbers_in(result))
    elif isinstance(result, dict):
        for key, value in result.items():
            yield from _facts(value, _unit_of_key(str(key)) or unit)
    else:
        for value in result:
            yield from _facts(value, unit)


def _unit_of_key(key: str) -> str | None:
    for suffix in ("mmol_l", "percent"):
        if key.endswith(f"_{suffix}"):
            return suffix
    if key == "hours":
        return "h"
    last = key.rpartition("_")[2]
    return last if "_" in key and last in _UNITS else None


def _texts(result: Any) -> Iterator[str]:
    if isinstance(result, str):
        yield result
    elif isinstance(result, dict):
        for key, value in result.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(result, list | tuple):
        for value in result:
            yield from _texts(value)
