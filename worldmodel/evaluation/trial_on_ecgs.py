"""The drugs of the trial given to real recordings: does the world model show the trial's mean courses on them?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.datasets.ecgrdvq import PLACEBO, Trial
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.trial import INTERVALS, Given, changes
from worldmodel.measurement import Intervals
from worldmodel.model import WorldModel
from worldmodel.pharmacology import Action, PatientContext


@dataclass(frozen=True)
class CourseRow:
    """One drug and interval: hours, the mean simulated change less that without a drug, and the trial's own.

    low, high: the trial's 95 % confidence band of its mean placebo-corrected change. All (time,).
    """

    drug: str
    interval: str
    hours: NDArray[np.float64]
    simulated: NDArray[np.float64]
    trial: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def inside(self) -> int:
        return int(((self.low <= self.simulated) & (self.simulated <= self.high)).sum())


def evaluate_on_ecgs(
    model: WorldModel,
    ecgs: Sequence[Ecg],
    trial: Trial,
    given: Mapping[str, Given],
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> tuple[list[CourseRow], int]:
    """Rows over the recordings in sinus rhythm that could be simulated from, and how many these were.

    Every recording gets every drug, and none, at each of the trial's times; before and after are measured alike, Tpeak
    to Tend by the tangent, as the trial's are.
    """
    arms = [PLACEBO, *(arm for arm in trial.arms if arm != PLACEBO)]
    hours = trial.hours[trial.hours > 0]
    actions = [Action(given[arm].drugs if arm in given else (), float(t)) for arm in arms for t in hours]
    found = []
    for i, ecg in enumerate(ecgs):
        one = _simulated_changes(model, ecg, actions, k, seed + i)
        if one is not None:
            found.append(one.reshape(len(arms), len(hours), len(INTERVALS)))
        if progress is not None:
            progress((i + 1) / len(ecgs))
    if not found:
        return [], 0
    mean = np.nanmean(np.stack(found), axis=0)
    truth = changes(trial)[:, :, trial.hours > 0]
    placebo = truth[:, trial.arms.index(PLACEBO)]
    rows = []
    for j, arm in enumerate(arms[1:], start=1):
        difference = truth[:, trial.arms.index(arm)] - placebo
        known = np.isfinite(difference).sum(axis=0)
        centre = np.nanmean(difference, axis=0)
        half = 1.96 * np.nanstd(difference, axis=0, ddof=1) / np.sqrt(known)
        for n, interval in enumerate(INTERVALS):
            ours = (mean[j] - mean[0])[:, n]
            low, high = (centre - half)[:, n], (centre + half)[:, n]
            rows.append(CourseRow(arm, interval, hours, ours, centre[:, n], low, high))
    return rows, len(found)


def _simulated_changes(
    model: WorldModel, ecg: Ecg, actions: Sequence[Action], k: int, seed: int
) -> NDArray[np.float64] | None:
    """Mean change over the samples, (action, interval); None for an ECG that is not sinus or cannot be simulated."""
    measured = measure(ecg)
    if measured.rhythm.label != "sinus" or measured.quality.verdict == "unusable":
        return None
    try:
        simulation = model.simulate(ecg, measured, actions, PatientContext(), k, seed)
    except NotSimulatableError:
        return None
    samples = simulation.samples_mv.reshape(-1, *simulation.samples_mv.shape[2:]).astype(np.float64)
    after = np.array([_row(one.intervals) for one in measure_batch(samples, simulation.fs_hz)])
    change = after.reshape(len(actions), k, len(INTERVALS)) - _row(measured.intervals)
    known = np.isfinite(change)
    mean = np.where(known, change, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.where(known.any(axis=1), mean, np.nan))


def _row(intervals: Intervals) -> NDArray[np.float64]:
    """An ECG's intervals in the order of INTERVALS, T end by the tangent; NaN where not measured."""
    of = intervals.as_dict()
    qt, qrs, jt, rr = (of[name] for name in ("qt_tangent_ms", "qrs_ms", "jtpeak_ms", "rr_ms"))
    if qt is not None and rr is not None:
        of["qtcf_ms"] = qt / (rr / 1000.0) ** (1.0 / 3.0)
    if qt is not None and qrs is not None and jt is not None:
        of["tpeak_tend_ms"] = qt - qrs - jt
    return np.array([np.nan if of[name] is None else of[name] for name in INTERVALS], dtype=float)
