"""From the marks of single leads to the waves of the beat: P, QRS and T of all good leads together.

A boundary of the beat is the weighted median of the leads' marks: human readings of the same beat are pooled so,
and one lead that is wrong does not move it. Those of the QRS are drawn a third of the way to what the spatial
velocity says: each errs in its own way, the marker by a few ms with the shape, the velocity with the noise. The
peaks of T are read on the magnitude of all leads, and so is the tangent's end.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.beats import vertex
from worldmodel.delineation.filters import FS_HZ, smooth
from worldmodel.delineation.marker import MARKED, LeadMarks
from worldmodel.delineation.velocity import magnitude, qrs_bounds, spatial_velocity, stands_out
from worldmodel.measurement import FIDUCIALS

_MS = FS_HZ / 1000  # samples per ms
_THERE = 0.5
_LEAST_MV = {"p": 0.006, "t": 0.02}  # RMS over leads; what is lower drowns in any recorder's noise
# The spread of a mark counts from here on: below it the reader's hand decides, not the wave.
_SURE_MS = 4.0
_VELOCITY_SHARE = 1 / 3
_SAME_BOUND = 25 * _MS  # what is farther off is another wave or a notch


@dataclass(frozen=True)
class Waves:
    """Fiducials as columns of the median beat, sub-sample; None where the wave is not there, `why` says why.

    spread_ms: how far the marks behind each fiducial scatter, within the leads and between them; certain: how
    probable it is that it is near there at all.
    """

    qrs_on: float | None = None
    qrs_off: float | None = None
    p_on: float | None = None
    p_peak: float | None = None
    p_off: float | None = None
    t_peak: float | None = None
    t_peak_2: float | None = None
    t_end: float | None = None
    t_end_tangent: float | None = None
    why: dict[str, str] = field(default_factory=dict)
    spread_ms: dict[str, float] = field(default_factory=dict)
    certain: dict[str, float] = field(default_factory=dict)


def find_waves(
    beat: NDArray[np.float64],
    r_index: int,
    marked: LeadMarks,
    leads: NDArray[np.bool_],
    rr_after_ms: float | None,
    noise_mv: float,
    no_p: str | None = None,
) -> Waves:
    """All fiducials of one beat.

    beat: (12, time) in mV at 500 Hz; leads: (12,) those that count; RR after such beats, where known; noise of
    the beat; no_p: why there can be no P wave, if so.
    """
    speed = spatial_velocity(beat[leads])
    if not stands_out(speed, r_index):
        return Waves(why={"qrs": "The QRS complex does not rise above the noise."})
    every = np.ones(int(leads.sum()))
    found: dict[str, float] = {}
    spread: dict[str, float] = {}
    certain: dict[str, float] = {}

    def pool(names: tuple[str, ...], there: NDArray[np.float64]) -> None:
        for name in names:
            column = MARKED.index(name)
            sure = np.hypot(marked.spread_ms[leads, column], _SURE_MS)
            at = _weighted_median(marked.marks_ms[leads, column], there / sure)
            found[name] = r_index + at * _MS
            between = 1.4826 * _weighted_median(np.abs(marked.marks_ms[leads, column] - at), there / sure)
            spread[name] = float(np.hypot(_weighted_median(sure, there / sure), between))
            certain[name] = _weighted_median(marked.certain[leads, column], there / sure)

    pool(("qrs_on", "qrs_off"), every)
    for name, at in zip(("qrs_on", "qrs_off"), qrs_bounds(speed, r_index) or (), strict=False):
        if abs(at - found[name]) < _SAME_BOUND:
            found[name] += _VELOCITY_SHARE * (at - found[name])
    on = int(np.clip(found["qrs_on"], 4, beat.shape[1]))
    level = beat[leads] - beat[leads, max(0, on - int(14 * _MS)) : max(1, on - int(2 * _MS))].mean(
        axis=1, keepdims=True
    )
    why = {} if no_p is None else {"p": no_p}
    if no_p is None:
        if _shown(marked.p[leads]):
            pool(("p_on", "p_peak", "p_off"), marked.p[leads])
        if "p_peak" not in found or not _rises(level, found["p_on"], found["p_off"], _LEAST_MV["p"]):
            why["p"] = "No P wave stands out of the noise."
            found = {name: at for name, at in found.items() if not name.startswith("p_")}
    if _shown(marked.t[leads]):
        pool(("t_peak", "t_end"), marked.t[leads])
        least = max(_LEAST_MV["t"], 2 * noise_mv)
        size = magnitude(smooth(level, 10.0))
        humps = _t_humps(size, found["qrs_off"], found["t_peak"], found["t_end"])
        # Smoothing pulls a peak towards its gentler flank: where it is, is read on a quarter of it.
        fine = magnitude(smooth(level, 5.0))
        peaks = [_top(fine, hump) for hump in humps]
        too_late = rr_after_ms is not None and found["t_end"] > r_index + (rr_after_ms - 60) * _MS
        if peaks and size[humps[0]] >= least and not too_late:
            found |= dict(zip(("t_peak", "t_peak_2"), peaks, strict=False))
            tangent = _tangent_end(fine, humps[0], min(found["t_end"] + 60 * _MS, beat.shape[1]))
            if tangent is not None:
                found["t_end_tangent"] = tangent
        else:
            del found["t_peak"], found["t_end"]
    if "t_end" not in found:
        why["t"] = "No T wave stands out of the noise."
    return Waves(
        **found,
        why=why,
        spread_ms={name: spread[name] for name in spread if name in found},
        certain={name: certain[name] for name in certain if name in found},
    )


def lead_fiducials(
    beat: NDArray[np.float64], r_index: int, marked: LeadMarks, good: NDArray[np.bool_], p: bool, t: bool
) -> NDArray[np.float64]:
    """(12, FIDUCIALS) in ms relative to R of each good lead of beat (12, time); NaN where a lead shows no such wave.

    p, t: whether the beat has these waves at all. The R peak of a lead is its largest deflection within the QRS.
    """
    table = np.full((len(beat), len(FIDUCIALS)), np.nan)
    for column, name in enumerate(MARKED):
        there = {"p": p & (marked.p > _THERE), "t": t & (marked.t > _THERE)}.get(name[0], good)
        table[:, FIDUCIALS.index(name)] = np.where(good & there, marked.marks_ms[:, column], np.nan)
    for row in np.flatnonzero(good):
        first, last = (
            r_index + int(marked.marks_ms[row, MARKED.index(n)] * _MS) for n in ("qrs_on", "qrs_off")
        )
        qrs = beat[row, max(0, first) : last + 1]
        if qrs.size:
            peak = max(0, first) + int(np.argmax(np.abs(qrs - qrs[0])))
            table[row, FIDUCIALS.index("r_peak")] = (peak - r_index) / _MS
    return table


def in_order(marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., FIDUCIALS) with the waves taken out whose marks do not follow each other, and P ended where QRS begins."""
    p_on, p_peak, p_off, qrs_on, r, qrs_off, t_peak, _, t_end = np.moveaxis(marks, -1, 0)
    p_end = np.fmin(p_off, qrs_on)
    good = np.stack(
        [
            (p_on < p_peak) & (p_peak < p_end),
            ~(qrs_on >= qrs_off) & ~(r < qrs_on) & ~(r > qrs_off),
            (t_peak < t_end) & ~(t_peak <= qrs_off) & ~(t_peak <= r),
        ],
        axis=-1,
    )
    kept = np.where(np.repeat(good, 3, axis=-1), marks, np.nan)
    kept[..., FIDUCIALS.index("p_off")] = np.where(good[..., 0], p_end, np.nan)
    return np.asarray(kept)


