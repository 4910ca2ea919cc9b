"""Tool: train the world model on a virtual trial of the catalogue's drugs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue, load_catalogue
from tools.errors import MissingInputError
from tools.exposure import action_of
from tools.find import find_recordings
from tools.results import Answer
from worldmodel.errors import WorldModelError
from worldmodel.pharmacology import Action

if TYPE_CHECKING:
    from torch import Tensor


class TrainResult(Answer):
    """Where the weights were written. actions: of the virtual trial; None where there is no trial."""

    weights: str
    actions: int | None = None


def train_delineator(
    data: Path, out: Path, seed: int, resume: bool, report: Callable[[str], None]
) -> TrainResult:
    """Train the marker of the delineator on an annotated set. Raises EcgFileError, WorldModelError."""
    from worldmodel.delineation.marker_training import BATCHES, train_markers
    from worldmodel.evaluation.annotated_sets import find_set

    return TrainResult(weights=str(train_markers(find_set(data), BATCHES, seed, out, resume, report)))


def fit_morphologies(data: Sequence[Path], out: Path, report: Callable[[str], None]) -> TrainResult:
    """Fit the beats of the virtual trial to the recordings in some folders. Raises WorldModelError."""
    from worldmodel.virtual import morphology_fit

    found = find_recordings(data)
    for problem in found.problems:
        if problem.error is not None:
            report(f"{problem.file}: {problem.error.message}")
    return TrainResult(weights=str(morphology_fit.fit_morphologies(found.files, out, report)))


def train_model(
    preset: str,
    out: Path,
    seed: int,
    resume: bool,
    report: Callable[[str], None],
    device: str = "auto",
    data: Sequence[Path] = (),
) -> TrainResult:
    """Train on the trial's actions and write the weights to `out`. Raises WorldModelError.

    data: folders of real recordings for the VAE to learn as well; the paper's presets take none.
    """
    from worldmodel.paper.train import PAPER_PRESETS, train_paper
    from worldmodel.train import PRESETS, train

    if preset not in PRESETS | PAPER_PRESETS:
        known = ", ".join([*PRESETS, *PAPER_PRESETS])
        raise WorldModelError(f"There is no preset {preset!r}.", f"World models: {known}.")
    actions = trial_actions(load_catalogue())
    if preset in PAPER_PRESETS:
        if data:
            raise MissingInputError(f"Preset {preset} makes its own data.", "Leave --data out.")
        weights = train_paper(actions, preset, out, seed, resume, report, device)
    else:
        recordings = _recordings_in(data, report) if data else None
        weights = train(actions, preset, out, seed, resume, report, device, recordings)
    return TrainResult(weights=str(weights), actions=len(actions))


def _recordings_in(folders: Sequence[Path], report: Callable[[str], None]) -> "Tensor":
    """The ten-second windows of every usable recording in the folders."""
    from tools.find import find_recordings
    from worldmodel.recordings import read_windows

    files = find_recordings(folders).files
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
