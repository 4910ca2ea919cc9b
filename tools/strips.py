"""Twelve leads on ECG paper at true scale: 25 mm/s, 10 mm/mV, one recording or two laid over each other."""

import math
import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.errors import ToolError
from tools.paper import (
    AFTER,
    ASIDE,
    BEFORE,
    EDGE_MM,
    INK,
    LINE_MM,
    MM_PER_MV,
    PAPER_MM,
    draw_header,
    draw_line,
    draw_paper,
    printable,
    sheet,
    write,
)
from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.measurement import Intervals

MM_PER_S, PAPER_S, COLUMN_S = 25.0, 10.0, 2.5
PRE_MM = 10.0  # room for the calibration pulse
LIMIT_MV = 5.0  # taller than any heart draws; beyond it the trace is cut and a note says so
FLAT_MV = 1e-3
ABSURD_MV = 1e12  # sums of what lies beyond would overflow
NAME_MM = (9.0, 6.0)  # what a lead name takes of its row, wide and high


class PlotError(ToolError):
    """A figure cannot be drawn as asked: an unknown layout or format, or a start past the end."""


@dataclass(frozen=True)
class _Cell:
    """Where one stretch of one lead goes: seconds on the paper, and seconds of the recording."""

    lead: str
    paper_s: float
    start_s: float
    duration_s: float


@dataclass(frozen=True)
class _Trace:
    """A stretch of one lead in mm from its baseline; `state` is "", "flat" or "not recorded"."""

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    state: str = ""
    peak_mv: float = 0.0
    gap: bool = False


def draw_ecg(
    ecg: Ecg,
    compare: Ecg | None = None,
    *,
    title: str = "",
    subtitle: str = "",
    names: tuple[str, str] = ("before", "after"),
    layout: str = "3x4+1",
    start_s: float = 0.0,
) -> Figure:
    """Draw `PAPER_S` seconds of the twelve standard leads from `start_s` on, `compare` laid over it in blue.

    "3x4+1": four columns of 2.5 s and lead II below; "12x1": one row a lead. Each lead is drawn about its own
    median, since a constant offset has no meaning. Missing and flat leads, gaps and traces cut at
    `LIMIT_MV` are named. Rows are as tall as their waves need, the scale never changes.
    Raises PlotError for an unknown layout or a start past the end.
    """
    recordings = [standard_twelve(e) for e in (ecg, compare) if e is not None]
    _check_start(recordings, start_s)
    rows = _rows(layout, start_s, min(e.duration_s for e in recordings))
    traces = {cell: [_trace(e, cell) for e in recordings] for row in rows for cell in row}
    heights = [_row_height([(cell, traces[cell]) for cell in row], layout) for row in rows]
    paper_height = _whole_5_mm(sum(up + down for up, down in heights))
    footer = _footer(ecg, compare, names, rows, traces, start_s)
    header_mm = EDGE_MM + LINE_MM * (1.3 * bool(title) + bool(subtitle or compare))
    footer_mm = EDGE_MM + LINE_MM * len(footer)

    ax = sheet(PAPER_MM + 2 * EDGE_MM, paper_height + header_mm + footer_mm)
    bottom = footer_mm
    draw_paper(ax, bottom, paper_height)
    draw_header(ax, bottom + paper_height, title, subtitle, names if compare else None)
    for i, line in enumerate(footer):
        write(ax, EDGE_MM, bottom - LINE_MM * (i + 0.85), line, size=6.5, color=ASIDE)
    top = bottom + paper_height
    for row, (up, down) in zip(rows, heights, strict=True):
        _draw_row(ax, row, traces, top - up, up)
        top -= up + down
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def intervals_line(intervals: Intervals) -> str:
    """Rate and intervals as on the head of a printed ECG, such as "73 bpm · PR 160 ms · QRS 92 ms · ..."."""
    named = (
        ("", intervals.hr_bpm, "bpm"),
        ("PR ", intervals.pr_ms, "ms"),
        ("QRS ", intervals.qrs_ms, "ms"),
        ("QT ", intervals.qt_ms, "ms"),
        ("QTcF ", intervals.qtcf_ms, "ms"),
    )
    return " · ".join(
        f"{name}{value:.0f} {unit}" if value is not None else f"{name or 'rate '}not measurable"
        for name, value, unit in named
    )


def _check_start(recordings: list[Ecg], start_s: float) -> None:
    shortest = min(e.duration_s for e in recordings)
    if start_s != 0 and not 0 <= start_s < shortest:
        raise PlotError(
            f"cannot start at {start_s:g} s: the recording lasts {shortest:.1f} s",
            f"start between 0 and {shortest:.1f} s",
        )


def _rows(layout: str, start_s: float, duration_s: float) -> list[list[_Cell]]:
    """The cells of each row. A recording too short to fill four columns shows its beginning in each."""
    if layout == "12x1":
        return [[_Cell(lead, 0.0, start_s, PAPER_S)] for lead in LEADS]
    if layout != "3x4+1":
        raise PlotError(f"unknown layout {layout!r}", 'choose "3x4+1" or "12x1"')
    runs_on = duration_s - start_s > 3 * COLUMN_S
    rows = []
    for row in range(3):
        columns = [(LEADS[3 * column + row], column * COLUMN_S) for column in range(4)]
        rows.append([_Cell(lead, at, start_s + at if runs_on else start_s, COLUMN_S) for lead, at in columns])
    return [*rows, [_Cell("II", 0.0, start_s, PAPER_S)]]