def _shown(probability: NDArray[np.float64]) -> bool:
    """Whether a wave is there: in the mean of the three leads that show it best."""
    return bool(np.sort(probability)[-3:].mean() > _THERE)


def _rises(level: NDArray[np.float64], start: float, end: float, least_mv: float) -> bool:
    """Whether the leads leave the straight line between two columns by that much."""
    first, last = max(0, int(start)), min(level.shape[1] - 1, int(end))
    if last - first < 4:
        return False
    part = smooth(level, 6.0)[:, first : last + 1]
    line = part[:, [0]] + (part[:, [-1]] - part[:, [0]]) * np.linspace(0, 1, part.shape[1])
    return bool(magnitude(part - line).max() >= least_mv)


def _t_humps(size: NDArray[np.float64], qrs_off: float, marked: float, t_end: float) -> list[int]:
    """Columns of the peak of T on the magnitude, and of a second one where T is notched.

    Humps reach 0.6 of the highest and stand 0.1 of it above the dips between them; the one nearest to the leads'
    marks is the peak, as beyond it there may be the next P wave, and before it a lifted ST segment.
    """
    first, last = int(max(qrs_off + 40 * _MS, marked - 120 * _MS)), min(int(t_end), size.size - 2)
    part = size[first : last + 1]
    if part.size < 5:
        return []
    tops = 1 + np.flatnonzero((part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:]))
    humps: list[int] = []
    for top in tops[part[tops] >= 0.6 * part.max()].tolist():
        if humps and min(part[top], part[humps[-1]]) - part[humps[-1] : top].min() < 0.1 * part.max():
            humps[-1] = max(top, humps[-1], key=lambda at: float(part[at]))
        else:
            humps.append(top)
    return sorted((first + at for at in humps), key=lambda at: abs(at - marked))[:2]


def _top(curve: NDArray[np.float64], near: int) -> float:
    """Column of the maximum within 16 ms, sub-sample."""
    first, last = max(1, near - int(16 * _MS)), min(curve.size - 1, near + int(16 * _MS) + 1)
    at = first + int(np.argmax(curve[first:last]))
    return at + float(vertex(curve[None], np.array([at]))[0])


def _tangent_end(size: NDArray[np.float64], peak: int, limit: float) -> float | None:
    """Where the tangent at the steepest descent after the peak meets the lowest level before `limit` (Lepeschkin
    and Surawicz 1952); None where nothing descends."""
    part = size[peak : int(limit)]
    if part.size < 8:
        return None
    slope = np.gradient(part)
    steepest = int(np.argmin(slope))
    if slope[steepest] >= 0:
        return None
    return peak + steepest + float((part[steepest] - part[steepest:].min()) / -slope[steepest])


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Where half of the weight lies on either side, interpolated."""
    order = np.argsort(values)
    share = np.cumsum(weights[order]) - 0.5 * weights[order]
    return float(np.interp(0.5 * weights.sum(), share, values[order]))
