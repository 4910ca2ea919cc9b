"""Does the error grow when a simulated ECG is simulated on? Beside an oracle that starts each step from the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.beat import clamp_response
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.rivals import Simulates
from worldmodel.evaluation.unseen import EVALUATED, Unseen, true_recording, true_response, unseen_patients
from worldmodel.pharmacology import Action
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
    model: Simulates,
    steps: Sequence[Action],
    patients: int,
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> list[StepRow]:
    """A row for each step; every patient takes all of them, in k simulated chains."""
    generator = torch.Generator().manual_seed(EVALUATED + seed + 2)
    truth = np.full((patients, len(steps)), np.nan)
    rolled, oracle = (np.full((patients, len(steps), k), np.nan) for _ in range(2))
    for i, one in enumerate(islice(unseen_patients(seed), patients)):
        states = [true_recording(one.patient, r, generator) for r in _true_states(one, steps, generator)]
        measured = [one.measured, *(measure(state) for state in states)]
        truth[i] = [_qtcf(m.intervals.qtcf_ms) for m in measured[1:]]
        try:
            rolled[i] = _roll_out(model, one, steps, k, seed + i)
            for n, (pre, of_pre) in enumerate(zip([one.before, *states[:-1]], measured[:-1], strict=True)):
                simulation = model.simulate(pre, of_pre, [steps[n]], one.context, k, seed + i)
                after = measure_batch(simulation.samples_mv[0], FS_HZ)
                oracle[i, n] = [_qtcf(m.intervals.qtcf_ms) for m in after]
        except NotSimulatableError:
            rolled[i] = np.nan
        if progress is not None:
            progress((i + 1) / patients)
    return [_row(n, truth[:, n], rolled[:, n], oracle[:, n]) for n in range(len(steps))]


def _true_states(one: Unseen, steps: Sequence[Action], generator: torch.Generator) -> list[Tensor]:
    """The response (1, 6) of each state against the first ECG: every step acts on the state that it meets."""
    total = torch.zeros(1, 6)
    states = []
    for step in steps:
        total = clamp_response(total + true_response(one.patient, [step], generator)[0])
        states.append(total)
    return states


def _roll_out(
    model: Simulates, one: Unseen, steps: Sequence[Action], k: int, seed: int
) -> NDArray[np.float64]:
    """(step, k) QTcF of k chains in which every simulated ECG is measured and simulated on."""
    qtcf = np.full((len(steps), k), np.nan)
    for chain in range(k):
        pre, measured = one.before, one.measured
        for n, step in enumerate(steps):
            numbers = (seed * 1009 + chain) * 31 + n  # each step of each chain has random numbers of its own
            simulation = model.simulate(pre, measured, [step], one.context, 1, numbers)
            pre = Ecg(simulation.samples_mv[0, 0].astype(np.float64), simulation.fs_hz, LEADS)
            measured = measure(pre)
            qtcf[n, chain] = _qtcf(measured.intervals.qtcf_ms)
    return qtcf


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
