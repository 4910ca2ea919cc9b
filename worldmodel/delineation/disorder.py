"""Ventricular fibrillation: no beats any more, but large waves of one changing frequency."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.measurement import Finding

_STEP = 4
_LEAST_MV = 0.1
_CYCLES_MS = (120.0, 400.0)
# Kuo and Dillman (1978) take 0.406 for large and 0.625 for small waves, in one lead; here half the leads agree.
_LEAK = 0.5


def suspect_fibrillation(x: NDArray[np.float64], ok: NDArray[np.bool_]) -> Finding | None:
    """The finding `ventricular_fibrillation`, or None. x: (12, time) in mV at 500 Hz; ok: the good leads.

    The leakage of a filter that stops the mean frequency of a lead: a wave and its copy half a cycle later all
    but cancel in fibrillation, and do not where QRS complexes stand over a rest (Kuo and Dillman 1978, Computer
    detection of ventricular fibrillation, Computers in Cardiology; from memory). Coarse flutter without visible QRS
    complexes, and waves an arm's tremor makes, look the same: it stays a suspicion.
    """
    leads = x[ok, ::_STEP]
    if leads.shape[1] < 3 * FS_HZ / _STEP or not leads.shape[0]:
        return None
    slow = _without_wander(leads)
    size = np.abs(slow).sum(axis=1)
    cycle = 2 * np.pi * size / np.maximum(np.abs(np.diff(slow, axis=1)).sum(axis=1), 1e-12)
    cycle_ms = cycle * _STEP * 1000 / FS_HZ
    leak = np.ones(leads.shape[0])
    for row, half in enumerate(np.round(cycle / 2).astype(int)):
        if _CYCLES_MS[0] <= cycle_ms[row] <= _CYCLES_MS[1]:
            early, late = slow[row, :-half], slow[row, half:]
            leak[row] = np.abs(early + late).sum() / max(float((np.abs(early) + np.abs(late)).sum()), 1e-12)
    large = np.percentile(np.abs(slow), 75, axis=1) > _LEAST_MV
    if (large & (leak < _LEAK)).sum() < 0.5 * leads.shape[0]:
        return None
    rate = 60_000 / float(np.median(cycle_ms))
    text = f"No beats, but waves of about {rate:.0f}/min in most leads: ventricular fibrillation is possible."
    return Finding("ventricular_fibrillation", 0.6, text)


def _without_wander(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less the running mean over 0.6 s, which leaves what is faster than 90/min."""
    width = int(0.6 * FS_HZ / _STEP) | 1
    padded = np.pad(x, ((0, 0), (width // 2 + 1, width // 2)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    return np.asarray(x - (sums[:, width:] - sums[:, :-width]) / width)
