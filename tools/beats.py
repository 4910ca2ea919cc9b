"""Median beats before and after, laid over each other at the R peak: what a drug moves, seen lead by lead."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.paper import (
    AFTER,
    ASIDE,
    BEFORE,
    EDGE_MM,
    LINE_MM,
    MM_PER_MV,
    PAPER_MM,
    draw_header,
    draw_line,
    draw_paper,
    sheet,
    write,
)
from worldmodel.ecg import LEADS
from worldmodel.measurement import MedianBeat

MM_PER_S = 50.0
CELL_MM, GAP_MM, COLUMNS = 44.0, 2.0, 6
R_MM = 15.0  # the R peak's place in its cell: 300 ms after its beginning
LIMIT_MV = 4.0


def draw_beats(
    before: MedianBeat, after: MedianBeat, *, names: tuple[str, str] = ("before", "after")
) -> Figure:
    """Draw both beats in twelve cells, 50 mm/s and 10 mm/mV; dashes mark QRS onset and T end of each.

    What goes beyond 4 mV is cut. Rows are as tall as their waves need.
    """
    rows = [LEADS[:COLUMNS], LEADS[COLUMNS:]]
    heights = [_row_height(before, after, row) for row in rows]
    paper_height = 5.0 * math.ceil(sum(up + down for up, down in heights) / 5.0)
    bottom = EDGE_MM + LINE_MM
    ax = sheet(PAPER_MM + 2 * EDGE_MM, bottom + paper_height + EDGE_MM + LINE_MM)
    draw_paper(ax, bottom, paper_height)
    draw_header(ax, bottom + paper_height, "", "", names)
    legend = (
        "50 mm/s · 10 mm/mV · median beats, laid over each other at the R peak; dashes: QRS onset and T end"
    )
    write(ax, EDGE_MM, bottom - 0.85 * LINE_MM, legend, size=6.5, color=ASIDE)
    top = bottom + paper_height
    for row, (up, down) in zip(rows, heights, strict=True):
        for column, lead in enumerate(row):
            left = EDGE_MM + column * CELL_MM
            write(ax, left + 1, top - 3.6, lead, size=8.5, weight="bold")
            if not any(np.isfinite(_trace(beat, lead)[1]).any() for beat in (before, after)):
                write(ax, left + 10, top - 3.6, "not recorded", size=7, color=ASIDE)
            for beat, color in ((before, BEFORE), (after, AFTER)):
                _draw_cell(ax, beat, lead, left, (top - up - down, top - up), color)
        top -= up + down
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def _draw_cell(
    ax: Axes, beat: MedianBeat, lead: str, left: float, floor_and_baseline: tuple[float, float], color: str
) -> None:
    floor, baseline = floor_and_baseline
    x_mm, y_mm = _trace(beat, lead)
    draw_line(ax, left + x_mm, baseline + y_mm, color, 0.28)
    for at_ms in (beat.qrs_on_ms, beat.t_end_ms):
        if at_ms is not None and np.isfinite(y_mm).any():
            x = left + R_MM + at_ms / 1000 * MM_PER_S
            if left <= x <= left + CELL_MM:
                ax.plot([x, x], [floor + 1, floor + 5], color=color, linewidth=0.8, linestyle=(0, (2, 1.5)))


def _trace(beat: MedianBeat, lead: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x in mm from the left of the cell and y in mm from the baseline, as far as the cell goes."""
    mv = beat.samples_mv[LEADS.index(lead)]
    x_mm = R_MM + (np.arange(mv.size) - beat.r_index) / beat.fs_hz * MM_PER_S
    inside = (x_mm >= 0) & (x_mm <= CELL_MM - GAP_MM)
    return x_mm[inside], np.clip(mv[inside], -LIMIT_MV, LIMIT_MV) * MM_PER_MV


def _row_height(before: MedianBeat, after: MedianBeat, row: tuple[str, ...]) -> tuple[int, int]:
    """Room in whole mm above and below the baseline: the waves, and the names and dashes beside them."""
    y_mm = np.concatenate([_trace(beat, lead)[1] for beat in (before, after) for lead in row])
    known = y_mm[np.isfinite(y_mm)]
    above, below = (float(known.max()), -float(known.min())) if known.size else (0.0, 0.0)
    return math.ceil(max(8.0, above + 5.0)), math.ceil(max(6.0, below + 5.0))
