"""What is drawn of a recording: stretches of its leads as lines in millimetres of paper."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tools.paper import BOLD, LEAD_PT, MM_PER_MV, text_width_mm
from worldmodel.ecg import LEADS, Ecg, standard_twelve

MM_PER_S, PAPER_S = 25.0, 10.0
PRE_MM = 10.0  # room for the calibration pulse
LIMIT_MV = 5.0  # taller than any heart draws; beyond it the trace is cut and a note says so
FLAT_MV = 1e-3
ABSURD_MV = 1e12  # sums of what lies beyond would overflow
MOST_OTHER_LEADS = 12  # beyond the standard ones; a file with more holds more than an ECG
LABEL_MM = 6.0  # height of the line of a row that lead names take
LEAST_MM = (11.0, 5.0)  # of a row above and below its baseline: the calibration pulse, and a wave


@dataclass(frozen=True)
class Shown:
    """A recording as it is to be drawn: at most `length_s` from `start_s` on.

    marks_s: (beat, 12, FIDUCIALS) in seconds from the start of the recording, None for no marks.
    """

    ecg: Ecg
    name: str = ""
    start_s: float = 0.0
    length_s: float = PAPER_S
    marks_s: NDArray[np.float64] | None = None

    @cached_property
    def all_leads(self) -> Ecg:
        """The twelve standard leads, limb leads derived where possible, then whatever else was recorded."""
        twelve = standard_twelve(self.ecg)
        others = self.other_leads
        rows = [twelve.samples_mv, *(self.ecg.lead(name)[None] for name in others)]
        return replace(twelve, samples_mv=np.concatenate(rows), leads=(*LEADS, *others))

    @property
    def other_leads(self) -> tuple[str, ...]:
        """Leads beyond the twelve, such as those of Frank."""
        return tuple(name for name in self.ecg.leads if name not in LEADS)

    @property
    def end_s(self) -> float:
        """Where the drawing ends, or the recording does."""
        return min(self.start_s + min(self.length_s, PAPER_S), self.ecg.duration_s)


@dataclass(frozen=True)
class Cell:
    """Where one stretch of one lead goes.

    of: which of the recordings; paper_s: where on the paper it begins, in seconds of paper; offset_s: where
    in the recording, in seconds from the start of what is shown; label: written above it.
    """

    of: int
    lead: str
    paper_s: float
    offset_s: float
    duration_s: float
    label: str

    @property
    def left_mm(self) -> float:
        """From the left edge of the paper."""
        return PRE_MM + self.paper_s * MM_PER_S

    @property
    def label_ends_mm(self) -> float:
        return self.left_mm + 2.0 + text_width_mm(self.label, LEAD_PT, BOLD)


@dataclass(frozen=True)
class Trace:
    """A stretch of one lead: x in mm of the paper, y in mm from its baseline.

    state: "", "flat" or "not recorded". A constant offset has no meaning in an ECG, so the baseline is the median.
    """

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    state: str = ""
    peak_mv: float = 0.0
    gap: bool = False


def trace_of(shown: Shown, cell: Cell) -> Trace:
    """The stretch of a recording that a cell shows."""
    ecg = shown.all_leads
    start_s = shown.start_s + cell.offset_s
    part = ecg.window(start_s, max(0.0, min(cell.duration_s, shown.end_s - start_s)))
    nothing = np.full(part.samples_mv.shape[1], np.nan)
    mv = part.lead(cell.lead) if cell.lead in ecg.leads else nothing
    mv = np.where(np.isfinite(mv), np.clip(mv, -ABSURD_MV, ABSURD_MV), np.nan)
    x_mm = cell.left_mm + np.arange(mv.size) / ecg.fs_hz * MM_PER_S
    known = mv[np.isfinite(mv)]
    if cell.lead in ecg.missing_leads or known.size == 0:
        return Trace(x_mm, nothing, "not recorded")
    mv = mv - float(np.median(known))
    state = "flat" if float(np.ptp(known)) < FLAT_MV else ""
    y_mm = np.clip(mv, -LIMIT_MV, LIMIT_MV) * MM_PER_MV
    return Trace(x_mm, y_mm, state, float(np.nanmax(np.abs(mv))), gap=known.size < mv.size)


def row_height_mm(row: Sequence[tuple[Cell, Trace]]) -> tuple[int, int]:
    """Room in whole mm above and below the baseline of a row, enough for its waves and its labels."""
    above, below = LEAST_MM
    for cell, trace in row:
        under_label = trace.y_mm[trace.x_mm < cell.label_ends_mm]
        above = max(above, _highest(trace.y_mm) + 2, _highest(under_label) + LABEL_MM)
        below = max(below, _highest(-trace.y_mm) + 2)
    return math.ceil(above), math.ceil(below)


def _highest(y_mm: NDArray[np.float64]) -> float:
    known = y_mm[np.isfinite(y_mm)]
    return float(known.max()) if known.size else 0.0
