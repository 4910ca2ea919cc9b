"""The stretch of a recording that is measured and drawn: its cleanest ten seconds, within the window asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.window import Window, cut

if TYPE_CHECKING:
    from worldmodel.ecg import Ecg


@dataclass(frozen=True)
class Stretch:
    """A part of a recording, which begins `start_s` after the recording does."""

    part: "Ecg"
    start_s: float

    @property
    def window_s(self) -> tuple[float, float]:
        """Start and end in seconds of the recording."""
        return round(self.start_s, 3), round(self.start_s + self.part.duration_s, 3)


def stretch_of(ecg: "Ecg", window: Window | None = None) -> Stretch:
    """What to measure of a recording. Raises EcgFileError where the window lies outside it."""
    from worldmodel.delineation.window import WINDOW_S, best_start_s

    asked = cut(ecg, window)
    start_s = best_start_s(asked)
    return Stretch(asked.window(start_s, WINDOW_S), start_s + (window.start_s if window else 0.0))
