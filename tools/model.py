"""The world model and the model of the labels, each loaded once per process."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tools.results import LabelModelUsed, ModelUsed
from worldmodel.ecg import Ecg
from worldmodel.labels.definition import LabelScores
from worldmodel.measurement import Measurement
from worldmodel.model import WorldModel
from worldmodel.networks import ModelInfo

WEIGHTS = "ECGWM_WEIGHTS"  # names weights of one's own training
ECG_FM = "ECGWM_ECGFM"  # names ECG-FM's published checkpoint, where the user has it


@lru_cache(maxsize=1)
def shared_model() -> WorldModel:
    """The shipped weights, or those that the environment variable WEIGHTS names. Raises WeightsError."""
    own = os.environ.get(WEIGHTS)
    return WorldModel.load(Path(own) if own else None)


def model_used(info: ModelInfo) -> ModelUsed:
    """The printable form of what the model says of itself."""
    return ModelUsed(
        name=info.name,
        version=info.version,
        trained_on=info.trained_on,
        synthetic=info.synthetic,
        sha256=info.sha256,
    )


@dataclass(frozen=True)
class LabelModel:
    """Who judges the 17 labels of an ECG and its measurement."""

    used: LabelModelUsed
    judge: Callable[[Ecg, Measurement], LabelScores]


def label_model(ecg_fm: Path | None = None) -> LabelModel:
    """ECG-FM from its checkpoint, here or in the environment variable ECG_FM; where there is none, the shipped model.

    Raises WeightsError for a checkpoint of another layout.
    """
    checkpoint = ecg_fm or os.environ.get(ECG_FM)
    return _ecg_fm(Path(checkpoint)) if checkpoint else _shipped_labels()


@lru_cache(maxsize=1)
def _shipped_labels() -> LabelModel:
    from worldmodel.labels.model import NAME, WEIGHTS, shipped_labels

    labels = shipped_labels()
    return LabelModel(_used(NAME, WEIGHTS), lambda _, measured: labels.judge(measured))


@lru_cache(maxsize=1)
def _ecg_fm(checkpoint: Path) -> LabelModel:
    from worldmodel.labels.ecg_fm import NAME
    from worldmodel.labels.ecg_fm_checkpoint import load_ecg_fm

    network = load_ecg_fm(checkpoint)
    return LabelModel(_used(NAME, checkpoint), lambda ecg, _: network.judge(ecg))


def _used(name: str, path: Path) -> LabelModelUsed:
    with path.open("rb") as file:  # a gigabyte, where it is ECG-FM's
        digest = hashlib.file_digest(file, "sha256")
    return LabelModelUsed(name=name, file=path.name, sha256=digest.hexdigest())
