"""What was called in the turns before, which is all the planner remembers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One tool call."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)


Turns = Sequence[Sequence[Call]]


def last_turn(earlier: Turns, names: Sequence[str] = ()) -> list[Call]:
    """The calls of these names (default: of any) in the last turn that made some."""
    for turn in reversed(earlier):
        found = [call for call in turn if not names or call.name in names]
        if found:
            return found
    return []


def last_actions(earlier: Turns) -> tuple[str, ...]:
    """The actions spoken of last, as they were written."""
    found: list[str] = []
    for call in last_turn(earlier, ("simulate", "roll_out", "show_ecg", "check_mask", "explain_exclusion")):
        said = (call.args.get(key) for key in ("actions", "steps", "drugs"))
        found += next(filter(None, said), [call.args.get("action", "")])
    return tuple(dict.fromkeys(filter(None, found)))


def last_hours(earlier: Turns) -> tuple[float, ...]:
    """When the last simulation was looked at, if that was said."""
    last = last_turn(earlier, ("simulate",))
    return (last[-1].args["hours"],) if last and last[-1].args.get("hours") else ()
