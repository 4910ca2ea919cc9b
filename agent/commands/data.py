"""`data`: data sets to train on and to be measured by."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.options import JsonFlag, SeedOption
from agent.output import emit, progress_bar

if TYPE_CHECKING:
    from rich.console import Console

    from tools.data import ListResult

app = typer.Typer(help="Download, prepare and list data sets, and make one up.", rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(help="A data set of `data list`.")]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Where data sets lie. Default: data in this program's folder."
    ),
]


@app.command()
def fetch(
    name: NameArgument,
    folder: FolderOption = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A server of the same layout, instead of PhysioNet.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Download an open data set, going on where it stopped; checksums are compared."""
    from tools.data import fetch_data

    with progress_bar("downloading") as progress:
        result = fetch_data(name, _folder(folder), url, progress)
    line = f"{result.folder}: {result.files} files, {result.already} of them were there, {result.licence}"
    emit("data fetch", result, as_json=as_json, show=lambda console: _line(console, line))


@app.command()
def prepare(
    name: NameArgument,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Where it lies; default: where fetch puts it."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the store goes.")] = None,
    folder: FolderOption = None,
    before: Annotated[
        float,
        typer.Option("--before-h", min=0.1, max=720.0, help="mimic: the oldest ECG before a dose, hours."),
    ] = 24.0,
    after_from: Annotated[
        float,
        typer.Option("--after-from-h", min=0.0, max=72.0, help="mimic: the ECG after it, from so late."),
    ] = 0.25,
    after_until: Annotated[
        float, typer.Option("--after-until-h", min=0.1, max=720.0, help="mimic: ... until so late.")
    ] = 24.0,
    together: Annotated[
        float, typer.Option("--together-h", min=0.0, max=24.0, help="mimic: given so soon, it is one action.")
    ] = 0.5,
    facts: Annotated[
        float, typer.Option("--facts-h", min=1.0, max=8760.0, help="mimic: the oldest laboratory value.")
    ] = 72.0,
    patients: Annotated[int, typer.Option(min=1, max=1_000_000, help="virtual: how many people.")] = 64,
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Turn a data set into memory-mapped parts with a manifest and splits by subject, going on where it stopped."""
    from tools.data import PREPARED, prepare_data

    home = _folder(folder)
    windows = {
        "before_h": before,
        "after_from_h": after_from,
        "after_until_h": after_until,
        "together_h": together,
        "facts_h": facts,
    }
    with progress_bar("preparing") as progress:
        result = prepare_data(
            name,
            data or home / name,
            out or home / PREPARED / name,
            windows=windows,
            patients=patients,
            seed=seed,
            progress=progress,
        )
    splits = ", ".join(f"{count} {split}" for split, count in result.by_split.items())
    line = (
        f"{result.folder}: {result.transitions} transitions, {result.recordings} recordings of {result.subjects} "
        f"subjects ({splits})"
    )
    emit(
        "data prepare",
        result,
        as_json=as_json,
        show=lambda console: _line(console, line),
        warnings=result.warnings,
    )


@app.command("list")
def list_sets(folder: FolderOption = None, as_json: JsonFlag = False) -> None:
    """Show the data sets, and which of them are downloaded and prepared."""
    from tools.data import list_data

    result = list_data(_folder(folder))
    emit("data list", result, as_json=as_json, show=lambda console: _print_sets(console, result))


@app.command()
def make(
    out: Annotated[Path, typer.Option(metavar="DIR", help="A folder that is not there yet.")],
    patients: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 100,
    labs: Annotated[int, typer.Option(min=6, max=10_000, help="Laboratory values of each.")] = 60,
    policy: Annotated[
        str, typer.Option(help="How its clinician chooses: risk-averse or random; known in truth/.")
    ] = "risk-averse",
    seed: SeedOption = 0,
    as_json: JsonFlag = False,
) -> None:
    """Make up a data set of the shape of MIMIC-IV, with its traps and a known clinician; no patient in it exists."""
    from tools.data import make_data

    with progress_bar("making") as progress:
        result = make_data(out, patients, labs, policy, seed, progress)
    line = f"{result.folder}: {result.patients} made patients, {result.recordings} recordings"
    emit("data make", result, as_json=as_json, show=lambda console: _line(console, line))


def _folder(given: Path | None) -> Path:
    from agent.settings import load_settings

    return given or load_settings().home / "data"


def _line(console: "Console", text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_sets(console: "Console", result: "ListResult") -> None:
    for one in result.data_sets:
        state = "not here" if one.folder is None else one.folder
        if one.prepared is not None:
            state = (
                f"{one.transitions} transitions in {one.prepared}"
                if one.complete
                else f"unfinished in {one.prepared}"
            )
        _line(console, f"{one.name}: {one.title} ({one.licence}; {one.access})")
        console.print(f"  {state}", style="dim", markup=False, highlight=False, soft_wrap=True)
