"""What the atria do between the QRS complexes: P waves locked to the beats, or flutter waves of their own rate."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.beats import median_of_beats
from worldmodel.delineation.filters import FS_HZ, filter_bands, smooth
from worldmodel.delineation.waves import Waves
from worldmodel.ecg import LEADS

_MS = FS_HZ / 1000
_FLUTTER_LEADS = [LEADS.index(name) for name in ("II", "III", "aVF", "V1")]
# Flutter waves come 190 to 375 times a minute.
_FLUTTER_LAG = (int(160 * _MS), int(320 * _MS))


def p_likeness(windows: NDArray[np.float64], waves: Waves) -> float | None:
    """How alike the beats are around the P wave: median correlation of each beat with the median of the others.

    windows: (beat, good lead, time) aligned as the median beat that `waves` was read from. Near 1 for P waves
    locked to the QRS, near 0 for fibrillation or atria of their own; None where one beat is all there is.
    """
    if waves.p_peak is None or waves.qrs_on is None or windows.shape[0] < 2:
        return None
    end = int(waves.qrs_on - 4 * _MS)
    start = max(0, int(waves.p_peak - 150 * _MS))
    part = smooth(windows[..., start:end], 8.0) - smooth(windows[..., start:end], 45.0)
    near = slice(max(0, int(waves.p_peak - 70 * _MS) - start), int(waves.p_peak + 70 * _MS) - start)
    flat = part[..., near].reshape(windows.shape[0], -1)
    likeness = []
    for index, beat in enumerate(flat):
        others = median_of_beats(np.delete(flat, index, axis=0))
        likeness.append(beat @ others / (np.linalg.norm(beat) * np.linalg.norm(others) + 1e-12))
    return float(np.median(likeness))


def flutter_score(
    x: NDArray[np.float64], r: NDArray[np.float64], lead_ok: NDArray[np.bool_], before: int, after: int
) -> float:
    """Autocorrelation, 0..1, of the atrial signal at the best flutter lag, in the best of II, III, aVF, V1.

    x: (12, time) without wander; `before` and `after` R (samples) the QRS is bridged and does not count.
    """
    rows = [row for row in _FLUTTER_LEADS if lead_ok[row]]
    if not rows:
        return 0.0
    bridged, counts = _bridge_qrs(x[rows], r, before, after)
    atrial = filter_bands(bridged, ((3.5, 12.0),))[0] * counts
    n_fft = 1 << int(np.ceil(np.log2(2 * x.shape[-1])))
    longest = _FLUTTER_LAG[1] + 2
    overlap = np.fft.irfft(np.abs(np.fft.rfft(counts, n_fft)) ** 2)[:longest]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(atrial, n_fft, axis=-1)) ** 2)[:, :longest]
    correlation /= np.maximum(overlap, 1.0)
    best = 0.0
    for row in correlation:
        if row[0] <= 0 or overlap[_FLUTTER_LAG[0] :].min() < 0.2 * counts.sum():
            continue
        lag = _FLUTTER_LAG[0] + int(np.argmax(row[_FLUTTER_LAG[0] : _FLUTTER_LAG[1]]))
        if row[lag] > row[lag - 1] and row[lag] >= row[lag + 1]:
            best = max(best, float(row[lag] / row[0]))
    return min(best, 1.0)


def _bridge_qrs(
    x: NDArray[np.float64], r: NDArray[np.float64], before: int, after: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x with a straight line in place of each QRS, and (time,) 0 there, 1 elsewhere."""
    bridged = x.copy()
    counts = np.ones(x.shape[-1])
    for beat in np.round(r).astype(int):
        first, last = max(0, beat - before), min(x.shape[-1] - 1, beat + after)
        if last <= first:
            continue
        ramp = np.linspace(0, 1, last - first + 1)
        bridged[:, first : last + 1] = x[:, [first]] + (x[:, [last]] - x[:, [first]]) * ramp
        counts[first : last + 1] = 0
    return bridged, counts
