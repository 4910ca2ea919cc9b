"""`train`: a world model from virtual trials."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit
from tools.errors import MissingInputError

DELINEATOR, LEADS, TYPICAL = "delineator", "leads", "typical"


def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and weights go.")],
    preset: Annotated[
        str,
        typer.Option(
            help="A world model (small), the marker of waves (delineator), how leads go together (leads), "
            "or what is typical of virtual patients (typical)."
        ),
    ] = "small",
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An annotated set for the delineator, recordings for leads."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints in DIR.")] = False,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a world model on a virtual trial of the known drugs, or one of the smaller models beside it."""
    from tools.train import train_delineator, train_leads, train_model, train_typical

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if preset == DELINEATOR:
        if data is None:
            raise MissingInputError(
                "The delineator learns from human marks.", "Name the folder of an annotated set with --data."
            )
        result = train_delineator(data, out, seed, resume, report)
    elif preset == LEADS:
        if data is None:
            raise MissingInputError(
                "How leads go together is learned from recordings.", "Name a folder of them with --data."
            )
        result = train_leads(data, out)
    elif data is not None:
        raise MissingInputError(
            f"Preset {preset} makes its own data.",
            "Leave --data out, or choose --preset delineator or leads.",
        )
    elif preset == TYPICAL:
        result = train_typical(out, seed)
    else:
        result = train_model(preset, out, seed, resume, report)
    emit(
        "train",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"weights: {result.weights}", markup=False, highlight=False),
    )
