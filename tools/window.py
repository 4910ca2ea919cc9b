"""The stretch of a longer recording that a user asks for."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worldmodel.errors import EcgFileError

if TYPE_CHECKING:
    from worldmodel.ecg import Ecg

SHORTEST_S = 1.0  # less holds no beat
_TOLERANCE_S = 0.05  # ten seconds of 9.998 s are ten seconds
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)\s*s?\s*")


@dataclass(frozen=True)
class Window:
    """Seconds from the start of the recording."""

    start_s: float
    end_s: float

    def __str__(self) -> str:
        return f"{self.start_s:g}-{self.end_s:g}"


def parse_window(text: str) -> Window:
    """ "12-22" -> Window(12, 22). Raises ValueError with a message for the user."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not START-END in seconds, such as 12-22")
    window = Window(float(match[1]), float(match[2]))
    if not window.end_s - window.start_s >= SHORTEST_S:
        raise ValueError(f"{text!r} has to end at least {SHORTEST_S:g} s after it starts, as 12-22 does")
    return window


def cut(ecg: "Ecg", window: Window | None) -> "Ecg":
    """The asked-for stretch, or the whole where none was asked for. Raises EcgFileError outside the recording."""
    if window is None:
        return ecg
    if window.end_s > ecg.duration_s + _TOLERANCE_S:
        raise EcgFileError(
            f"{ecg.source or 'The recording'} ends at {ecg.duration_s:g} s, before the window {window} does.",
            f"Choose a --window between 0 and {ecg.duration_s:g}.",
        )
    return ecg.window(window.start_s, window.end_s - window.start_s)
