"""ECG paper: a sheet in millimetres with its grid, and pens to draw and write on it.

Everything is placed in millimetres of paper, so that what is printed at 100 % can be read with a ruler.
"""

import textwrap
from functools import cache
from typing import Literal

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

MM_PER_MV, MM_PER_INCH, POINTS_PER_MM = 10.0, 25.4, 72 / 25.4
PAPER_MM = 265.0  # ten seconds at 25 mm/s, the calibration pulse before them, and 5 mm after them
EDGE_MM, LINE_MM = 5.0, 4.6  # white around the paper, and the height of a line of text
PAPER, GRID_1_MM, GRID_5_MM = "#fffaf8", "#f8dcd6", "#eeb3a8"
INK, ASIDE, BEFORE, AFTER = "#111111", "#555555", "#777777", "#0a3fa8"
FONT = "DejaVu Sans"  # comes with the drawing library
PNG_DPI = 200
LEAD_PT, BOLD = 8.5, "bold"
# Paper that the figures may fit on, the smaller first, and what printers leave of it.
SHEETS_MM = (("A4 landscape", 297, 210), ("A3 portrait", 297, 420))
MARGIN_MM = 5.0


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
    ax.text(
        x_mm,
        y_mm,
        printable(text),
        size=size,
        color=color,
        weight=weight,
        ha=align,
        parse_math=False,
    )


def holding_sheet(width_mm: float, height_mm: float) -> str | None:
    """The smallest sheet of paper that a figure fits on at true scale; None where it fits on none."""
    for name, wide, high in SHEETS_MM:
        if width_mm <= wide - 2 * MARGIN_MM and height_mm <= high - 2 * MARGIN_MM:
            return name
    return None


def printable(text: str) -> str:
    """One line without control characters, which SVG cannot hold; a box for each character the font lacks."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return "".join(c if ord(c) in _characters() else "\N{WHITE SQUARE}" for c in line)


def text_width_mm(text: str, size: float, weight: str = "normal") -> float:
    """How wide `text` will be on the paper: as a picture, where letters are rounded to pixels, or in print."""
    font = _font(weight)
    widths = []
    for dpi in (PNG_DPI, 10 * PNG_DPI):
        font.set_size(size, dpi)
        font.set_text(printable(text), 0.0)
        widths.append(font.get_width_height()[0] / 64 / dpi)
    return 1.01 * MM_PER_INCH * max(widths)


def wrapped(text: str, size: float, room_mm: float = PAPER_MM) -> list[str]:
    """The text in lines that are no wider than `room_mm`."""
    text = printable(text)
    lines, most = [text] if text else [], len(text)
    while most > 1 and any(text_width_mm(line, size) > room_mm for line in lines):
        most = most * 19 // 20
        lines = textwrap.wrap(text, most)
    return lines


def shortened(text: str, size: float, room_mm: float, weight: str = "normal") -> str:
    """The text where it fits, else its two ends: the names of files differ at the end."""
    text = printable(text)
    if text_width_mm(text, size, weight) <= room_mm:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: kept // 2]}…{text[-(kept - kept // 2) :]}"
        if text_width_mm(short, size, weight) <= room_mm:
            return short
    return "…"


def _font(weight: str) -> FT2Font:
    return font_manager.get_font(
        font_manager.findfont(font_manager.FontProperties(family=FONT, weight=weight))
    )


@cache
def _characters() -> frozenset[int]:
    """What both weights of the font can draw."""
    return frozenset(set(_font("normal").get_charmap()) & set(_font("bold").get_charmap()))
