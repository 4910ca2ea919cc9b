"""ECG paper: a sheet in millimetres with its grid, and pens to draw and write on it.

Everything is placed in millimetres of paper, so that what is printed at 100 % can be read with a ruler.
"""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

MM_PER_MV, MM_PER_INCH, POINTS_PER_MM = 10.0, 25.4, 72 / 25.4
PAPER_MM = 265.0  # ten seconds at 25 mm/s, the calibration pulse before them, and 5 mm after them
EDGE_MM, LINE_MM = 5.0, 4.6  # white around the paper, and the height of a line of text
PAPER, GRID_1_MM, GRID_5_MM = "#fffaf8", "#f8dcd6", "#eeb3a8"
INK, ASIDE, BEFORE, AFTER = "#111111", "#555555", "#8a8a8a", "#0a3fa8"


def sheet(width_mm: float, height_mm: float) -> Axes:
    """An empty sheet whose data coordinates are millimetres."""
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), facecolor="white")
    FigureCanvasAgg(figure)
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set_xlim(0, width_mm)
    ax.set_ylim(0, height_mm)
    return ax


def draw_paper(ax: Axes, bottom: float, height: float) -> None:
    ax.add_patch(Rectangle((EDGE_MM, bottom), PAPER_MM, height, facecolor=PAPER, edgecolor="none"))
    for step, color, width_mm in ((1, GRID_1_MM, 0.1), (5, GRID_5_MM, 0.18)):
        x = EDGE_MM + np.arange(0, PAPER_MM + 1e-6, step)
        y = bottom + np.arange(0, height + 1e-6, step)
        ends = [((v, bottom), (v, bottom + height)) for v in x] + [
            ((EDGE_MM, h), (EDGE_MM + PAPER_MM, h)) for h in y
        ]
        # One path for all lines of a kind: a grid of single lines would outweigh the ECG in an SVG.
        grid = Outline(np.array(ends).reshape(-1, 2), [Outline.MOVETO, Outline.LINETO] * len(ends))
        ax.add_patch(PathPatch(grid, fill=False, edgecolor=color, linewidth=width_mm * POINTS_PER_MM))


def draw_header(ax: Axes, paper_top: float, title: str, subtitle: str, names: tuple[str, str] | None) -> None:
    y = paper_top + 1.6
    if subtitle:
        write(ax, EDGE_MM, y, subtitle, size=8.5)
    if title:
        write(ax, EDGE_MM, y + LINE_MM * bool(subtitle or names), title, size=11, weight="bold")
    if names:
        right = EDGE_MM + PAPER_MM
        write(ax, right, y, f"— {names[1]}", size=8.5, color=AFTER, align="right", weight="bold")
        write(ax, right, y + LINE_MM, f"— {names[0]}", size=8.5, color=ASIDE, align="right", weight="bold")


def draw_line(
    ax: Axes, x_mm: NDArray[np.float64], y_mm: NDArray[np.float64], color: str, width_mm: float
) -> None:
    ax.plot(x_mm, y_mm, color=color, linewidth=width_mm * POINTS_PER_MM, solid_joinstyle="round")


def write(
    ax: Axes,
    x_mm: float,
    y_mm: float,
    text: str,
    *,
    size: float,
    color: str = INK,
    weight: str = "normal",
    align: Literal["left", "right"] = "left",
) -> None:
    # parse_math off: a "$" in a record's text is a dollar sign.
    ax.text(x_mm, y_mm, printable(text), size=size, color=color, weight=weight, ha=align, parse_math=False)


def printable(text: str) -> str:
    """One line without control characters, which SVG cannot hold."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
