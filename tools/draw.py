"""Tool: one or two recordings on ECG paper, into a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.measure import file_name
from tools.results import Answer, Result, unique
from tools.stretch import Stretch, stretch_of
from tools.window import Window
from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement
from worldmodel.readers import read_ecg
from worldmodel.readers.stated import NOTHING_STATED, Stated

if TYPE_CHECKING:
    from tools.strips import HeadLine
    from tools.traces import Shown

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
    """A file, read, and the stretch of it that is measured and drawn."""

    path: Path
    ecg: Ecg
    stretch: Stretch
    measured: Measurement

    @property
    def name(self) -> str:
        """Of the file, short enough to stand in a line."""
        from tools.paper import shortened
        from tools.strips import HEAD_PT

        return shortened(self.path.name, HEAD_PT, NAME_MM)

    def shown(self, marks: bool) -> "Shown":
        """As it goes to the paper."""
        from tools.traces import Shown

        start_s, length_s = self.stretch.start_s, self.stretch.part.duration_s
        marks_s = self.measured.beat_marks_s + start_s if marks else None
        return Shown(self.ecg, self.name, start_s, length_s, marks_s)


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
    from tools.paper import MM_PER_INCH, holding_sheet
    from tools.plot import check_format, draw_strips, save_figure

    check_format(out)
    read = [_read(path, window, stated) for path in (file, compare) if path is not None]
    beats = [r.measured.median_beat for r in read]
    figure = draw_strips(
        [r.shown(marks) for r in read],
        title=" and ".join(r.name for r in read) if compare else file.name,
        head=_head(read),
        layout=layout,
        beats=(beats[0], beats[1]) if len(beats) == 2 and beats[0] and beats[1] else None,
    )
    width_mm, height_mm = (round(float(inch) * MM_PER_INCH, 1) for inch in figure.get_size_inches())
    warnings = [warning for r in read for warning in r.ecg.warnings]
    if marks and not any(np.isfinite(r.measured.beat_marks_s).any() for r in read):
        warnings.append("No waves were found to mark.")
    return DrawResult(
        file=file_name(save_figure(figure, out)),
        width_mm=width_mm,
        height_mm=height_mm,
        sheet=holding_sheet(width_mm, height_mm),
        recordings=tuple(DrawnRecording(file=file_name(r.path), window_s=r.stretch.window_s) for r in read),
        warnings=unique(warnings),
    )


def _read(path: Path, window: Window | None, stated: Stated) -> _Read:
    from worldmodel.delineation.measure import measure

    ecg = read_ecg(path, stated)
    stretch = stretch_of(ecg, window)
    return _Read(path, ecg, stretch, measure(stretch.part))


def _head(read: Sequence[_Read]) -> list["HeadLine"]:
    """What was measured; of two recordings each in its colour, and then their difference."""
    from tools.captions import change_line, measured_lines
    from tools.paper import AFTER, BEFORE
    from tools.strips import HeadLine

    if len(read) == 1:
        return [HeadLine(line) for line in measured_lines(read[0].measured)]
    lines = [
        HeadLine(line, color)
        for r, color in zip(read, (BEFORE, AFTER), strict=True)
        for line in measured_lines(r.measured, r.name)
    ]
    return [*lines, HeadLine(change_line(*(r.measured.intervals for r in read)))]
