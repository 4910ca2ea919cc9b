"""Tool: one or two recordings on ECG paper, into a file."""

from pathlib import Path

from tools.results import Answer, unique
from worldmodel.readers import read_ecg


class DrawResult(Answer):
    """The picture that was written."""

    file: str


def draw_files(file: Path, out: Path, compare: Path | None = None, layout: str = "3x4+1") -> DrawResult:
    """Draw `file`, and `compare` laid over it, into `out`. Raises EcgFileError, PlotError, OutputError."""
    from tools.plot import draw_ecg, intervals_line, save_figure
    from worldmodel.delineation.measure import measure

    ecg = read_ecg(file)
    other = None if compare is None else read_ecg(compare)
    names = (file.name, compare.name if compare else "")
    figure = draw_ecg(
        ecg,
        other,
        title=" and ".join(filter(None, names)),
        subtitle=intervals_line(measure(ecg).intervals),
        names=names,
        layout=layout,
    )
    warnings = (*ecg.warnings, *(other.warnings if other else ()))
    return DrawResult(file=str(save_figure(figure, out)), warnings=unique(warnings))
