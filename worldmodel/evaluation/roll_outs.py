"""Does the error grow when a simulated ECG is simulated on? Beside an oracle that starts each step from the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.unseen import EVALUATED, Unseen, true_recording, true_response, unseen_patients
from worldmodel.model import WorldModel
from worldmodel.pharmacology import Action, chain
from worldmodel.preprocessing import FS_HZ


@dataclass(frozen=True)
class StepRow:
    """One step, over patients: errors of the predicted mean QTcF in ms.

    rolled_*: from simulated ECGs all the way; oracle_*: from the true previous ECG. *_rmse_ms; *_bias_ms;
    *_spread_ms: what the samples' own spread says the RMSE should be, sqrt(mean s^2 (1 + 1/k)).
    """

    step: int
    patients: int
    rolled_rmse_ms: float
    rolled_bias_ms: float
    rolled_spread_ms: float
    oracle_rmse_ms: float
    oracle_bias_ms: float
    oracle_spread_ms: float

    @property
    def largest_by_chance(self) -> float:
        """RMSE over its spread that only 5 of 100 such evaluations exceed where the spread is right."""
        from scipy.stats import chi2

        return (
            float(np.sqrt(chi2.ppf(0.95, self.patients) / self.patients)) if self.patients else float("nan")
        )


def evaluate_roll_outs(
    model: WorldModel,
    steps: Sequence[Action],
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> list[StepRow]:
    """A row for each step; every patient takes all of them, on one day, in k simulated chains.

    The oracle's state z_k is the true ECG of the step before, as in the paper; all else is the same.
    """
    generator = torch.Generator().manual_seed(EVALUATED + seed + 2)
    truth = np.full((patients, len(steps)), np.nan)
    rolled, oracle = (np.full((patients, len(steps), k), np.nan) for _ in range(2))
    for i, one in enumerate(islice(unseen_patients(seed), patients)):
        responses = true_response(one.patient, chain(tuple(steps)), generator)
        states = [true_recording(one.patient, response, generator) for response in responses]
        truth[i] = [_qtcf(measure(state).intervals.qtcf_ms) for state in states]
        for into, starts in ((rolled, ()), (oracle, states[:-1])):
            into[i] = _rolled(model, one, steps, k, seed + i, starts)
        if progress is not None:
            progress((i + 1) / patients)
    return [_row(n, truth[:, n], rolled[:, n], oracle[:, n]) for n in range(len(steps))]


def _rolled(
    model: WorldModel, one: Unseen, steps: Sequence[Action], k: int, seed: int, starts: Sequence[Ecg]
) -> NDArray[np.float64]:
    """(step, k) QTcF of k chains; NaN where the ECG before cannot be simulated from."""
    try:
        found = model.roll_out(one.before, one.measured, steps, one.context, k, seed, starts=starts)
    except NotSimulatableError:
        return np.full((len(steps), k), np.nan)
    after = measure_batch(found.samples_mv.reshape(-1, *found.samples_mv.shape[2:]), FS_HZ)
    return np.array([_qtcf(m.intervals.qtcf_ms) for m in after]).reshape(len(steps), k)


def _row(
    n: int, truth: NDArray[np.float64], rolled: NDArray[np.float64], oracle: NDArray[np.float64]
) -> StepRow:
    known = np.isfinite(truth) & np.isfinite(rolled).all(axis=1) & np.isfinite(oracle).all(axis=1)
    figures = []
    for samples in (rolled[known], oracle[known]):
        error = samples.mean(axis=1) - truth[known]
        k = samples.shape[1]
        spread = np.sqrt(np.mean(samples.var(axis=1, ddof=1)) * (1 + 1 / k)) if k > 1 else np.nan
        figures += [float(np.sqrt(np.mean(error**2))), float(error.mean()), float(spread)]
    return StepRow(n + 1, int(known.sum()), *figures)


def _qtcf(value: float | None) -> float:
    return float("nan") if value is None else value
