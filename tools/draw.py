"""Tool: one or two recordings on ECG paper, into a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.results import Answer, Result, unique
from tools.stretch import stretch_of
from tools.window import Window
from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement
from worldmodel.readers import read_ecg
from worldmodel.readers.stated import NOTHING_STATED, Stated

NAME_MM = 90.0  # what the name of a file may take of a line of 265 mm


class DrawnRecording(Result):
    """What was drawn of a file: seconds from its start."""

    file: str
    window_s: tuple[float, float]


class DrawResult(Answer):
    """The picture that was written, its size at true scale, and a sheet of paper that holds it, if one does."""

    file: str
    width_mm: float
    height_mm: float
    sheet: str | None
    recordings: tuple[DrawnRecording, ...]


@dataclass(frozen=True)
class _Read:
    """A file, read and measured; what is drawn begins at start_s."""

    path: Path
    ecg: Ecg
    start_s: float
    measured: Measurement


def draw_files(
    file: Path,
    out: Path,
    compare: Path | None = None,
    layout: str = "3x4+1",
    *,
    window: Window | None = None,
    marks: bool = False,
    stated: Stated = NOTHING_STATED,
) -> DrawResult:
    """Draw `file`, and `compare` beside it, into `out`: the seconds that are measured, as many as the paper holds.

    Of two recordings the median beats are drawn below, laid over each other. Raises EcgFileError, PlotError,
    OutputError.
    """
    from tools.captions import change_line, measured_lines
    from tools.paper import AFTER, BEFORE, INK, MM_PER_INCH, holding_sheet, shortened
    from tools.plot import check_format, draw_strips, save_figure
    from tools.strips import HEAD_PT, HeadLine
    from tools.traces import Shown

    check_format(out)
    read = [_read(path, window, stated) for path in (file, compare) if path is not None]
    names = [shortened(r.path.name, HEAD_PT, NAME_MM) for r in read]
    shown = [
        Shown(r.ecg, name, r.start_s, r.measured.beat_marks_s + r.start_s if marks else None)
        for r, name in zip(read, names, strict=True)
    ]
    colors = (INK,) if compare is None else (BEFORE, AFTER)
    head = [
        HeadLine(line, color)
        for r, name, color in zip(read, names, colors, strict=True)
        for line in measured_lines(r.measured, name if compare else "")
    ]
    beats = [r.measured.median_beat for r in read]
    pair = (beats[0], beats[1]) if len(beats) == 2 and beats[0] and beats[1] else None
    if compare is not None:
        head.append(HeadLine(change_line(*(r.measured.intervals for r in read))))
    title = " and ".join(names) if compare else file.name
    figure = draw_strips(shown, title=title, head=head, layout=layout, beats=pair)
    width_mm, height_mm = (round(float(inch) * MM_PER_INCH, 1) for inch in figure.get_size_inches())
    warnings = [warning for r in read for warning in r.ecg.warnings]
    if marks and not any(np.isfinite(r.measured.beat_marks_s).any() for r in read):
        warnings.append("No waves were found to mark.")
    return DrawResult(
        file=str(save_figure(figure, out)),
        width_mm=width_mm,
        height_mm=height_mm,
        sheet=holding_sheet(width_mm, height_mm),
        recordings=tuple(
            DrawnRecording(file=str(r.path), window_s=(s.start_s, round(s.end_s, 3)))
            for r, s in zip(read, shown, strict=True)
        ),
        warnings=unique(warnings),
    )


def _read(path: Path, window: Window | None, stated: Stated) -> _Read:
    from worldmodel.delineation.measure import measure

    ecg = read_ecg(path, stated)
    stretch = stretch_of(ecg, window)
    return _Read(path, ecg, stretch.start_s, measure(stretch.part))
