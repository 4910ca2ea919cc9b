"""`train`: a world model from virtual trials."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit
from tools.errors import MissingInputError

DELINEATOR = "delineator"


def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and weights go.")],
    preset: Annotated[
        str,
        typer.Option(
            help="A world model (small, base for a GPU, paper, paper-as-written), or the marker of waves that "
            "measuring uses (delineator)."
        ),
    ] = "small",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="For the delineator: an annotated set, such as LUDB. For small and base: real recordings, which the "
            "autoencoder then learns as well.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints in DIR.")] = False,
    device: Annotated[
        str, typer.Option(help="auto (a GPU where there is one), cuda or cpu. For world models.")
    ] = "auto",
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a world model on a virtual trial of the known drugs, or the delineator on human marks."""
    from tools.train import train_delineator, train_model

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if preset == DELINEATOR:
        if data is None:
            raise MissingInputError(
                "The delineator learns from human marks.", "Name the folder of an annotated set with --data."
            )
        result = train_delineator(data, out, seed, resume, report)
    else:
        result = train_model(preset, out, seed, resume, report, device, [data] if data else [])
    emit(
        "train",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"weights: {result.weights}", markup=False, highlight=False),
    )
