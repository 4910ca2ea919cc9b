"""An entry of the knowledge base for people: its facts by name, what is empty left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text


def print_entry(console: Console, entry: Mapping[str, Any]) -> None:
    """One line for a plain fact, an indented list for one that is made of several; every source beside its fact."""
    for depth, name, value in _lines(entry, 0):
        line = Text.assemble((f"{name}: " if value else name, "bold" if depth == 0 else ""), value)
        console.print(Padding(line, (0, 0, 0, 2 * depth)), highlight=False)


def _lines(entry: Mapping[str, Any], depth: int) -> Iterator[tuple[int, str, str]]:
    for key, value in entry.items():
        name = key.replace("_", " ")
        if value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping) and any(isinstance(part, Mapping | list) for part in value.values()):
            yield depth, name, ""
            yield from _lines(value, depth + 1)
        elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
            yield depth, name, ""
            yield from ((depth + 1, _said(part), "") for part in value)
        else:
            yield depth, name, _said(value)


def _said(value: Any) -> str:
    """A value in a line: lists by commas, the parts of a fact as "name value"."""
    if isinstance(value, Mapping):
        known = (
            (key.replace("_", " "), part) for key, part in value.items() if part not in (None, "", [], {})
        )
        return ", ".join(f"{key} {_said(part)}" for key, part in known)
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
