"""From beat positions to the dominant beat: baseline, alignment, classes and the median."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ

PRE_MS, POST_MS = 400.0, 800.0
_MS = FS_HZ / 1000
_QRS_PRE, _QRS_POST = int(60 * _MS), int(80 * _MS)
_SHIFT = int(30 * _MS)
# Correlation of two QRS complexes over all leads from which they are of one kind.
_SAME_KIND = 0.9


@dataclass(frozen=True)
class Beats:
    """The beats of one recording.

    r: (beat,) positions of R in samples, sub-sample. likeness: (beat,) correlation of each QRS with the
    dominant one. dominant: (beat,) of bool, those the median is made of: of the dominant kind, and on time.
    windows: (dominant beat, lead, time), median and spread (robust SD between beats): (lead, time), all with R
    at column r_index.
    """

    r: NDArray[np.float64]
    likeness: NDArray[np.float64]
    dominant: NDArray[np.bool_]
    windows: NDArray[np.float64]
    median: NDArray[np.float64]
    spread: NDArray[np.float64]
    r_index: int


def remove_wander(x: NDArray[np.float64], r: NDArray[np.int_]) -> NDArray[np.float64]:
    """x (lead, time) minus a cubic spline through the moment before each QRS, where the heart is silent."""
    from scipy.interpolate import CubicSpline

    half = int(12 * _MS)
    knots = r - int(75 * _MS)
    knots = knots[(knots > half) & (knots < x.shape[-1] - half)]
    if not knots.size:
        return np.asarray(x - np.median(x, axis=-1, keepdims=True))
    level = np.stack([x[:, k - half : k + half + 1].mean(axis=1) for k in knots], axis=1)
    time = np.clip(np.arange(x.shape[-1]), knots[0], knots[-1])
    if knots.size < 4:
        return np.asarray(x - np.stack([np.interp(time, knots, row) for row in level]))
    return np.asarray(x - CubicSpline(knots, level, axis=1)(time))


def place_r(x: NDArray[np.float64], beats: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> NDArray[np.int_]:
    """The R peak near each energy peak: where the good leads together are farthest from the baseline."""
    size = (x[lead_ok] ** 2).sum(axis=0)
    reach = int(60 * _MS)
    starts = np.maximum(beats - reach, 0)
    ends = np.minimum(beats + reach + 1, size.size)
    placed = [a + int(np.argmax(size[a:b])) for a, b in zip(starts, ends, strict=True)]
    return np.unique(np.array(placed, dtype=np.int_))


def build_beats(x: NDArray[np.float64], r: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> Beats:
    """Classes and the median of the dominant class. x: (lead, time) without wander, r: at least one beat."""
    inside = (r >= _QRS_PRE + _SHIFT) & (r < x.shape[-1] - _QRS_POST - _SHIFT)
    qrs = np.nan_to_num(_cut(x[lead_ok], r, _QRS_PRE + _SHIFT, _QRS_POST + _SHIFT))
    shift, likeness = _align(qrs, inside)
    dominant = _on_time(inside & (likeness > _SAME_KIND), r)
    if not dominant.any():
        dominant = inside if inside.any() else np.ones(r.size, dtype=bool)
    aligned = r + np.round(shift).astype(np.int_)
    before, after = int(PRE_MS * _MS), int(_after_ms(r) * _MS)
    windows = _complete(_cut(x, aligned[dominant], before, after))
    median = median_of_beats(windows)
    spread = 1.4826 * median_of_beats(np.abs(windows - median))
    return Beats(r + shift, likeness, dominant, windows, median, spread, before)


def median_of_beats(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """np.median over axis 0, three times as fast for a dozen beats."""
    ordered = np.sort(windows, axis=0)
    n = ordered.shape[0]
    return np.asarray(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2]))


def _cut(x: NDArray[np.float64], r: NDArray[np.int_], before: int, after: int) -> NDArray[np.float64]:
    """(beat, lead, time) windows around r, NaN beyond the ends of x (lead, time)."""
    margin = before + after + _SHIFT
    padded = np.pad(x, ((0, 0), (margin, margin)), constant_values=np.nan)
    columns = r[:, None] + margin + np.arange(-before, after + 1)[None, :]
    return np.asarray(np.moveaxis(padded[:, columns], 0, 1))


def _complete(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The beats that the ends of the recording do not cut, if there are three; else all, held constant beyond."""
    whole = ~np.isnan(windows[:, 0]).any(axis=1)
    if whole.sum() >= 3 or whole.all():
        return windows[whole]
    columns = np.arange(windows.shape[-1])
    filled = []
    for window in windows:
        known = columns[~np.isnan(window[0])]
        filled.append(window[:, np.clip(columns, known[0], known[-1])])
    return np.stack(filled)


def _on_time(dominant: NDArray[np.bool_], r: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Without premature beats, whose P sits on the T before, where enough others remain."""
    if r.size < 4:
        return dominant
    rr = np.diff(r)
    kept = dominant & np.append(True, rr > 0.85 * np.percentile(rr, 60))
    return kept if kept.sum() >= 3 else dominant


def _after_ms(r: NDArray[np.int_]) -> float:
    """How far after R the beat is followed: not into the next QRS of most beats."""
    if r.size < 2:
        return POST_MS
    short = float(np.percentile(np.diff(r), 30)) / _MS
    return float(np.clip(short - 40.0, 200.0, POST_MS))


def _align(
    qrs: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift of each beat (samples, sub-sample) against the largest class, and its correlation with it.

    qrs: (beat, lead, time) with a margin of _SHIFT on either side.
    """
    width = qrs.shape[-1] - 2 * _SHIFT
    centred = qrs - qrs.mean(axis=-1, keepdims=True)
    trials = np.stack(
        [centred[..., s : s + width].reshape(qrs.shape[0], -1) for s in range(2 * _SHIFT + 1)], axis=1
    )
    trials /= np.linalg.norm(trials, axis=2, keepdims=True) + 1e-12
    core = trials[:, _SHIFT]
    alike = core @ core.T > 0.8
    seed = int(np.argmax((alike & inside[None, :]).sum(axis=1) * inside))
    template = core[alike[seed]].mean(axis=0)
    every = np.arange(qrs.shape[0])
    for _ in range(2):
        match = trials @ (template / (np.linalg.norm(template) + 1e-12))
        best = np.argmax(match, axis=1)
        likeness = match[every, best]
        members = (likeness > _SAME_KIND) & inside
        if members.any():
            template = np.median(trials[every, best][members], axis=0)
    return best - _SHIFT + _vertex(match, best), likeness


def _vertex(curve: NDArray[np.float64], at: NDArray[np.int_]) -> NDArray[np.float64]:
    """Sub-sample offset of the maximum of each row, by a parabola through its neighbours."""
    rows = np.arange(curve.shape[0])
    inner = np.clip(at, 1, curve.shape[1] - 2)
    left, mid, right = curve[rows, inner - 1], curve[rows, inner], curve[rows, inner + 1]
    bend = np.minimum(left - 2 * mid + right, -1e-12)
    return np.where(inner == at, np.clip(0.5 * (left - right) / bend, -0.5, 0.5), 0.0)
