"""From beat positions to the dominant beat: baseline, alignment, classes and the median."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ

PRE_MS = 400.0
POST_MS = 800.0
_QRS_PRE, _QRS_POST = int(0.06 * FS_HZ), int(0.08 * FS_HZ)
_SHIFT = int(0.03 * FS_HZ)


@dataclass(frozen=True)
class Beats:
    """The beats of one recording.

    r: (beat,) sample positions of R, sub-sample; dominant: (beat,) of bool, the members of the class that the
    median is made of. median: (lead, time), R at column r_index; spread: (lead, time) robust SD between beats.
    """

    r: NDArray[np.float64]
    dominant: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    windows: NDArray[np.float64]
    median: NDArray[np.float64]
    spread: NDArray[np.float64]
    r_index: int


def remove_wander(x: NDArray[np.float64], r: NDArray[np.int_]) -> NDArray[np.float64]:
    """x (lead, time) minus a cubic spline through the moment before each QRS, where the heart is silent."""
    from scipy.interpolate import CubicSpline

    x = x - np.median(x, axis=-1, keepdims=True)
    knots = r - int(0.075 * FS_HZ)
    half = int(0.012 * FS_HZ)
    knots = knots[(knots > half) & (knots < x.shape[-1] - half)]
    if knots.size < 2:
        return x - (x[:, knots[0] - half : knots[0] + half + 1].mean(axis=1)[:, None] if knots.size else 0.0)
    level = np.stack([x[:, k - half : k + half + 1].mean(axis=1) for k in knots], axis=1)
    if knots.size < 4:
        time = np.arange(x.shape[-1])
        return x - np.stack([np.interp(time, knots, row) for row in level])
    inner = np.clip(np.arange(x.shape[-1]), knots[0], knots[-1])
    return x - CubicSpline(knots, level, axis=1)(inner)


def place_r(x: NDArray[np.float64], beats: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> NDArray[np.int_]:
    """The R peak near each energy peak: where the good leads together are farthest from zero."""
    size = np.sqrt((x[lead_ok] ** 2).mean(axis=0))
    reach = int(0.06 * FS_HZ)
    placed = []
    for beat in beats:
        a, b = max(0, beat - reach), min(size.size, beat + reach + 1)
        placed.append(a + int(np.argmax(size[a:b])))
    return np.unique(np.array(placed, dtype=np.int_))


def cut(x: NDArray[np.float64], r: NDArray[np.int_], before: int, after: int) -> NDArray[np.float64]:
    """(beat, lead, time) windows around r, NaN beyond the ends of x (lead, time)."""
    padded = np.pad(x, ((0, 0), (before, after + 1)), constant_values=np.nan)
    columns = r[:, None] + np.arange(before + after + 1)[None, :]
    return np.asarray(np.moveaxis(padded[:, columns], 0, 1))


def build_beats(x: NDArray[np.float64], r: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> Beats:
    """Classes and the median of the dominant class. x: (lead, time) without wander, r: at least one beat."""
    inside = (r >= _QRS_PRE + _SHIFT) & (r < x.shape[-1] - _QRS_POST - _SHIFT)
    qrs = cut(x[lead_ok], r, _QRS_PRE + _SHIFT, _QRS_POST + _SHIFT)
    qrs = np.nan_to_num(qrs)
    shift, likeness = _align(qrs, inside)
    dominant = _on_time(inside & (likeness > 0.9), r)
    if not dominant.any():
        dominant = inside if inside.any() else np.ones(r.size, dtype=bool)
    aligned = r + np.round(shift).astype(np.int_)
    before, after = int(PRE_MS * FS_HZ / 1000), int(_after_ms(r) * FS_HZ / 1000)
    windows = cut(x, aligned[dominant], before, after)
    windows = _fill_missing(windows)
    median = np.median(windows, axis=0)
    spread = 1.4826 * np.median(np.abs(windows - median), axis=0)
    return Beats((r + shift).astype(np.float64), dominant, likeness, windows, median, spread, before)


def _on_time(dominant: NDArray[np.bool_], r: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Without premature beats, whose P sits on the T before, where enough others remain."""
    if r.size < 4:
        return dominant
    rr = np.diff(r)
    late_enough = np.append(True, rr > 0.85 * np.percentile(rr, 60))
    kept = dominant & late_enough
    return kept if kept.sum() >= 3 else dominant


def _after_ms(r: NDArray[np.int_]) -> float:
    if r.size < 2:
        return POST_MS
    shortest = float(np.percentile(np.diff(r), 30)) * 1000 / FS_HZ
    return float(np.clip(shortest - 40.0, 200.0, POST_MS))


def _fill_missing(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Beats cut by the ends of the recording take the median of the others there, so they do not bias it."""
    if not np.isnan(windows).any():
        return windows
    whole = windows[~np.isnan(windows).any(axis=(1, 2))]
    if whole.shape[0] >= 3:
        return whole
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            middle = np.nan_to_num(np.nanmedian(windows, axis=0))
    return np.where(np.isnan(windows), middle, windows)


def _align(
    qrs: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift of each beat (samples, sub-sample) against the largest class, and its correlation with it.

    qrs: (beat, lead, time) with a margin of _SHIFT on either side.
    """
    width = qrs.shape[-1] - 2 * _SHIFT
    centred = qrs - qrs.mean(axis=-1, keepdims=True)
    core = centred[..., _SHIFT : _SHIFT + width].reshape(qrs.shape[0], -1)
    norm = np.linalg.norm(core, axis=1) + 1e-12
    likeness = (core @ core.T) / np.outer(norm, norm)
    votes = ((likeness > 0.8) & inside[None, :]).sum(axis=1) * inside
    seed = likeness[int(np.argmax(votes))] > 0.8
    template = np.median(core[seed], axis=0)
    shift = np.zeros(qrs.shape[0])
    score = np.zeros(qrs.shape[0])
    for _ in range(2):
        trials = np.stack(
            [centred[..., s : s + width].reshape(qrs.shape[0], -1) for s in range(2 * _SHIFT + 1)], axis=1
        )
        dots = trials @ template / (np.linalg.norm(trials, axis=2) * np.linalg.norm(template) + 1e-12)
        best = np.argmax(dots, axis=1)
        score = dots[np.arange(dots.shape[0]), best]
        shift = best - _SHIFT + _vertex(dots, best)
        members = (score > 0.9) & inside
        if members.any():
            chosen = trials[np.arange(trials.shape[0]), best]
            template = np.median(chosen[members], axis=0)
    return shift, score


def _vertex(curve: NDArray[np.float64], at: NDArray[np.int_]) -> NDArray[np.float64]:
    """Sub-sample offset of the maximum of each row, by a parabola through its neighbours."""
    rows = np.arange(curve.shape[0])
    inner = np.clip(at, 1, curve.shape[1] - 2)
    left, mid, right = curve[rows, inner - 1], curve[rows, inner], curve[rows, inner + 1]
    bend = left - 2 * mid + right
    offset = np.where(bend < -1e-12, 0.5 * (left - right) / np.where(bend < -1e-12, bend, 1.0), 0.0)
    return np.asarray(np.where(inner == at, np.clip(offset, -0.5, 0.5), 0.0))
