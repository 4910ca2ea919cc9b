"""The conversations in `conversations/`, as turns: what is asked, and the tool calls or the words expected."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "conversations"


@dataclass(frozen=True)
class Turn:
    """One question. calls: the tools with their arguments, in order; says: part of the reply where there is none."""

    ask: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    says: str = ""


def _turn(written: dict[str, Any]) -> Turn:
    calls = [(name, args) for call in written.get("calls", ()) for name, args in call.items()]
    return Turn(written["ask"], calls, written.get("says", ""))


def _read(path: Path) -> dict[str, list[Turn]]:
    return {name: list(map(_turn, turns)) for name, turns in yaml.safe_load(path.read_text("utf-8")).items()}


CONVERSATIONS = {name: turns for path in sorted(FOLDER.glob("*.yaml")) for name, turns in _read(path).items()}
