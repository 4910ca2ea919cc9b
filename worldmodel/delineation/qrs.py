"""Where the beats are: QRS complexes of a batch of multi-lead recordings."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ, block_means, filter_bands, smooth
from worldmodel.delineation.order import median, quantiles

QRS_HZ = 125.0
_REFRACTORY_S = 0.2
_T_WAVE_S = 0.36


def qrs_energy(samples_mv: NDArray[np.float64], lead_ok: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A curve (batch, time) at QRS_HZ that is high on QRS complexes: the 6-22 Hz content of all good leads.

    samples_mv (batch, lead, time) at 500 Hz, lead_ok (batch, lead). Every lead is scaled by its own QRS-like
    height first and weighted by its peakedness, so that one noisy or huge lead does not decide.
    """
    slow = block_means(samples_mv, round(FS_HZ / QRS_HZ))  # all the rate that 22 Hz need
    band = np.abs(filter_bands(slow, ((6.0, 22.0),), QRS_HZ)[0])
    floor, height = quantiles(band, 0.5, 0.98)
    weight = np.where(lead_ok & (height > 1e-9), np.clip(height / (floor + 1e-9) - 2.0, 0.0, 20.0), 0.0)
    scaled = np.minimum(band / np.maximum(height, 1e-9)[..., None], 3.0) ** 2 * weight[..., None]
    total = np.maximum(weight.sum(axis=1), 1e-9)
    return np.sqrt(np.maximum(smooth(scaled.sum(axis=1) / total[:, None], 24.0, QRS_HZ), 0.0))


def find_beats(energy: NDArray[np.float64]) -> NDArray[np.int_]:
    """Positions of the QRS complexes on one energy curve (time,), in samples at 500 Hz."""
    peaks = _peaks_apart(energy, int(_REFRACTORY_S * QRS_HZ))
    level = _beat_level(energy)
    if not peaks.size or level <= 0:
        return np.zeros(0, dtype=np.int_)
    beats = peaks[energy[peaks] > 0.4 * level]
    beats = _search_back(beats, peaks, energy, 0.2 * level)
    return _drop_t_waves(beats, energy) * round(FS_HZ / QRS_HZ)


def _peaks_apart(curve: NDArray[np.float64], distance: int) -> NDArray[np.int_]:
    """Maxima of a curve, the highest first, none nearer than `distance` to a higher one; in order of time."""
    maxima = 1 + np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:]))
    free = np.ones(maxima.size, dtype=bool)
    kept = []
    for index in np.argsort(-curve[maxima], kind="stable"):
        if free[index]:
            kept.append(maxima[index])
            free &= np.abs(maxima - maxima[index]) >= distance
    return np.sort(np.array(kept, dtype=np.int_))


def _beat_level(energy: NDArray[np.float64]) -> float:
    """The usual height of a beat: upper quartile of the maxima of one-second blocks."""
    block = int(QRS_HZ)
    whole = energy[: energy.size // block * block]
    maxima = whole.reshape(-1, block).max(axis=1) if whole.size else np.array([energy.max()])
    return float(quantiles(maxima, 0.75)[0])


def _search_back(
    beats: NDArray[np.int_], peaks: NDArray[np.int_], energy: NDArray[np.float64], least: float
) -> NDArray[np.int_]:
    """Beats that were too low at first, looked for where the gap is over 1.6 times the usual one."""
    if beats.size < 3:
        return beats
    usual = median(np.diff(beats).astype(np.float64))
    found = list(beats)
    for left, right in pairwise(beats):
        if right - left > 1.6 * usual:
            margin = _T_WAVE_S * QRS_HZ
            inside = peaks[(peaks > left + margin) & (peaks < right - margin) & (energy[peaks] > least)]
            if inside.size:
                found.append(inside[np.argmax(energy[inside])])
    return np.sort(np.array(found, dtype=np.int_))


def _drop_t_waves(beats: NDArray[np.int_], energy: NDArray[np.float64]) -> NDArray[np.int_]:
    """Without those that follow a beat within 360 ms at less than 0.6 of its height."""
    kept: list[int] = []
    for beat in beats:
        if kept and beat - kept[-1] < _T_WAVE_S * QRS_HZ:
            if energy[beat] < 0.6 * energy[kept[-1]]:
                continue
            if energy[kept[-1]] < 0.6 * energy[beat]:
                kept.pop()
        kept.append(int(beat))
    return np.array(kept, dtype=np.int_)
