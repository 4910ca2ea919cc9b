"""The drugs of the trial given to real recordings: does the world model show the trial's mean courses on them?"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from worldmodel.datasets.ecgrdvq import Trial
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.evaluation.trial import INTERVALS, CourseRow, Given, course_rows, intervals_of
from worldmodel.measurement import Intervals
from worldmodel.model import WorldModel
from worldmodel.pharmacology import Action, PatientContext
from worldmodel.seeing import values_of

MOST_BPM = 100.0


def evaluate_on_ecgs(
    model: WorldModel,
    ecgs: Sequence[Ecg],
    trial: Trial,
    given: Mapping[str, Given],
    k: int,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> tuple[list[CourseRow], int]:
    """Rows over the recordings in the rhythm of the trial's volunteers, and how many these were.

    That is sinus rhythm without early beats, no faster than MOST_BPM: at higher rates so long a QT does not fit in.
    Every recording gets every drug, and none, at each of the trial's times; before and after are measured alike, Tpeak
    to Tend by the tangent, as the trial's are.
    """
    hours = trial.hours[trial.hours > 0]
    actions = [
        Action(given[arm].drugs if arm in given else (), float(t)) for arm in trial.arms for t in hours
    ]
    found = []
    for i, ecg in enumerate(ecgs):
        one = _simulated_changes(model, ecg, actions, k, seed + i)
        if one is not None:
            found.append(one.reshape(len(trial.arms), len(hours), len(INTERVALS)))
        if progress is not None:
            progress((i + 1) / len(ecgs))
    return (course_rows(trial, np.nanmean(np.stack(found), axis=0)), len(found)) if found else ([], 0)


def _simulated_changes(
    model: WorldModel, ecg: Ecg, actions: Sequence[Action], k: int, seed: int
) -> NDArray[np.float64] | None:
    """Mean change over the samples, (action, interval); None for an ECG in another rhythm or of no use."""
    measured = measure(ecg)
    rate = measured.intervals.hr_bpm
    ectopic = any("ectopic" in finding.name for finding in measured.findings)
    if measured.rhythm.label != "sinus" or ectopic or rate is None or rate > MOST_BPM:
        return None
    try:
        simulation = model.simulate(ecg, measured, actions, PatientContext(), k, seed)
    except NotSimulatableError:
        return None
    samples = simulation.samples_mv.reshape(-1, *simulation.samples_mv.shape[2:]).astype(np.float64)
    after = np.stack([_intervals(one.intervals) for one in measure_batch(samples, simulation.fs_hz)])
    change = after.reshape(len(actions), k, len(INTERVALS)) - _intervals(measured.intervals)
    known = np.isfinite(change)
    mean = np.where(known, change, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.where(known.any(axis=1), mean, np.nan))


def _intervals(intervals: Intervals) -> NDArray[np.float64]:
    """An ECG's intervals in the order of INTERVALS, T end by the tangent; NaN where not measured."""
    return intervals_of(values_of(intervals).numpy())