def _trace(ecg: Ecg, cell: _Cell) -> _Trace:
    part = ecg.window(cell.start_s, cell.duration_s)
    mv = part.lead(cell.lead)
    mv = np.where(np.isfinite(mv), np.clip(mv, -ABSURD_MV, ABSURD_MV), np.nan)
    x_mm = PRE_MM + (cell.paper_s + np.arange(mv.size) / ecg.fs_hz) * MM_PER_S
    known = mv[np.isfinite(mv)]
    if cell.lead in ecg.missing_leads or known.size == 0:
        return _Trace(x_mm, np.full(mv.size, np.nan), "not recorded")
    mv = mv - float(np.median(known))
    state = "flat" if float(np.ptp(known)) < FLAT_MV else ""
    y_mm = np.clip(mv, -LIMIT_MV, LIMIT_MV) * MM_PER_MV
    return _Trace(x_mm, y_mm, state, float(np.nanmax(np.abs(mv))), gap=known.size < mv.size)


def _row_height(cells: list[tuple[_Cell, list[_Trace]]], layout: str) -> tuple[float, float]:
    """Room in whole mm above and below the baseline of a row, enough for its waves and its lead names."""
    above, below = (13.0, 8.0) if layout == "3x4+1" else (11.0, 5.0)
    for cell, traces in cells:
        for trace in traces:
            name_ends_mm = PRE_MM + cell.paper_s * MM_PER_S + NAME_MM[0]
            above = max(
                above, _highest(trace.y_mm) + 2, _highest(trace.y_mm[trace.x_mm < name_ends_mm]) + NAME_MM[1]
            )
            below = max(below, _highest(-trace.y_mm) + 2)
    return math.ceil(above), math.ceil(below)


def _highest(y_mm: NDArray[np.float64]) -> float:
    known = y_mm[np.isfinite(y_mm)]
    return float(known.max()) if known.size else 0.0


def _whole_5_mm(height_mm: float) -> float:
    return 5.0 * math.ceil(height_mm / 5.0)


def _footer(
    ecg: Ecg,
    compare: Ecg | None,
    names: tuple[str, str],
    rows: list[list[_Cell]],
    traces: dict[_Cell, list[_Trace]],
    start_s: float,
) -> list[str]:
    """Scale, window, and what a reader must know of the recordings, in lines that fit the paper."""
    shown_s = min(PAPER_S, ecg.duration_s - start_s)
    parts = ["25 mm/s", "10 mm/mV", f"{start_s:g}–{start_s + shown_s:.4g} s of {ecg.duration_s:.4g} s"]
    if len(rows) == 4 and len({cell.start_s for row in rows[:3] for cell in row}) == 1:
        parts.append(f"short recording: every column starts at {start_s:g} s")
    for index, recording in enumerate(e for e in (ecg, compare) if e is not None):
        whose = f"{names[index]}: " if compare is not None else ""
        of_lead = {cell.lead: pair[index] for cell, pair in traces.items()}
        cut = [f"{lead} ({t.peak_mv:.3g} mV)" for lead, t in of_lead.items() if t.peak_mv > LIMIT_MV]
        gaps = [lead for lead, t in of_lead.items() if t.gap and t.state != "not recorded"]
        absent = [lead for lead in LEADS if of_lead[lead].state == "not recorded"]
        others = [lead for lead in recording.leads if lead not in LEADS]
        parts += [f"{whose}the file's gain cannot be true: read no amplitudes"] * (
            not recording.amplitudes_trusted
        )
        parts += [f"{whose}cut at {LIMIT_MV:g} mV: {', '.join(cut)}"] * bool(cut)
        parts += [f"{whose}not recorded: {', '.join(absent)}"] * bool(absent)
        parts += [f"{whose}gaps in {', '.join(gaps)}"] * bool(gaps)
        parts += [f"{whose}recorded but not drawn: {', '.join(others)}"] * bool(others)
    return textwrap.wrap(printable(" · ".join(parts)), 170)


def _draw_row(
    ax: Axes, row: list[_Cell], traces: dict[_Cell, list[_Trace]], baseline: float, up: float
) -> None:
    draw_line(ax, *_calibration_pulse(baseline), INK, 0.25)
    for cell in row:
        left = EDGE_MM + PRE_MM + cell.paper_s * MM_PER_S
        drawn = traces[cell]
        colors = (INK,) if len(drawn) == 1 else (BEFORE, AFTER)
        for trace, color in zip(drawn, colors, strict=True):
            draw_line(ax, EDGE_MM + trace.x_mm, baseline + trace.y_mm, color, 0.28)
        write(ax, left + 1, baseline + up - 3.6, cell.lead, size=8.5, weight="bold")
        if cell.paper_s > 0:
            draw_line(ax, np.full(2, left), baseline + np.array([-3.0, 3.0]), INK, 0.2)
        states = [(t.state, ASIDE if t.state == drawn[0].state else AFTER) for t in drawn if t.state]
        for i, (state, color) in enumerate(dict(states).items()):
            write(ax, left + NAME_MM[0], baseline + up - 3.6 * (i + 1), state, size=7, color=color)


def _calibration_pulse(baseline: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1 mV high and 0.2 s wide."""
    x = np.array([0.0, 1.5, 1.5, 6.5, 6.5, 8.0])
    y = np.array([0.0, 0.0, MM_PER_MV, MM_PER_MV, 0.0, 0.0])
    return EDGE_MM + 1.0 + x, baseline + y
