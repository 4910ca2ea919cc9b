"""Tool: train the world model on a virtual trial of the catalogue's drugs, or one of the smaller models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue, load_catalogue
from tools.errors import OutputError, UsageError
from tools.exposure import action_of
from tools.find import find_recordings
from tools.results import Answer
from worldmodel.pharmacology import Action

if TYPE_CHECKING:
    from torch import Tensor


class TrainResult(Answer):
    """Where the weights were written. actions: of the virtual trial; None where there is no trial."""

    weights: str
    actions: int | None = None


Report = Callable[[str], None]


def train_part(
    preset: str, data: Sequence[Path], out: Path, seed: int, resume: bool, report: Report
) -> TrainResult:
    """Train one of PARTS, from the folders of real data that it needs, and write it to `out`.

    Raises UsageError where data or --resume do not go with it, OutputError, EcgFileError, DataSetError,
    WorldModelError.
    """
    part = PARTS[preset]
    if len(data) not in part.folders:
        most = max(part.folders)
        wanted = "no --data: it makes its own data" if most == 0 else "one --data" if most == 1 else "--data"
        raise UsageError(f"Preset {preset} takes {wanted}.", f"It learns from {part.learns_from}.")
    if resume and not part.resumes:
        raise UsageError(f"Preset {preset} has no checkpoints to go on from.", "Leave --resume out.")
    _try_to_write(out)
    return TrainResult(weights=str(part.train(data, out, seed, resume, report)))


def _try_to_write(out: Path) -> None:
    """Write to the folder, so that no training fails only when its weights are saved; leaves it as it was."""
    new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
        if new:
            out.rmdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write to {out}: {reason}", "Choose another folder with --out.") from error


@dataclass(frozen=True)
class Part:
    """One of the smaller models: what it learns from, how many folders that may be, and how it is trained."""

    learns_from: str
    folders: range
    train: Callable[[Sequence[Path], Path, int, bool, Report], Path]
    resumes: bool = False


def _delineator(data: Sequence[Path], out: Path, seed: int, resume: bool, report: Report) -> Path:
    from worldmodel.delineation.marker_training import BATCHES, train_markers
    from worldmodel.evaluation.annotated_sets import find_set

    return train_markers(find_set(data[0]), BATCHES, seed, out, resume, report)


def _population(data: Sequence[Path], out: Path, _seed: int, _resume: bool, report: Report) -> Path:
    from worldmodel.datasets.ecgrdvq import read_trial
    from worldmodel.population import save_population
    from worldmodel.population_fit import fit_population

    tenths: set[int] = set()

    def step(done: float) -> None:
        if int(10 * done) not in tenths:
            tenths.add(int(10 * done))
            report(f"population {100 * done:.0f} %")

    return save_population(fit_population(read_trial(data[0]), progress=step), out)


def _morphologies(data: Sequence[Path], out: Path, _seed: int, _resume: bool, report: Report) -> Path:
    from worldmodel.virtual.morphology_fit import fit_morphologies

    return fit_morphologies(_files_in(data, report), out, report)


def _leads(data: Sequence[Path], out: Path, _seed: int, _resume: bool, report: Report) -> Path:
    from worldmodel.leads_fitting import fit_leads
    from worldmodel.readers import read_ecg

    return fit_leads(map(read_ecg, _files_in(data, report)), out)


def _typical(_data: Sequence[Path], out: Path, seed: int, _resume: bool, _report: Report) -> Path:
    from worldmodel.typicality import measure_typical

    return measure_typical(out, seed)


def _labels(data: Sequence[Path], out: Path, seed: int, _resume: bool, report: Report) -> Path:
    from worldmodel.labels.training import train_labels

    return train_labels(data[0], out, seed, report)


ONE, SOME = range(1, 2), range(1, 100)
PARTS = {
    "delineator": Part("the human marks of an annotated set, such as LUDB", ONE, _delineator, resumes=True),
    "population": Part("the table of the ecgrdvq trial", ONE, _population),
    "morphologies": Part("12-lead recordings", SOME, _morphologies),
    "leads": Part("12-lead recordings", SOME, _leads),
    "typical": Part("virtual patients", range(1), _typical),
    "labels": Part("a folder with labelled recordings (LUDB, CinC 2021)", ONE, _labels),
}


def _files_in(folders: Sequence[Path], report: Report) -> Sequence[Path]:
    """The recordings in some folders; what cannot be one is reported."""
    found = find_recordings(folders)
    for problem in found.problems:
        if problem.error is not None:
            report(f"{problem.file}: {problem.error.message}")
    return found.files


def train_model(
    preset: str,
    out: Path,
    seed: int,
    resume: bool,
    report: Report,
    device: str = "auto",
    data: Sequence[Path] = (),
) -> TrainResult:
    """Train on the trial's actions and write the weights to `out`. Raises UsageError, OutputError,
    WorldModelError.

    data: folders of real recordings for the VAE to learn as well; the paper's presets take none.
    """
    from worldmodel.paper.train import PAPER_PRESETS, train_paper
    from worldmodel.train import PRESETS, train

    if preset not in PRESETS | PAPER_PRESETS:
        known = f"World models: {', '.join([*PRESETS, *PAPER_PRESETS])}; smaller ones: {', '.join(PARTS)}."
        raise UsageError(f"There is no preset {preset!r}.", known)
    actions = trial_actions(load_catalogue())
    if preset in PAPER_PRESETS:
        if data:
            raise UsageError(f"Preset {preset} makes its own data.", "Leave --data out.")
        _try_to_write(out)
        weights = train_paper(actions, preset, out, seed, resume, report, device)
    else:
        recordings = _recordings_in(data, report) if data else None
        _try_to_write(out)
        weights = train(actions, preset, out, seed, resume, report, device, recordings)
    return TrainResult(weights=str(weights), actions=len(actions))


def _recordings_in(folders: Sequence[Path], report: Report) -> "Tensor":
    """The ten-second windows of every usable recording in the folders."""
    from worldmodel.recordings import read_windows

    files = _files_in(folders, report)
    windows = read_windows(files)
    report(f"{len(windows)} windows of 10 s from {len(files)} recordings")
    return windows


def trial_actions(catalogue: Catalogue) -> list[Action]:
    """What the virtual trial gives: nothing, and each usual dose of each drug that acts on the ECG."""
    given = [GivenAction()]
    for drug in catalogue:
        if drug.effects.known():
            for route in drug.routes:
                doses = (
                    DrugDose(drug_id=drug.id, dose=d, unit=route.unit, route=route.route)
                    for d in route.usual_doses
                )
                given += [GivenAction(doses=(dose,)) for dose in doses]
    return [action_of(action, catalogue) for action in given]
