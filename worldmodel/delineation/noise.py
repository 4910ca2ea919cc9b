"""How much of each lead is not heart: mains hum, muscle, wander, and jumps of the level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.delineation.order import median, quantiles

_SECOND = int(FS_HZ)
_LINES_HZ = (50.0, 60.0)
_BESIDE_HZ = 4.0
_COARSE = 10  # samples, 20 ms, that become one where only slow changes are asked for


@dataclass(frozen=True)
class Noise:
    """Per recording and lead, each (batch, lead), in mV.

    mains_mv: amplitude at 50 or 60 Hz above its neighbours; mains_hz: which of the two it is.
    muscle_mv: RMS of what is faster than the heart, between the beats. wander_mv: peak to peak, of the median
    of each second. swing_mv: peak to peak of the whole lead, without its most extreme 0.5 % at either end.
    """

    mains_mv: NDArray[np.float64]
    mains_hz: NDArray[np.float64]
    muscle_mv: NDArray[np.float64]
    wander_mv: NDArray[np.float64]
    swing_mv: NDArray[np.float64]


def measure_noise(unfiltered: NDArray[np.float64], without_mains: NDArray[np.float64]) -> Noise:
    """Of samples in mV at 500 Hz (batch, lead, time) without gaps, before and after the mains were removed."""
    mains_mv, mains_hz = _mains(unfiltered)
    coarse = without_mains[..., ::_COARSE]
    low, high = quantiles(coarse, 0.005, 0.995)
    return Noise(mains_mv, mains_hz, _muscle_mv(without_mains), _wander_mv(coarse), high - low)


def _mains(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Amplitude and frequency, of the median second, so that a few steep beats do not count as hum."""
    seconds = x.shape[-1] // _SECOND
    if seconds == 0:
        return np.zeros(x.shape[:-1]), np.full(x.shape[:-1], _LINES_HZ[0])
    parts = x[..., : seconds * _SECOND].reshape(*x.shape[:-1], seconds, _SECOND)
    lines = np.array([[hz - _BESIDE_HZ, hz, hz + _BESIDE_HZ] for hz in _LINES_HZ]).ravel()
    angle = 2 * np.pi * np.outer(np.arange(_SECOND) / FS_HZ, lines)
    waves = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * (2 / _SECOND)
    found = parts @ waves
    size = median(np.hypot(found[..., : lines.size], found[..., lines.size :]), axis=-2)
    above = np.stack([size[..., 3 * i + 1] - size[..., [3 * i, 3 * i + 2]].max(-1) for i in (0, 1)], axis=-1)
    best = above.argmax(axis=-1)
    return np.maximum(above.max(axis=-1), 0.0), np.take(_LINES_HZ, best)


def _muscle_mv(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMS of what a straight line through the samples 4 ms away leaves, of the median fifth of a second.

    White noise of RMS 1 leaves 1.22 there; waves of the heart, between the QRS complexes, next to nothing.
    """
    if x.shape[-1] < 5:
        return np.zeros(x.shape[:-1])
    # Every other sample tells enough, in half the time.
    rest = x[..., 2:-2:2] - 0.5 * (x[..., :-4:2] + x[..., 4::2])
    block = min(_SECOND // 10, rest.shape[-1])
    blocks = rest.shape[-1] // block
    whole = rest[..., : blocks * block].reshape(*rest.shape[:-1], blocks, block)
    power = np.einsum("...i,...i->...", whole, whole) / block
    return np.asarray(np.sqrt(median(power) / 1.5))


def _wander_mv(coarse: NDArray[np.float64]) -> NDArray[np.float64]:
    per_second = _SECOND // _COARSE
    seconds = coarse.shape[-1] // per_second
    if seconds < 2:
        return np.zeros(coarse.shape[:-1])
    parts = coarse[..., : seconds * per_second].reshape(*coarse.shape[:-1], seconds, per_second)
    return np.asarray(np.ptp(median(parts), axis=-1))


def jumps_mv(x: NDArray[np.float64], r: NDArray[np.float64]) -> NDArray[np.float64]:
    """(lead,) the largest sudden and lasting change of level between the beats, as of an electrode that gave way.

    x: (lead, time) in mV at 500 Hz; r: positions of R in samples. Sudden: within 40 ms and outside the QRS
    complexes. Lasting: still there half a second later, which no premature beat is. What most seconds show,
    such as the fall of a steep T wave, is taken off.
    """
    length = x.shape[-1] // _COARSE
    per_second = _SECOND // _COARSE
    before, after, later = per_second // 5, per_second // 2, per_second // 4
    if length < 3 * per_second:
        return np.zeros(x.shape[0])
    parts = [x[:, first : length * _COARSE : _COARSE] for first in range(0, _COARSE, 2)]
    level = np.mean(parts, axis=0)
    sums = np.pad(np.cumsum(level, axis=1), ((0, 0), (1, 0)))
    at = np.arange(before + 1, length - after - later)
    since = at - r[:, None] / _COARSE
    quiet = ((since < -0.16 * per_second) | (since > 0.2 * per_second)).all(axis=0)
    lasting = (sums[:, at + after + later] - sums[:, at + after]) / later
    lasting -= (sums[:, at] - sums[:, at - before]) / before
    sudden = level[:, at + 1] - level[:, at - 1]
    size = np.where(np.sign(sudden) == np.sign(lasting), np.minimum(np.abs(sudden), np.abs(lasting)), 0.0)
    size *= quiet
    seconds = max(1, at.size // per_second)
    largest = size[:, : seconds * per_second].reshape(x.shape[0], seconds, -1).max(axis=-1)
    return np.asarray(size.max(axis=-1) - median(largest))
