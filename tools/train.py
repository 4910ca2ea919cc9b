"""Tool: train the world model on a virtual trial of the catalogue's drugs, and the smaller models beside it."""

from collections.abc import Callable
from pathlib import Path

from knowledge.doses import DrugDose, GivenAction
from knowledge.drugs import Catalogue, load_catalogue
from tools.exposure import action_of
from tools.results import Answer
from worldmodel.pharmacology import Action


class TrainResult(Answer):
    """Where the weights were written. actions: of the virtual trial; None where none is needed."""

    weights: str
    actions: int | None = None


def train_delineator(
    data: Path, out: Path, seed: int, resume: bool, report: Callable[[str], None]
) -> TrainResult:
    """Train the marker of the delineator on an annotated set. Raises EcgFileError, WorldModelError."""
    from worldmodel.delineation.marker_training import BATCHES, train_markers
    from worldmodel.evaluation.annotated_sets import find_set

    return TrainResult(weights=str(train_markers(find_set(data), BATCHES, seed, out, resume, report)))


def train_leads(data: Path, out: Path) -> TrainResult:
    """Learn how leads go together from the recordings in a folder. Raises EcgFileError, WorldModelError."""
    from tools.find import find_recordings
    from worldmodel.leads_fitting import fit_leads
    from worldmodel.readers import read_ecg

    return TrainResult(weights=str(fit_leads(map(read_ecg, find_recordings([data]).files), out)))


def train_typical(out: Path, seed: int) -> TrainResult:
    """Measure virtual patients, by whom an ECG is judged typical or not. Raises WorldModelError."""
    from worldmodel.typicality import measure_typical

    return TrainResult(weights=str(measure_typical(out, seed)))


def train_model(
    preset: str, out: Path, seed: int, resume: bool, report: Callable[[str], None]
) -> TrainResult:
    """Train on the trial's actions and write the weights to `out`. Raises WorldModelError."""
    from worldmodel.train import train

    actions = trial_actions(load_catalogue())
    weights = train(actions, preset, out, seed, resume, report)
    return TrainResult(weights=str(weights), actions=len(actions))


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
