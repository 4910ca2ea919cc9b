"""`evaluate`: what the model and the delineator can do, measured."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit, progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from tools.evaluate import EvaluationResult

app = typer.Typer(
    help="Measure the model, and the delineator, against truth they have not seen.", rich_markup_mode=None
)


@app.callback()
def evaluations() -> None:
    """Measure the model, and the delineator, against truth they have not seen."""


@app.command()
def worldmodel(
    patients: Annotated[int, typer.Option(min=1, max=1000, help="Unseen virtual patients.")] = 40,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="Simulated ECGs for each action.")] = 3,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Mean effects of the trial's drugs, simulated against true, on virtual patients, by our own delineator."""
    from tools.evaluate import evaluate_worldmodel

    with progress_bar("evaluating") as progress:
        result = evaluate_worldmodel(patients, k, seed, progress)
    emit("evaluate worldmodel", result, as_json=as_json, show=lambda console: _show(console, result))


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


def _show(console: "Console", result: "EvaluationResult") -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("action", "interval", "true change", "simulated", "bias"):
        table.add_column(heading, justify="left" if heading in ("action", "interval") else "right")
    before = ""
    for row in result.effects:
        name = f"{row.action}, {row.hours:g} h" if row.action != before else ""
        table.add_row(
            name,
            row.interval,
            f"{row.true_mean:+.1f} ± {row.true_sd:.1f}" if row.true_mean is not None else "-",
            f"{row.simulated_mean:+.1f} ± {row.simulated_sd:.1f}" if row.simulated_mean is not None else "-",
            f"{row.bias:+.1f}" if row.bias is not None else "-",
        )
        before = row.action
    console.print(table)
    for line in result.summary:
        console.print(
            f"{line.interval}: RMS bias over the actions {line.rms_bias}, "
            f"of persistence {line.rms_bias_of_persistence}",
            highlight=False,
        )
    console.print(
        f"{result.patients} unseen virtual patients, K = {result.k}, seed {result.seed}; ± is the SD over patients. "
        f"{result.model.name}, trained on {result.model.trained_on}.",
        highlight=False,
    )
