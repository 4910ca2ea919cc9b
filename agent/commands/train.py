"""`train`: a world model from virtual trials."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit
from tools.errors import MissingInputError

DELINEATOR, MORPHOLOGIES = "delineator", "morphologies"


def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and weights go.")],
    preset: Annotated[
        str,
        typer.Option(
            help="A world model (small), the marker of waves that measuring uses (delineator), or the beats of the "
            "virtual trial (morphologies)."
        ),
    ] = "small",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="For the delineator: an annotated set, such as LUDB. For morphologies: 12-lead recordings; more "
            "than one folder may be named.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoints in DIR.")] = False,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a world model on a virtual trial of the known drugs, the delineator on human marks, or fit beats."""
    from tools.train import fit_morphologies, train_delineator, train_model

    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if preset == DELINEATOR:
        if data is None or len(data) != 1:
            raise MissingInputError(
                "The delineator learns from human marks.",
                "Name the folder of one annotated set with --data.",
            )
        result = train_delineator(data[0], out, seed, resume, report)
    elif preset == MORPHOLOGIES:
        if data is None:
            raise MissingInputError(
                "Morphologies are fitted to real recordings.",
                "Name folders of 12-lead recordings with --data.",
            )
        result = fit_morphologies(data, out, report)
    elif data is not None:
        raise MissingInputError(
            f"Preset {preset} makes its own data.",
            "Leave --data out, or choose --preset delineator or morphologies.",
        )
    else:
        result = train_model(preset, out, seed, resume, report)
    emit(
        "train",
        result,
        as_json=as_json,
        show=lambda console: console.print(f"weights: {result.weights}", markup=False, highlight=False),
    )
