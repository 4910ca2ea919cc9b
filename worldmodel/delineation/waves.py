"""P, QRS and T boundaries on the median beat, read from all good leads together.

Boundaries are where the spatial velocity, the length of the vector of all leads' slopes, leaves and regains
rest: it does not care in which lead a wave shows, nor for the level of the baseline. The thresholds are
fractions of the wave's own largest velocity, so that a change of amplitude moves no boundary. They were set
against the median human mark of LUDB (doi:10.1109/ACCESS.2020.3029211).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ, smooth

_MS = FS_HZ / 1000  # samples per ms

_QRS_ON, _QRS_OFF, _QRS_CORE = 0.03, 0.06, 0.12
_P_ON, _P_OFF = 0.42, 0.6
# A tangent at the steepest descent reaches the baseline before the eye sees the wave end; human marks lie
# 0.4 of the tangent's length later, those of the FDA's trials near it. This lies between.
_T_EXTENSION = 0.3
_T_END = 0.35


@dataclass(frozen=True)
class Waves:
    """Fiducials as columns of the median beat, sub-sample; None where the wave is not there, `why` says why."""

    qrs_on: float | None = None
    qrs_off: float | None = None
    p_on: float | None = None
    p_peak: float | None = None
    p_off: float | None = None
    t_peak: float | None = None
    t_end: float | None = None
    why: dict[str, str] = field(default_factory=dict)


def magnitude(beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square over leads of (lead, time)."""
    return np.asarray(np.sqrt((beat**2).mean(axis=0)))


def velocity(beat: NDArray[np.float64], sigma_ms: float) -> NDArray[np.float64]:
    """Spatial velocity of (lead, time) after a Gaussian low-pass, mV per sample."""
    return magnitude(np.gradient(smooth(beat, sigma_ms), axis=-1))


def find_waves(
    beat: NDArray[np.float64],
    r_index: int,
    rr_before_ms: float | None,
    rr_after_ms: float | None,
    noise_mv: float,
    no_p: str | None = None,
) -> Waves:
    """All boundaries of one beat.

    beat: (good lead, time) in mV at 500 Hz; RR before and after such beats, where known; noise of the beat;
    no_p: why there can be no P wave, if so.
    """
    qrs = find_qrs(beat, r_index)
    if qrs is None:
        return Waves(why={"qrs": "The QRS complex does not rise above the noise."})
    on, off = qrs
    before = beat[:, max(0, int(on - 14 * _MS)) : max(1, int(on - 2 * _MS))]
    beat = beat - before.mean(axis=1, keepdims=True)
    why = {} if no_p is None else {"p": no_p}
    rr_after = None if rr_after_ms is None else rr_after_ms * _MS
    limits = [float(beat.shape[1])]
    if rr_after is not None:
        limits = [r_index + rr_after - 90 * _MS]
        if no_p is None:  # T must end before the next P; if nothing fits there, the guess of P was wrong
            limits.insert(0, _p_guess(beat, on, rr_after) + rr_after - 45 * _MS)
    found = (find_t(beat, off, r_index, rr_after, limit, noise_mv) for limit in limits)
    t_peak, t_end = next((t for t in found if t is not None), (None, None))
    if t_end is None:
        why["t"] = "No T wave stands out of the noise."
    if no_p is not None:
        return Waves(on, off, t_peak=t_peak, t_end=t_end, why=why)
    start = 0.0 if t_end is None or rr_before_ms is None else t_end - rr_before_ms * _MS - 10 * _MS
    p_on, p_peak, p_off = find_p(beat, on, start) or (None, None, None)
    if p_on is None:
        why["p"] = "No P wave stands out of the noise."
    return Waves(on, off, p_on, p_peak, p_off, t_peak, t_end, why)


def find_qrs(beat: NDArray[np.float64], r_index: int) -> tuple[float, float] | None:
    """QRS onset and offset: where the spatial velocity rises from and falls back to rest."""
    speed = velocity(beat, 4.0)
    reach = int(120 * _MS)
    around = speed[max(0, r_index - reach) : r_index + reach]
    if around.size < int(80 * _MS):
        return None
    rest_before = float(np.percentile(speed[max(0, r_index - int(250 * _MS)) : r_index], 20))
    rest_after = float(np.percentile(speed, 10))
    peak = float(around.max())
    if peak <= 4 * rest_after:
        return None
    on = _rest(speed[: r_index + 1][::-1], max(_QRS_ON * peak, 1.6 * rest_before), _QRS_CORE * peak)
    off = _rest(speed[r_index:], max(_QRS_OFF * peak, 1.6 * rest_after), _QRS_CORE * peak)
    return None if on is None or off is None else (r_index - on, r_index + off)


def _rest(speed: NDArray[np.float64], level: float, core_level: float) -> float | None:
    """How far from R (position 0) the velocity comes to rest below `level`; None if it never does.

    Where it does not within 50 ms of the steep core, a neighbouring wave runs into the QRS: then the calmest
    moment between the two.
    """
    # A notched QRS calms down for up to 40 ms within; but what goes on past 160 ms is no QRS any more.
    core = _fall(speed, max(level, core_level), stay=int(40 * _MS))
    if core is None or core > 160 * _MS:
        core = _fall(speed, max(level, core_level))
    if core is None:
        return None
    reach = int(50 * _MS)
    tail = speed[int(core) :]
    if tail[0] < level:
        return core
    rest = _fall(tail, level)
    if rest is None or rest > reach:
        rest = float(np.argmin(tail[:reach]))
    return int(core) + rest


