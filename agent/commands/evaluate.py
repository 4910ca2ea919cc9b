"""`evaluate`: what the model and the delineator can do, measured."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit, progress_bar

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Measure the model, and the delineator, against truth they have not seen.", rich_markup_mode=None
)


@app.callback()
def evaluations() -> None:
    """Measure the model, and the delineator, against truth they have not seen."""


@app.command()
def worldmodel(
    patients: Annotated[int, typer.Option(min=2, max=1000, help="Unseen virtual patients.")] = 40,
    k: Annotated[int, typer.Option("-k", min=3, max=50, help="Simulated ECGs for each action.")] = 8,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="Real recordings for encode-decode; repeat for several."),
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """The table of goals on virtual patients, by our own delineator, beside oracle, persistence and other rivals."""
    from agent.console_worldmodel import print_worldmodel
    from tools.evaluate import evaluate_worldmodel

    with progress_bar("evaluating") as progress:
        result = evaluate_worldmodel(patients, k, seed, progress, data or [])
    emit(
        "evaluate worldmodel",
        result,
        as_json=as_json,
        show=lambda console: print_worldmodel(console, result),
        warnings=result.warnings,
    )


@app.command()
def ablations(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where figures, numbers and trainings go.")],
    patients: Annotated[int, typer.Option(min=2, max=200, help="Unseen virtual patients.")] = 8,
    steps: Annotated[int, typer.Option(min=50, max=100_000, help="Of each of four short trainings.")] = 300,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """The paper's ablations (K, lambda, energy, missing leads, wrong prior) and the blindness of the MSE, drawn."""
    from tools.evaluate_ablations import evaluate_ablations

    result = evaluate_ablations(out, patients, steps, seed, _report)

    def show(console: "Console") -> None:
        for one in result.ablations:
            console.print(f"{one.name}: {one.finding}", markup=False, highlight=False)
            console.print(f"  {one.figure}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"numbers: {result.table}", markup=False, highlight=False, soft_wrap=True)

    emit("evaluate ablations", result, as_json=as_json, show=show)


@app.command()
def ecgrdvq(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The trial's table, or the folder that holds it.")
    ],
    with_concentration: Annotated[
        bool, typer.Option("--with-concentration", help="Let predictions know the plasma concentration.")
    ] = False,
    observe_until: Annotated[
        float | None,
        typer.Option(
            metavar="HOURS",
            min=0.0,
            max=23.0,
            help="Let predictions know the ECGs up to so many hours after the dose, of 24.",
        ),
    ] = None,
    leave_one_subject_out: Annotated[
        bool, typer.Option("--leave-one-subject-out", help="Fit again without each subject (minutes each).")
    ] = False,
    predictions: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write one row for each subject, arm and time.")
    ] = None,
    recordings: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Simulate the trial's drugs on these sinus ECGs, too; repeat."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="Simulated ECGs for each of these.")] = 3,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """What stage one predicts for the subjects of the FDA's crossover trial, beside what was measured in them."""
    from agent.console_trial import print_trial
    from tools.evaluate_trial import evaluate_trial

    with progress_bar("predicting") as progress:
        result = evaluate_trial(
            data,
            with_concentration=with_concentration,
            observe_until_h=observe_until,
            leave_one_subject_out=leave_one_subject_out,
            predictions=predictions,
            recordings=recordings or [],
            k=k,
            seed=seed,
            progress=progress,
        )
    emit(
        "evaluate ecgrdvq",
        result,
        as_json=as_json,
        show=lambda console: print_trial(console, result),
        warnings=result.warnings,
    )


@app.command()
def delineation(
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="DIR", help="LUDB, QT database, FDA medians; repeat for several."),
    ] = None,
    annotator: Annotated[
        str | None,
        typer.Option(metavar="EXT", help="Extension of the marks in DIR, for other WFDB records."),
    ] = None,
    neurokit: Annotated[
        str | None, typer.Option(metavar="PYTHON", help="A Python that has NeuroKit2, to compare with.")
    ] = None,
    synthetic: Annotated[
        int, typer.Option(min=0, max=10_000, help="Synthetic ECGs of each kind, of known intervals.")
    ] = 100,
    records: Annotated[
        int | None, typer.Option(min=1, help="At most so many of each set, drawn with the seed.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Our delineator against human marks and known truth, beside NeuroKit2 on the same beats."""
    from agent.console_delineation import print_delineation
    from tools.evaluate_delineation import evaluate_delineation

    with progress_bar("evaluating") as progress:
        result = evaluate_delineation(data or [], annotator, neurokit, synthetic, records, seed, progress)
    emit(
        "evaluate delineation",
        result,
        as_json=as_json,
        show=lambda console: print_delineation(console, result),
        warnings=result.warnings,
    )


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
