"""`plot`: twelve leads on ECG paper."""

from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag
from agent.output import emit


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    out: Annotated[Path, typer.Option(metavar="X.png", help="Where to write it: .png, .svg or .pdf.")],
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A second recording, laid over it.")
    ] = None,
    layout: Annotated[str, typer.Option(help='"3x4+1" or "12x1".')] = "3x4+1",
    as_json: JsonFlag = False,
) -> None:
    """Draw one or two recordings on ECG paper, 25 mm/s and 10 mm/mV."""
    from tools.draw import draw_files

    result = draw_files(file, out, compare, layout)
    emit(
        "plot",
        result,
        as_json=as_json,
        show=lambda console: console.print(result.file, markup=False, highlight=False),
        warnings=result.warnings,
    )