def _fall(curve: NDArray[np.float64], level: float, stay: int = int(16 * _MS)) -> float | None:
    """First position from which `curve` stays below `level` for `stay` samples, sub-sample; None if it never does."""
    above = np.flatnonzero(curve >= level)
    if not above.size:
        return None
    last = int(above[np.append(np.diff(above) > stay, True)][0])
    if last + 1 >= curve.size:
        return None
    return last + float((curve[last] - level) / (curve[last] - curve[last + 1]))


def find_t(
    beat: NDArray[np.float64],
    qrs_off: float,
    r_index: int,
    rr: float | None,
    limit: float,
    noise_mv: float,
) -> tuple[float, float] | None:
    """T peak and T end on the magnitude of all leads; beat relative to the level before the QRS.

    The end is the mean of two: where the tangent at the steepest descent meets the lowest level after it
    (Lepeschkin and Surawicz 1952), lengthened, and where the spatial velocity of the descent has died down.
    """
    low = smooth(beat, 10.0)
    size = magnitude(low)
    first = int(qrs_off + 50 * _MS)
    reach = _t_peak_reach_ms(None if rr is None else rr / _MS) * _MS
    last = min(size.size - 1, int(r_index + reach))
    end_limit = min(size.size, int(limit))
    if last - first < int(30 * _MS):
        return None
    peak = _last_hump(size, first, last)
    stop = min(end_limit, peak + int(170 * _MS))
    if size[peak] < max(0.03, 2 * noise_mv) or stop - peak < int(20 * _MS):
        return None
    slope = np.gradient(size)
    steepest = peak + int(np.argmin(slope[peak:stop]))
    if slope[steepest] >= 0:
        return None
    tangent = float((size[steepest] - size[steepest:stop].min()) / -slope[steepest])
    by_tangent = steepest + (1 + _T_EXTENSION) * tangent
    by_velocity = peak + _foot(magnitude(np.gradient(low, axis=-1))[peak:stop], _T_END)
    return peak + _vertex(size, peak), min((by_tangent + by_velocity) / 2, float(end_limit))


def _t_peak_reach_ms(rr_ms: float | None) -> float:
    """The latest a T peak comes after R: of a QTcB of 620 ms, but not in the last two fifths of the cycle."""
    return 560.0 if rr_ms is None else min(0.62 * rr_ms, 620.0 * np.sqrt(rr_ms / 1000) - 120.0, 560.0)


def _last_hump(size: NDArray[np.float64], first: int, last: int) -> int:
    """The last hump between the columns that is no mere ripple on the highest: of a biphasic T, the second phase.

    It reaches 0.6 of the highest and stands 0.1 of it above the dips on both sides.
    """
    highest = first + int(np.argmax(size[first:last]))
    part = size[highest : last + 5]
    for hump in range(last - 1 - highest, 0, -1):
        is_top = part[hump - 1] < part[hump] >= part[hump + 1]
        if is_top and part[hump] >= 0.6 * part[0]:
            dip = max(part[:hump].min(), part[hump:].min())
            if part[hump] - dip >= 0.1 * part[0]:
                return highest + hump
    return highest


def _p_guess(beat: NDArray[np.float64], qrs_on: float, rr: float) -> int:
    """Column where a P wave of usual PR would be, if there is one; T must end before it."""
    start = max(0, int(qrs_on - min(260 * _MS, 0.32 * rr)))
    return start + int(np.argmax(_atrial_bumps(beat[:, start : int(qrs_on - 4 * _MS)])))


def find_p(beat: NDArray[np.float64], qrs_on: float, start: float) -> tuple[float, float, float] | None:
    """P onset, peak and offset: the largest bump of atrial width between column `start` and the QRS onset."""
    first, end = max(0, int(start)), int(qrs_on - 4 * _MS)
    if end - first < int(50 * _MS):
        return None
    part = beat[:, first:end]
    bump = _atrial_bumps(part)
    peak = int(np.argmax(bump))
    if bump[peak] < 0.008:
        return None
    # A broad or notched P peaks anywhere along its top; its feet are looked for from the ends of the top.
    near = slice(max(0, peak - int(60 * _MS)), peak + int(60 * _MS))
    top = near.start + np.flatnonzero(bump[near] >= 0.6 * bump[peak])
    speed = velocity(part, 10.0)
    on = _foot(speed[max(0, top[0] - int(50 * _MS)) : peak + 1][::-1], _P_ON)
    off = _foot(speed[peak : top[-1] + int(70 * _MS)], _P_OFF, 0.7)
    return first + peak - on, float(first + peak), first + peak + off


def _atrial_bumps(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """(time,) how much of what is about as wide as a P wave is there, up to the QRS that begins at its end."""
    bump = magnitude(smooth(part, 8.0) - smooth(part, 45.0))
    bump[-int(20 * _MS) :] = 0
    return bump


def _foot(speed: NDArray[np.float64], fraction: float, share: float = 1.0) -> float:
    """How far from the wave's peak (position 0) the velocity falls under a fraction of its largest for good.

    The fall is looked for from the last position on where the velocity is still `share` of the largest, so
    that a notch in the wave is not taken for its end.
    """
    largest = float(speed.max())
    last = int(np.flatnonzero(speed >= share * largest)[-1])
    level = fraction * largest
    below = np.flatnonzero(speed[last:] < level)
    if not below.size:
        return float(speed.size - 1)
    at = last + int(below[0])
    return at - float((level - speed[at]) / (speed[at - 1] - speed[at])) if at > 0 else 0.0


def _vertex(curve: NDArray[np.float64], at: int) -> float:
    """Sub-sample offset of a maximum, by a parabola through its neighbours."""
    left, mid, right = curve[at - 1 : at + 2]
    bend = left - 2 * mid + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
