"""`train`: a world model from virtual trials, and the smaller models beside it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit


def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and weights go.")],
    preset: Annotated[
        str,
        typer.Option(
            help="A world model (small, base for a GPU, paper, paper-as-written), or one of the smaller models: "
            "population (who reacts how), morphologies (beats of virtual patients), delineator (marks of waves), "
            "leads (how leads go together), typical (of virtual patients), labels (17 labels)."
        ),
    ] = "small",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Real data to learn from; may be repeated. The delineator needs an annotated set, population the "
            "table of ecgrdvq; morphologies, leads and labels need recordings; small and base can use some.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints in DIR.")] = False,
    device: Annotated[
        str, typer.Option(help="auto (a GPU where there is one), cuda or cpu. For world models.")
    ] = "auto",
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a world model on a virtual trial of the known drugs, or one of the smaller models beside it."""
    from tools.train import PARTS, train_model, train_part

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if preset in PARTS:
        result = train_part(preset, data or [], out, seed, resume, report)
    else:
        result = train_model(preset, out, seed, resume, report, device, data or [])
    emit(
        "train",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"weights: {result.weights}", markup=False, highlight=False),
    )
