"""`align`: what the pipeline ranks first, beside what was prescribed, for many episodes."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import DEFAULT_K, DEFAULT_LAMBDA, JsonFlag, KOption, SeedOption
from agent.output import ExitCode, emit, progress_bar
from agent.talk_options import BaseUrlOption


def align(
    episodes: Annotated[
        Path,
        typer.Argument(
            metavar="EPISODES",
            help="CSV or JSON lines: id, subject, ecg, patient, prescribed; also time, ecg_time, indication, goal, "
            "severity. Paths count from its folder.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where parts, manifest and page go, and a run is gone on with. Default: EPISODES-alignment.",
        ),
    ] = None,
    k: KOption = DEFAULT_K,
    lambda_: Annotated[
        float,
        typer.Option(
            "--lambda", min=0.0, max=10.0, help="Weight of the spread; may change without simulating again."
        ),
    ] = DEFAULT_LAMBDA,
    seed: SeedOption = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes that share the work. Default: one for each core.")
    ] = None,
    language_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A language model to compare with; it is sent age, sex, indication and intervals.",
        ),
    ] = None,
    base_url: BaseUrlOption = None,
    price: Annotated[
        tuple[float, float], typer.Option(metavar="IN OUT", help="Its USD for a million tokens.")
    ] = (0.0, 0.0),
    max_cost: Annotated[
        float | None, typer.Option(metavar="USD", min=0.0, help="Ask no further where this could be passed.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the language model would cost, and ask nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Rank the candidates of each episode and compare with what was prescribed; goes on where it was stopped."""
    from agent.alignment_language import language_named
    from agent.alignment_page import write_page
    from agent.console_alignment import print_alignment, print_cost
    from tools.alignment.engine import UNIT, here, in_processes
    from tools.alignment.read import read_episodes
    from tools.alignment.run import align_episodes, language_cost

    language = language_named(language_model, base_url, price, max_cost, dry_run)
    read = read_episodes(episodes)
    folder = out or Path(f"{episodes.stem}-alignment")
    if language is not None and dry_run:
        cost = language_cost(read, folder, k=k, seed=seed, name=language.name, price=language.price)
        emit("align", cost, as_json=as_json, show=lambda console: print_cost(console, cost))
        return
    processes = min(jobs or os.cpu_count() or 1, -(-len(read) // UNIT))
    engine = here if processes == 1 else in_processes(processes)
    with progress_bar("aligning", len(read)) as progress:
        result = align_episodes(
            read,
            folder,
            k=k,
            lambda_=lambda_,
            seed=seed,
            engine=engine,
            language=language,
            progress=progress,
        )
    result = result.model_copy(update={"page": str(write_page(folder / "alignment.html", result))})
    emit(
        "align",
        result,
        as_json=as_json,
        show=lambda console: print_alignment(console, result),
        warnings=result.warnings,
    )
    if not result.scored:
        sys.exit(ExitCode.FAILED)
