"""Two median beats laid over each other at the R peak: what a drug moves, seen lead by lead."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.paper import (
    AFTER,
    ASIDE,
    BEFORE,
    BOLD,
    EDGE_MM,
    LEAD_PT,
    LINE_MM,
    MM_PER_MV,
    PAPER_MM,
    draw_line,
    draw_paper,
    sheet,
    shortened,
    write,
)
from worldmodel.ecg import LEADS
from worldmodel.measurement import MedianBeat

MM_PER_S = 50.0
GAP_MM = 2.0
# Columns of cells, their width, and the place of the R peak in each; the wider where a T wave ends late.
NARROW, WIDE = (6, 44.0, 15.0), (4, 66.0, 20.0)
LIMIT_MV = 4.0
BEATS_NOTE = "median beats at 50 mm/s, laid over each other at the R peak; dashes: QRS onset and T end"


def draw_beats(
    before: MedianBeat, after: MedianBeat, *, names: tuple[str, str] = ("before", "after")
) -> Figure:
    """Draw both beats in twelve cells, 50 mm/s and 10 mm/mV; dashes mark QRS onset and T end of each.

    What goes beyond 4 mV is cut. Rows are as tall as their waves need.
    """
    height_mm, bottom = beats_height_mm(before, after), EDGE_MM + LINE_MM
    top = bottom + height_mm
    ax = sheet(PAPER_MM + 2 * EDGE_MM, top + EDGE_MM + LINE_MM)
    put_beats(ax, bottom, before, after)
    for name, color, line in ((names[1], AFTER, 0), (names[0], BEFORE, 1)):
        text = shortened(f"— {name}", LEAD_PT, PAPER_MM, BOLD)
        write(
            ax,
            EDGE_MM + PAPER_MM,
            top + 1.6 + line * LINE_MM,
            text,
            size=LEAD_PT,
            color=color,
            align="right",
            weight=BOLD,
        )
    write(ax, EDGE_MM, bottom - 0.85 * LINE_MM, f"10 mm/mV · {BEATS_NOTE}", size=6.5, color=ASIDE)
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def beats_height_mm(before: MedianBeat, after: MedianBeat) -> float:
    """How tall the paper of both beats is: whole squares of 5 mm."""
    return 5.0 * math.ceil(sum(up + down for _, up, down in _rows(before, after)) / 5.0)


def put_beats(ax: Axes, bottom: float, before: MedianBeat, after: MedianBeat) -> None:
    """Both beats on paper of their own, its lower edge at `bottom` mm of the sheet."""
    height_mm = beats_height_mm(before, after)
    draw_paper(ax, bottom, height_mm)
    top = bottom + height_mm
    _, width, _ = _cells(before, after)
    for leads, up, down in _rows(before, after):
        for column, lead in enumerate(leads):
            left = EDGE_MM + column * width
            write(ax, left + 1, top - 3.6, lead, size=LEAD_PT, weight=BOLD)
            if not any(np.isfinite(beat.samples_mv[LEADS.index(lead)]).any() for beat in (before, after)):
                write(ax, left + 10, top - 3.6, "not recorded", size=7, color=ASIDE)
            for beat, color in ((before, BEFORE), (after, AFTER)):
                _draw_cell(ax, beat, lead, left, _cells(before, after), (top - up - down, top - up), color)
        top -= up + down


def _cells(before: MedianBeat, after: MedianBeat) -> tuple[int, float, float]:
    """Columns, width and place of R: narrow cells where both beats fit into them."""
    _, width, r_mm = NARROW
    early, late = -r_mm / MM_PER_S * 1000, (width - GAP_MM - r_mm) / MM_PER_S * 1000
    fits = all(
        (beat.t_end_ms is None or beat.t_end_ms < late) and (beat.p_on_ms is None or beat.p_on_ms > early)
        for beat in (before, after)
    )
    return NARROW if fits else WIDE


def _rows(before: MedianBeat, after: MedianBeat) -> list[tuple[tuple[str, ...], int, int]]:
    """The leads of each row, and its room in whole mm above and below the baseline for waves, names and dashes."""
    columns, width, r_mm = _cells(before, after)
    rows = []
    for first in range(0, len(LEADS), columns):
        leads = LEADS[first : first + columns]
        y_mm = np.concatenate([_trace(b, lead, width, r_mm)[1] for b in (before, after) for lead in leads])
        known = y_mm[np.isfinite(y_mm)]
        above, below = (float(known.max()), -float(known.min())) if known.size else (0.0, 0.0)
        rows.append((leads, math.ceil(max(8.0, above + 5.0)), math.ceil(max(6.0, below + 5.0))))
    return rows


def _draw_cell(
    ax: Axes,
    beat: MedianBeat,
    lead: str,
    left: float,
    cells: tuple[int, float, float],
    floor_and_baseline: tuple[float, float],
    color: str,
) -> None:
    (_, width, r_mm), (floor, baseline) = cells, floor_and_baseline
    x_mm, y_mm = _trace(beat, lead, width, r_mm)
    draw_line(ax, left + x_mm, baseline + y_mm, color, 0.28)
    for at_ms in (beat.qrs_on_ms, beat.t_end_ms):
        if at_ms is not None and np.isfinite(y_mm).any():
            x = left + r_mm + at_ms / 1000 * MM_PER_S
            if left <= x <= left + width:
                ax.plot([x, x], [floor + 1, floor + 5], color=color, linewidth=0.8, linestyle=(0, (2, 1.5)))


def _trace(
    beat: MedianBeat, lead: str, width: float, r_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x in mm from the left of the cell and y in mm from the baseline, as far as the cell goes."""
    mv = beat.samples_mv[LEADS.index(lead)]
    x_mm = r_mm + (np.arange(mv.size) - beat.r_index) / beat.fs_hz * MM_PER_S
    inside = (x_mm >= 0) & (x_mm <= width - GAP_MM)
    return x_mm[inside], np.clip(mv[inside], -LIMIT_MV, LIMIT_MV) * MM_PER_MV
