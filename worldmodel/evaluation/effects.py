"""Do simulated ECGs carry the effects they should? Mean and spread of each interval's change, beside the truth.

The true post-dose recordings of each patient and the simulated ones are measured alike, by our own delineator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.evaluation.comparison import Comparison, compare
from worldmodel.evaluation.rivals import Simulates
from worldmodel.evaluation.unseen import MEASURED
from worldmodel.pharmacology import Action

OURS = "world model"


@dataclass(frozen=True)
class EffectRow:
    """One interval under one action: changes from the pre-dose ECG, mean and SD over patients (and samples).

    None where it could be measured in no patient.
    """

    action: str
    interval: str
    patients: int
    true_mean: float | None
    true_sd: float | None
    simulated_mean: float | None
    simulated_sd: float | None

    @property
    def bias(self) -> float | None:
        if self.simulated_mean is None or self.true_mean is None:
            return None
        return self.simulated_mean - self.true_mean


def evaluate_effects(
    model: Simulates,
    actions: Mapping[str, Action],
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> list[EffectRow]:
    """A row for each action and interval, over `patients` virtual patients in sinus rhythm and k samples each."""
    compared = compare({OURS: (model, k)}, actions, patients, seed, progress, forecasts=False)
    return effect_rows(compared, OURS)


def effect_rows(compared: Comparison, name: str) -> list[EffectRow]:
    """A row for each action and interval of one contestant; the true mean is that of the recordings as drawn."""
    rows = []
    for a, action in enumerate(compared.actions):
        for i, interval in enumerate(MEASURED):
            before = compared.before[:, None, i]
            true = compared.truth[:, a, :, i] - before
            simulated = compared.predicted[name][:, a, :, i] - before
            known = int(np.isfinite(true).any(axis=1).sum())
            rows.append(EffectRow(action, interval, known, *_moments(true), *_moments(simulated)))
    return rows


def _moments(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    return (float(known.mean()), float(known.std())) if known.size else (None, None)
