"""ECG paper as a figure, as a file (PNG, SVG, PDF), and as an `<svg>` for a page."""

import io
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tools.beats import draw_beats
from tools.captions import intervals_line
from tools.paper import PNG_DPI
from tools.strips import PlotError, draw_ecg, draw_strips
from tools.writing import written_whole

__all__ = ["PlotError", "draw_beats", "draw_ecg", "draw_strips", "intervals_line", "save_figure", "svg_of"]

FORMATS = (".png", ".svg", ".pdf")


def check_format(path: Path) -> str:
    """The format that the extension of `path` names: "png", "svg" or "pdf". Raises PlotError."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise PlotError(
            f"cannot write a plot as {path.suffix or 'a file without extension'!r}",
            f"name the file with one of {', '.join(FORMATS)}, such as {path.stem or 'ecg'}.png",
        )
    return suffix[1:]


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write PNG, SVG or PDF by the extension of `path`, all or nothing. Raises PlotError, OutputError."""
    path = Path(path)
    kind = check_format(path)
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with written_whole(path) as unfinished, mpl.rc_context({"svg.hashsalt": "ecg", "pdf.fonttype": 42}):
        figure.savefig(unfinished, format=kind, dpi=PNG_DPI, metadata=undated)
    return path


def svg_of(figure: Figure) -> str:
    """The figure as one `<svg>` element to set into a page: text stays text, as wide as its container.

    Coordinates are cut to 0.01 pt (3.5 um of paper) and straight runs merged, which leaves about
    a tenth of the bytes; ids that could clash with those of a second figure are dropped.
    """
    out = io.StringIO()
    undated = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ecg", "path.simplify_threshold": 0.15}):
        figure.savefig(out, format="svg", metadata=undated)
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<g id=\"[^\"]*\"", "<g", svg)
    svg = re.sub(r"(<svg[^>]*?) width=\"[^\"]*\"", r"\1", svg, count=1)
    svg = re.sub(r"(<svg[^>]*?) height=\"[^\"]*\"", r"\1", svg, count=1)
    return re.sub(r" d=\"[^\"]*\"", lambda d: _shorten(d.group()), svg)


def _shorten(path_data: str) -> str:
    rounded = re.sub(r"-?\d+\.\d+", lambda n: f"{float(n.group()):.2f}".rstrip("0").rstrip("."), path_data)
    return rounded.replace("\n", "")
