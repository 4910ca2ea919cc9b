"""The marks of P, QRS and T on the strips: small ticks where a wave begins and ends, dots on the peaks of P and T."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from tools.paper import EDGE_MM, POINTS_PER_MM
from tools.traces import MM_PER_S, Cell, Shown, Trace
from worldmodel.ecg import LEADS
from worldmodel.measurement import FIDUCIALS

# Of each wave its colour, the points that get a tick, and the peaks that get a dot. The R peak needs none.
WAVES = (
    ("P", "#00796b", ("p_on", "p_off"), ("p_peak",)),
    ("QRS", "#8e24aa", ("qrs_on", "qrs_off"), ()),
    ("T", "#c25e00", ("t_end",), ("t_peak", "t_peak_2")),
)
TICK_MM, TICK_WIDTH_MM, DOT_MM = 1.6, 0.22, 0.7
NOTE = "marks: P green, QRS purple, T orange; ticks where a wave begins or ends, dots on peaks"


def draw_marks(ax: Axes, shown: Shown, row: Sequence[tuple[Cell, Trace]], baseline: float) -> None:
    """The marks of one recording in the cells of one row; `baseline` in mm of the sheet."""
    for _, color, bounds, peaks in WAVES:
        ticks = [spot for cell, trace in row for spot in _spots(shown, cell, trace, bounds)]
        dots = [spot for cell, trace in row for spot in _spots(shown, cell, trace, peaks)]
        if ticks:
            ends = [((x, baseline + y - TICK_MM), (x, baseline + y + TICK_MM)) for x, y in _from_edge(ticks)]
            ax.add_collection(
                LineCollection(ends, colors=color, linewidths=TICK_WIDTH_MM * POINTS_PER_MM, zorder=3)
            )
        if dots:
            x, y = np.array(list(_from_edge(dots))).T
            area = (DOT_MM * POINTS_PER_MM) ** 2
            ax.scatter(x, baseline + y, s=area, color=color, linewidths=0, zorder=3)


def _spots(shown: Shown, cell: Cell, trace: Trace, points: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Where the points lie on the trace, in mm; those outside the cell and in its gaps are left out."""
    if shown.marks_s is None or cell.lead not in LEADS or not points or trace.state:
        return
    columns = [FIDUCIALS.index(point) for point in points]
    times_s: NDArray[np.float64] = shown.marks_s[:, LEADS.index(cell.lead), columns].ravel()
    since_s = times_s[np.isfinite(times_s)] - shown.start_s - cell.offset_s
    for sample in np.round(since_s * shown.ecg.fs_hz).astype(int):
        if 0 <= sample < trace.y_mm.size and np.isfinite(trace.y_mm[sample]):
            yield cell.left_mm + sample / shown.ecg.fs_hz * MM_PER_S, float(trace.y_mm[sample])


def _from_edge(spots: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    return ((EDGE_MM + x, y) for x, y in spots)
