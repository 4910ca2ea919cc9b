"""`train`: a world model from virtual trials."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit


def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and weights go.")],
    preset: Annotated[str, typer.Option(help="How large, and for how long.")] = "small",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints in DIR.")] = False,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a world model on a virtual trial of the known drugs."""
    from tools.train import train_model

    result = train_model(
        preset, out, seed, resume, report=lambda line: print(line, file=sys.stderr, flush=True)
    )
    emit(
        "train",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"weights: {result.weights}", markup=False, highlight=False),
    )
