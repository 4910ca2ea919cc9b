"""QRS boundaries from the spatial velocity: the length of the vector of all leads' slopes.

It does not care in which lead a wave shows, nor for the level of the baseline. The thresholds are fractions of the
largest velocity, so that a change of amplitude moves no boundary; they were set against the median human mark of
LUDB (doi:10.1109/ACCESS.2020.3029211).
"""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ, smooth
from worldmodel.delineation.order import quantiles

_MS = FS_HZ / 1000  # samples per ms
_ON, _OFF, _CORE = 0.03, 0.06, 0.12
_STANDS_OUT = 4.0  # times the calmest tenth of the beat


def magnitude(beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square over leads of (lead, time)."""
    return np.asarray(np.sqrt((beat**2).mean(axis=0)))


def spatial_velocity(beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of (lead, time) after a Gaussian low-pass of 4 ms, mV per sample."""
    return magnitude(np.gradient(smooth(beat, 4.0), axis=-1))


def stands_out(speed: NDArray[np.float64], r_index: int) -> bool:
    """Whether there is a QRS complex: around R the leads move far faster than elsewhere."""
    around = speed[max(0, r_index - int(120 * _MS)) : r_index + int(120 * _MS)]
    return bool(around.size and around.max() > _STANDS_OUT * quantiles(speed, 0.1)[0])


def qrs_bounds(speed: NDArray[np.float64], r_index: int) -> tuple[float, float] | None:
    """Columns where the velocity rises from and falls back to rest; None where it does not."""
    reach = int(120 * _MS)
    peak = float(speed[max(0, r_index - reach) : r_index + reach].max())
    rest_before = float(quantiles(speed[max(0, r_index - int(250 * _MS)) : r_index + 1], 0.2)[0])
    rest_after = float(quantiles(speed, 0.1)[0])
    on = _rest(speed[: r_index + 1][::-1], max(_ON * peak, 1.6 * rest_before), _CORE * peak)
    off = _rest(speed[r_index:], max(_OFF * peak, 1.6 * rest_after), _CORE * peak)
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
