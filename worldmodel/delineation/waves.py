"""P, QRS and T boundaries on the median beat, read from all good leads together."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ, smooth

_MS = FS_HZ / 1000  # samples per ms


@dataclass(frozen=True)
class Waves:
    """Fiducials as columns of the median beat, sub-sample; None where the wave is not there, `why` says why."""

    qrs_on: float | None = None
    qrs_off: float | None = None
    p_on: float | None = None
    p_off: float | None = None
    t_peak: float | None = None
    t_end: float | None = None
    why: dict[str, str] = field(default_factory=dict)


def magnitude(beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square over leads of (lead, time)."""
    return np.asarray(np.sqrt((beat**2).mean(axis=0)))


def find_waves(beat: NDArray[np.float64], r_index: int, rr_ms: float | None, noise_mv: float) -> Waves:
    """beat: (good lead, time) in mV at 500 Hz, RR where known, noise_mv of the median beat."""
    qrs = _qrs_bounds(beat, r_index)
    if qrs is None:
        return Waves(why={"qrs": "The QRS complex does not rise above the noise."})
    on, off = qrs
    level = beat[:, max(0, int(on) - int(14 * _MS)) : max(1, int(on) - int(2 * _MS))].mean(
        axis=1, keepdims=True
    )
    beat = beat - level
    why: dict[str, str] = {}
    t = _t_wave(beat, off, r_index, rr_ms, noise_mv)
    if t is None:
        why["t"] = "No T wave stands out of the noise."
    p = _p_wave(beat, on, r_index, rr_ms, t[1] if t else None, noise_mv)
    if p is None:
        why["p"] = "No P wave stands out of the noise."
    return Waves(on, off, *(p or (None, None)), *(t or (None, None)), why=why)


def _qrs_bounds(beat: NDArray[np.float64], r_index: int) -> tuple[float, float] | None:
    """Where the spatial velocity of all leads rises from and falls back to rest."""
    velocity = magnitude(np.gradient(smooth(beat, 3.0), axis=-1))
    velocity = smooth(velocity, 3.0)
    a, b = max(0, r_index - int(120 * _MS)), min(velocity.size, r_index + int(120 * _MS))
    if b - a < int(60 * _MS):
        return None
    peak = float(velocity[a:b].max())
    rest = float(np.percentile(velocity, 10))
    if peak < 4 * rest or peak <= 0:
        return None
    before = velocity[max(0, r_index - int(250 * _MS)) : r_index]
    on_level = max(0.05 * peak, 1.6 * float(np.percentile(before, 20)))
    off_level = max(0.07 * peak, 1.6 * rest)
    on = _fall(velocity[: r_index + 1][::-1], on_level, int(16 * _MS))
    off = _fall(velocity[r_index:], off_level, int(16 * _MS))
    if on is None or off is None:
        return None
    return r_index - on, r_index + off


def _fall(curve: NDArray[np.float64], level: float, stay: int) -> float | None:
    """First position from which `curve` stays below `level` for `stay` samples, sub-sample."""
    above = np.flatnonzero(curve >= level)
    if not above.size:
        return 0.0
    ends = above[np.append(np.diff(above) > stay, True)]
    last = int(ends[0])
    if last + 1 >= curve.size:
        return None
    return last + float((curve[last] - level) / (curve[last] - curve[last + 1] + 1e-15))


def _t_wave(
    beat: NDArray[np.float64], off: float, r_index: int, rr_ms: float | None, noise_mv: float
) -> tuple[float, float] | None:
    """T peak and T end (tangent at the steepest descent of the magnitude)."""
    size = magnitude(smooth(beat, 10.0))
    a = int(off + 40 * _MS)
    limit = size.size if rr_ms is None else min(size.size, int(r_index + (rr_ms - 120) * _MS))
    if limit - a < int(80 * _MS):
        return None
    peak_search = size[a : min(limit, int(r_index + 0.75 * (rr_ms or 1000.0) * _MS) + 1)]
    peak = a + int(np.argmax(peak_search))
    if peak in (a, limit - 1) or size[peak] < max(0.03, 3 * noise_mv):
        return None
    slope = np.gradient(size)
    stop = min(limit, peak + int(200 * _MS))
    steep = peak + int(np.argmin(slope[peak:stop]))
    if slope[steep] >= 0:
        return None
    floor = float(size[steep:stop].min())
    end = steep + (size[steep] - floor) / -slope[steep]
    return peak + _parabola(size, peak), float(min(end, limit - 1))


def _p_wave(
    beat: NDArray[np.float64],
    on: float,
    r_index: int,
    rr_ms: float | None,
    t_end: float | None,
    noise_mv: float,
) -> tuple[float, float] | None:
    """P onset and offset: where the magnitude leaves a straight line across its foot."""
    start = 0.0
    if rr_ms is not None and t_end is not None:
        start = max(start, t_end - rr_ms * _MS)
    a, b = int(start), int(on - 4 * _MS)
    if b - a < int(60 * _MS):
        return None
    part = smooth(beat, 6.0)[:, a:b]
    edge = max(3, int(8 * _MS))
    first, last = part[:, :edge].mean(axis=1), part[:, -edge:].mean(axis=1)
    part = part - (first[:, None] + (last - first)[:, None] * np.linspace(0, 1, b - a)[None, :])
    size = magnitude(part)
    peak = int(np.argmax(size))
    if size[peak] < max(0.012, 3 * noise_mv):
        return None
    level = 0.2 * size[peak]
    left = np.flatnonzero(size[:peak] < level)
    right = np.flatnonzero(size[peak:] < level)
    p_on = float(left[-1]) if left.size else 0.0
    p_off = float(peak + right[0]) if right.size else float(b - a - 1)
    return a + p_on, a + p_off


def _parabola(curve: NDArray[np.float64], at: int) -> float:
    if not 0 < at < curve.size - 1:
        return 0.0
    left, mid, right = curve[at - 1 : at + 2]
    bend = left - 2 * mid + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
