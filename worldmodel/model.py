"""The face of the world model: encode an ECG, simulate what an action does to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement
from worldmodel.pharmacology import Action, PatientContext


@dataclass(frozen=True)
class Support:
    """Whether the model has seen anything like this. score 0 (as in training) .. 1 (nothing like it)."""

    in_distribution: bool
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulation:
    """Post-dose ECGs: samples_mv (action, sample, 12 leads in standard order, time) at fs_hz, in mV."""

    samples_mv: NDArray[np.float32]
    fs_hz: float
    support: tuple[Support, ...]


@dataclass(frozen=True)
class ModelInfo:
    name: str
    version: str
    trained_on: str
    synthetic: bool
    sha256: str


class WorldModel:
    """Loads the shipped weights with `WorldModel.load()`; every method is deterministic by its seed."""

    info: ModelInfo

    @classmethod
    def load(cls, path: Path | None = None) -> "WorldModel":
        """The shipped weights, or those at `path`. Raises WeightsError."""
        raise NotImplementedError

    def simulate(
        self,
        pre: Ecg,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
        progress: Callable[[float], None] | None = None,
    ) -> Simulation:
        """K post-dose ECGs for each action, all in one batch; the same patient noise for every action.

        progress is called with the fraction done. Raises NotSimulatableError where `measured` has no
        median beat or rate.
        """
        raise NotImplementedError
