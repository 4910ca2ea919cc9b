"""Data sets: what there is, downloading, preparing, and making one up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.results import Answer, Result
from worldmodel.datasets.sources import DATA_SETS, DataSet, open_folder
from worldmodel.errors import DataSetError

if TYPE_CHECKING:
    from worldmodel.datasets.transition import Room

Progress = Callable[[float], None]
PREPARED = "prepared"


class FetchResult(Result):
    """files: of the data set; already: of these, were there; downloaded_bytes: came over the network."""

    name: str
    folder: str
    files: int
    already: int
    downloaded_bytes: int
    licence: str


class PrepareResult(Answer):
    """skipped: recordings that could not be read; left_out: transitions with one of these; with_defects: kept."""

    name: str
    folder: str
    subjects: int
    recordings: int
    transitions: int
    skipped: int
    left_out: int
    with_defects: int
    by_split: dict[str, int]
    settings: dict[str, Any]


class ListedSet(Result):
    """folder: where it was downloaded, prepared: where its store is; null where it was not."""

    name: str
    title: str
    licence: str
    access: str
    folder: str | None
    prepared: str | None
    recordings: int | None
    transitions: int | None
    complete: bool | None


class ListResult(Result):
    """Every data set this program knows."""

    folder: str
    data_sets: tuple[ListedSet, ...]


class MadeResult(Result):
    """rows: by table."""

    folder: str
    patients: int
    recordings: int
    rows: dict[str, int]
    policy: str


def fetch_data(
    name: str, folder: Path, url: str | None = None, progress: Progress | None = None
) -> FetchResult:
    """Download a data set into `folder`/name. url: of another server with the same layout. Raises DataSetError."""
    from worldmodel.datasets.fetching import fetch

    known = _known(name)
    if known.credentials:
        raise DataSetError(f"{name} needs credentials.", known.credentials)
    if not known.modules:
        raise DataSetError(f"{name} is made, not downloaded.", f"`data prepare {name}` makes it.")
    fetched = []
    for number, (below, official) in enumerate(known.modules):

        def told(fraction: float, number: int = number) -> None:
            if progress:
                progress((number + fraction) / len(known.modules))

        fetched.append(fetch(_module_url(url, below) or official, folder / name / below, told))
    return FetchResult(
        name=name,
        folder=str(folder / name),
        files=sum(one.files for one in fetched),
        already=sum(one.already for one in fetched),
        downloaded_bytes=sum(one.downloaded for one in fetched),
        licence=known.licence,
    )


def prepare_data(
    name: str,
    data: Path,
    out: Path,
    *,
    windows: dict[str, float] | None = None,
    patients: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> PrepareResult:
    """Turn the data set in `data` into a store in `out`, or go on with it. Raises DataSetError.

    windows: hours around a dose, for mimic; patients and seed: for virtual.
    """
    from worldmodel.datasets.preparing import prepare
    from worldmodel.datasets.splits import SPLITS
    from worldmodel.datasets.store import Store

    room, settings = _open(_known(name), data, out, windows or {}, patients, seed, progress)
    manifest = prepare(room, out, settings, progress)
    (out / "tables.sqlite").unlink(missing_ok=True)
    splits = list(Store(out).splits.values())
    warnings = []
    if manifest["skipped"]:
        warnings.append(
            f"{manifest['skipped']} recordings could not be read; the parts' .json files say which and why."
        )
    return PrepareResult(
        name=name,
        folder=str(out),
        by_split={split: splits.count(split) for split in SPLITS},
        settings=settings,
        warnings=tuple(warnings),
        **{key: manifest[key] for key in ("subjects", "recordings", "transitions", "skipped")},
        **{key: manifest[key] for key in ("left_out", "with_defects")},
    )


def list_data(folder: Path) -> ListResult:
    """What is known, what is downloaded, and what is prepared."""
    return ListResult(folder=str(folder), data_sets=tuple(_listed(one, folder) for one in DATA_SETS.values()))


def make_data(
    out: Path, patients: int, labs: int, policy: str, seed: int, progress: Progress | None = None
) -> MadeResult:
    """Write a made data set of the shape of MIMIC-IV. policy: how its clinician chooses. Raises DataSetError."""
    from worldmodel.datasets.made_mimic import make_mimic
    from worldmodel.datasets.made_policy import POLICIES, Policy

    if policy not in POLICIES:
        raise DataSetError(f"There is no policy {policy!r}.", f"Known are {', '.join(POLICIES)}.")
    made = make_mimic(out, patients, seed, labs, replace(Policy(), name=policy), progress)
    return MadeResult(
        folder=str(out), patients=made.patients, recordings=made.recordings, rows=made.rows, policy=policy
    )


def _known(name: str) -> DataSet:
    if name not in DATA_SETS:
        raise DataSetError(f"There is no data set {name!r}.", f"Known are {', '.join(DATA_SETS)}.")
    return DATA_SETS[name]


def _module_url(url: str | None, below: str) -> str | None:
    return None if url is None else f"{url.rstrip('/')}/{below}".rstrip("/")


def _open(
    known: DataSet,
    data: Path,
    out: Path,
    windows: dict[str, float],
    patients: int,
    seed: int,
    progress: Progress | None,
) -> "tuple[Room, dict[str, Any]]":
    """The room, and the settings that its store depends on."""
    if known.name == "virtual":
        from worldmodel.datasets.virtual import Virtual

        return Virtual(patients, seed), {"patients": patients, "seed": seed}
    if not data.is_dir():
        raise DataSetError(
            f"There is no folder {data}.", f"`data fetch {known.name}`, or name the folder with --data."
        )
    if known.name.startswith("mimic"):
        from worldmodel.datasets.mimic import Mimic, Windows

        out.mkdir(parents=True, exist_ok=True)
        room = Mimic(data, out / "tables.sqlite", replace(Windows(), **windows), progress)
        return room, room.settings
    return open_folder(known.name, data), {}


def _listed(known: DataSet, folder: Path) -> ListedSet:
    from worldmodel.datasets.store import read_manifest

    place, store = folder / known.name, folder / PREPARED / known.name
    manifest: dict[str, Any] = {}
    if (store / "manifest.json").is_file():
        try:
            manifest = read_manifest(store)
        except DataSetError:  # damaged or of another version: `data prepare` says which, and the list goes on
            manifest = {"complete": False}
    access = "credentials needed" if known.credentials else "open" if known.modules else "made"
    return ListedSet(
        name=known.name,
        title=known.title,
        licence=known.licence,
        access=access,
        folder=str(place) if place.is_dir() else None,
        prepared=str(store) if manifest else None,
        recordings=manifest.get("recordings"),
        transitions=manifest.get("transitions"),
        complete=manifest.get("complete") if manifest else None,
    )
