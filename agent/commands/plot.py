"""`plot`: twelve leads on ECG paper."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import FsOption, JsonFlag, LeadsOption, UnitOption, WindowOption, stated_facts
from agent.output import emit

if TYPE_CHECKING:
    from tools.draw import DrawResult


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    out: Annotated[Path, typer.Option(metavar="X.png", help="Where to write it: .png, .svg or .pdf.")],
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A second recording: its strips beside those of the first, its median beat over the other's.",
        ),
    ] = None,
    layout: Annotated[
        str, typer.Option(help='"3x4+1", or "12x1", which also shows leads beyond the twelve.')
    ] = "3x4+1",
    marks: Annotated[bool, typer.Option("--marks", help="Mark where P, QRS and T begin and end.")] = False,
    window: WindowOption = None,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw one or two recordings on ECG paper, 25 mm/s and 10 mm/mV when printed at 100 %."""
    from tools.draw import draw_files

    stated = stated_facts(fs, unit, leads)
    result = draw_files(file, out, compare, layout, window=window, marks=marks, stated=stated)
    emit(
        "plot",
        result,
        as_json=as_json,
        show=lambda console: console.print(
            f"{result.file}\n{_size(result)}", markup=False, highlight=False, soft_wrap=True
        ),
        warnings=result.warnings,
    )


def _size(result: "DrawResult") -> str:
    where = f"on {result.sheet}" if result.sheet else "on paper larger than A3"
    return f"  {result.width_mm:.0f} x {result.height_mm:.0f} mm: true to scale when printed at 100 % {where}"
