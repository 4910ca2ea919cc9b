"""Twelve leads on ECG paper at true scale, 25 mm/s and 10 mm/mV: one recording, or two side by side.

Two are never laid over each other here: their rates differ, so that after one beat nothing would lie above
its like. Beats can be (`tools/beats.py`).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tools.beats import BEATS_NOTE, beats_height_mm, put_beats
from tools.captions import foot_notes
from tools.errors import UsageError
from tools.marks import NOTE as MARKS_NOTE
from tools.marks import draw_marks
from tools.paper import (
    AFTER,
    ASIDE,
    BEFORE,
    BOLD,
    EDGE_MM,
    INK,
    LEAD_PT,
    LINE_MM,
    MM_PER_MV,
    PAPER_MM,
    draw_line,
    draw_paper,
    sheet,
    shortened,
    wrapped,
    write,
)
from tools.traces import MM_PER_S, MOST_OTHER_LEADS, PAPER_S, Cell, Shown, Trace, row_height_mm, trace_of
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import MedianBeat

COLUMN_S = PAPER_S / 4
TITLE_PT, HEAD_PT, FOOT_PT = 11.0, 8.5, 6.5
LAYOUTS = ("3x4+1", "12x1")


class PlotError(UsageError):
    """A figure cannot be drawn as asked: an unknown layout or format, or a start past the end."""


class HeadLine(NamedTuple):
    """A line above the paper."""

    text: str
    color: str = INK


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
    """Draw `PAPER_S` seconds from `start_s` on, and beside each strip the same of `compare`.

    Raises PlotError for an unknown layout or a start past the end.
    """
    shown = [Shown(e, name, start_s) for e, name in zip((ecg, compare), names, strict=True) if e is not None]
    return draw_strips(shown, title=title, head=[HeadLine(subtitle)], layout=layout)


def draw_strips(
    shown: Sequence[Shown],
    *,
    title: str = "",
    head: Sequence[HeadLine] = (),
    layout: str = "3x4+1",
    beats: tuple[MedianBeat, MedianBeat] | None = None,
) -> Figure:
    """One or two recordings on a sheet, and below them two median beats laid over each other.

    "3x4+1": four columns of 2.5 s and lead II below; of two recordings six rows of 2.5 s, each lead with its
    like beside it, and lead II of both below. "12x1": one row a lead, leads beyond the twelve below; of two
    recordings 5 s of each. Missing and flat leads, gaps, and traces cut at `LIMIT_MV` are named. Rows are as
    tall as their waves need, the scale never changes. Raises PlotError.
    """
    for recording in shown:
        _check_start(recording)
    rows = _rows(shown, layout)
    traces = {cell: trace_of(shown[cell.of], cell) for row in rows for cell in row}
    heights = [row_height_mm([(cell, traces[cell]) for cell in row]) for row in rows]
    strips_mm = 5.0 * math.ceil(sum(map(sum, heights)) / 5.0)
    beats_mm = beats_height_mm(*beats) + LINE_MM if beats else 0.0
    lines = [HeadLine(text, line.color) for line in head for text in wrapped(line.text, HEAD_PT)]
    columns = _column_names(shown, rows)
    head_mm = EDGE_MM + LINE_MM * (1.3 * bool(title) + len(lines) + bool(columns))
    notes = [*_notes(shown, rows), *([BEATS_NOTE] if beats else [])]
    foot = wrapped(foot_notes(shown, traces, notes), FOOT_PT)
    foot_mm = EDGE_MM + LINE_MM * len(foot)

    ax = sheet(PAPER_MM + 2 * EDGE_MM, foot_mm + beats_mm + strips_mm + head_mm)
    for i, line in enumerate(reversed(foot)):
        write(ax, EDGE_MM, EDGE_MM + LINE_MM * (i + 0.15), line, size=FOOT_PT, color=ASIDE)
    if beats:
        put_beats(ax, foot_mm, *beats)
    bottom = foot_mm + beats_mm
    draw_paper(ax, bottom, strips_mm)
    top = bottom + strips_mm
    _draw_head(ax, top, title, lines, columns)
    for row, (up, down) in zip(rows, heights, strict=True):
        _draw_row(ax, [(cell, traces[cell]) for cell in row], shown, top - up, up)
        top -= up + down
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def _check_start(shown: Shown) -> None:
    length_s = shown.ecg.duration_s
    if shown.start_s != 0 and not 0 <= shown.start_s < length_s:
        raise PlotError(
            f"cannot start at {shown.start_s:g} s: the recording lasts {length_s:.1f} s",
            f"start between 0 and {length_s:.1f} s",
        )


def _rows(shown: Sequence[Shown], layout: str) -> list[list[Cell]]:
    """The cells of each row. A recording too short to fill the columns shows its beginning in each."""
    if layout not in LAYOUTS:
        raise PlotError(f"unknown layout {layout!r}", f"choose {' or '.join(LAYOUTS)}")
    length_s = min(recording.end_s - recording.start_s for recording in shown)
    pair = len(shown) == 2
    if layout == "12x1":
        others = dict.fromkeys(lead for recording in shown for lead in recording.other_leads)
        leads = (*LEADS, *list(others)[:MOST_OTHER_LEADS])
        each_s = PAPER_S / len(shown)
        return [[Cell(i, lead, i * each_s, 0.0, each_s, lead) for i in range(len(shown))] for lead in leads]
    groups, deep = (2, 6) if pair else (4, 3)
    runs_on = length_s > (groups - 1) * COLUMN_S
    rows = []
    for row in range(deep):
        cells = []
        for group in range(groups):
            lead, offset_s = LEADS[deep * group + row], group * COLUMN_S * runs_on
            for i in range(len(shown)):
                cells.append(Cell(i, lead, (len(shown) * group + i) * COLUMN_S, offset_s, COLUMN_S, lead))
        rows.append(cells)
    labels = [f"II · {recording.name}" if pair else "II" for recording in shown]
    fitting = [shortened(label, LEAD_PT, COLUMN_S * MM_PER_S, BOLD) for label in labels]
    return [*rows, *([Cell(i, "II", 0.0, 0.0, PAPER_S, label)] for i, label in enumerate(fitting))]


def _column_names(shown: Sequence[Shown], rows: Sequence[Sequence[Cell]]) -> list[tuple[Cell, str]]:
    """Whose strips a column holds, where there are two."""
    if len(shown) == 1:
        return []
    return [
        (cell, shortened(f"— {shown[cell.of].name}", HEAD_PT, cell.duration_s * MM_PER_S - 4, BOLD))
        for cell in rows[0]
    ]


def _notes(shown: Sequence[Shown], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """How the sheet has to be read."""
    notes = []
    columns = {cell.offset_s for row in rows for cell in row if cell.duration_s == COLUMN_S}
    if columns == {0.0}:
        notes.append("short recording: each column shows its beginning")
    elif len(shown) == 2 and columns:
        notes.append(f"limb leads from the start, chest leads from {COLUMN_S:g} s on")
    if any(recording.marks_s is not None and recording.marks_s.size for recording in shown):
        notes.append(MARKS_NOTE)
    return notes


def _draw_head(
    ax: Axes, paper_top: float, title: str, lines: Sequence[HeadLine], columns: Sequence[tuple[Cell, str]]
) -> None:
    y = paper_top + 1.6
    for cell, name in columns:
        write(
            ax, EDGE_MM + cell.left_mm + 1, y, name, size=HEAD_PT, weight=BOLD, color=_color(cell, pair=True)
        )
    y += LINE_MM * bool(columns)
    for line in reversed(lines):
        write(ax, EDGE_MM, y, line.text, size=HEAD_PT, color=line.color)
        y += LINE_MM
    if title:
        write(ax, EDGE_MM, y, shortened(title, TITLE_PT, PAPER_MM, BOLD), size=TITLE_PT, weight=BOLD)


def _draw_row(
    ax: Axes, row: Sequence[tuple[Cell, Trace]], shown: Sequence[Shown], baseline: float, up: float
) -> None:
    draw_line(ax, *_calibration_pulse(baseline), INK, 0.25)
    pair = len(shown) == 2
    for cell, trace in row:
        left = EDGE_MM + cell.left_mm
        color = _color(cell, pair)
        draw_line(ax, EDGE_MM + trace.x_mm, baseline + trace.y_mm, color, 0.28)
        write(
            ax,
            left + 1,
            baseline + up - 3.6,
            cell.label,
            size=LEAD_PT,
            weight=BOLD,
            color=color if pair else INK,
        )
        if cell.paper_s > 0:
            draw_line(ax, np.full(2, left), baseline + np.array([-3.0, 3.0]), INK, 0.2)
        if trace.state:
            write(ax, EDGE_MM + cell.label_ends_mm + 1, baseline + up - 3.6, trace.state, size=7, color=ASIDE)
    for i, recording in enumerate(shown):
        draw_marks(ax, recording, [(cell, trace) for cell, trace in row if cell.of == i], baseline)


def _color(cell: Cell, pair: bool) -> str:
    return (BEFORE, AFTER)[cell.of] if pair else INK


def _calibration_pulse(baseline: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1 mV high and 0.2 s wide."""
    x = np.array([0.0, 1.5, 1.5, 6.5, 6.5, 8.0])
    y = np.array([0.0, 0.0, MM_PER_MV, MM_PER_MV, 0.0, 0.0])
    return EDGE_MM + 1.0 + x, baseline + y
