"""`measure`: intervals, rhythm and quality of recordings."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from agent.options import FsOption, JsonFlag, LeadsOption, UnitOption, WindowOption, stated_facts
from agent.output import ExitCode, emit, progress_bar

MOST_SHOWN = 100


def measure(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Recordings of any supported format; of a folder, all in and below it, other files passed over.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="X.jsonl",
            help="Write all measurements there, .jsonl or .csv, and print only their summary. "
            "If it exists, go on: files that it has are not measured again, those that failed neither.",
        ),
    ] = None,
    window: WindowOption = None,
    per_lead: Annotated[
        bool, typer.Option("--per-lead", help="Print the intervals of each lead, too.")
    ] = False,
    fs: FsOption = None,
    unit: UnitOption = None,
    leads: LeadsOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="Processes that share a large folder; otherwise one for each core."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read ECGs and print their intervals, rhythm and quality. Of more than 100, only a summary is printed; for all
    of them, name a file with --out, or use --json.
    """
    from agent.console import print_measure
    from tools.find import find_recordings
    from tools.measure import measure_found
    from tools.measure_many import files_to_do, summarise
    from tools.measured_file import MeasuredFile

    stated = stated_facts(fs, unit, leads)
    workers = jobs or os.cpu_count() or 1
    with MeasuredFile(out) if out else nullcontext() as kept:
        found = find_recordings(files, stated)
        count = len(files_to_do(found, kept))
        with progress_bar("measuring", count) as progress:
            try:
                if kept is None and (as_json or count <= MOST_SHOWN):
                    result = measure_found(found, window, stated, workers, progress)
                else:
                    result = summarise(found, kept, window, stated, workers, progress)
            except KeyboardInterrupt:
                if kept:
                    print(f"stopped; the same command goes on with {kept.path}", file=sys.stderr)
                raise
    emit(
        "measure",
        result,
        as_json=as_json,
        show=lambda console: print_measure(console, result, per_lead=per_lead),
        warnings=result.warnings,
    )
    if result.failed:
        raise typer.Exit(ExitCode.FAILED)
