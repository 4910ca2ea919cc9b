"""`measure`: intervals, rhythm and quality of recordings."""

from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag
from agent.output import ExitCode, emit


def measure(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recordings of any supported format.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Read ECGs and print their intervals, rhythm and quality."""
    from agent.console import print_measure
    from tools.measure import measure_files

    result = measure_files(files)
    emit(
        "measure",
        result,
        as_json=as_json,
        show=lambda console: print_measure(console, result),
        warnings=result.warnings,
    )
    if any(recording.error for recording in result.recordings):
        raise typer.Exit(ExitCode.FAILED)
