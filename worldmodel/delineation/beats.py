"""From beat positions to median beats: baseline, alignment, kinds of beats, and the median of each kind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.delineation.order import median, quantiles

PRE_MS, POST_MS = 400.0, 800.0
_MS = FS_HZ / 1000  # samples per ms
_QRS_PRE, _QRS_POST = int(60 * _MS), int(80 * _MS)
_SHIFT = int(30 * _MS)
_STRAIGHT = 16
_COARSE = 4  # columns of which one tells the noise of a beat
_STEP = 2  # the QRS is compared at every second sample, which its bandwidth allows
_MARGIN = int(40 * _MS)  # a wave of one beat is looked for this far from where the median beat has it
# Correlation of two QRS complexes over all leads from which they are of one kind.
_SAME_KIND = 0.9
_SAME_WAVE = 0.8  # the same for a P or T wave


@dataclass(frozen=True)
class Beats:
    """The beats of one recording.

    r: (beat,) positions of R in samples, sub-sample. likeness: (beat,) correlation of each QRS with the
    dominant one. kind: (beat,) of int: 0 is dominant and on time, 1 ... are other shapes, and early beats of the
    dominant shape. windows: (beat, lead, time), NaN beyond the ends of the recording; medians:
    (kind, lead, time), with R at column r_index. spread_mv: (lead,) robust SD between the beats of kind 0, RMS
    over time. end: column where the next QRS of most beats begins.
    """

    r: NDArray[np.float64]
    likeness: NDArray[np.float64]
    kind: NDArray[np.int_]
    windows: NDArray[np.float64]
    medians: NDArray[np.float64]
    spread_mv: NDArray[np.float64]
    r_index: int
    end: int

    @property
    def dominant(self) -> NDArray[np.bool_]:
        """(beat,) those of kind 0."""
        return np.asarray(self.kind == 0)

    @property
    def median(self) -> NDArray[np.float64]:
        """(lead, time up to `end`) of kind 0."""
        return np.asarray(self.medians[0][:, : self.end])


def remove_wander(x: NDArray[np.float64], r: NDArray[np.int_]) -> NDArray[np.float64]:
    """x (lead, time) minus a cubic spline through the moment before each QRS, where the heart is silent."""
    from scipy.interpolate import CubicSpline

    half = int(12 * _MS)
    knots = r - int(75 * _MS)
    knots = knots[(knots > half) & (knots < x.shape[-1] - half)]
    if not knots.size:
        return np.asarray(x - median(x, keepdims=True))
    level = np.stack([x[:, k - half : k + half + 1].mean(axis=1) for k in knots], axis=1)
    if knots.size < 4:
        time = np.clip(np.arange(x.shape[-1]), knots[0], knots[-1])
        return np.asarray(x - np.stack([np.interp(time, knots, row) for row in level]))
    # A spline this slow is straight over 16 samples, and much cheaper so.
    coarse = np.arange(0, x.shape[-1] + _STRAIGHT, _STRAIGHT)
    curve = CubicSpline(knots, level, axis=1)(np.clip(coarse, knots[0], knots[-1]))
    share = np.arange(_STRAIGHT) / _STRAIGHT
    lines = curve[:, :-1, None] * (1 - share) + curve[:, 1:, None] * share
    return np.asarray(x - lines.reshape(x.shape[0], -1)[:, : x.shape[-1]])


def place_r(x: NDArray[np.float64], beats: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> NDArray[np.int_]:
    """The R peak near each energy peak: where the good leads together are farthest from their level around it."""
    reach, length = int(60 * _MS), x.shape[-1]
    good = x[lead_ok]
    placed = []
    for beat in beats:
        start, end = max(0, beat - reach), min(length, beat + reach + 1)
        part = good[:, start:end]
        level = median(good[:, max(0, start - reach) : end + reach : 8], keepdims=True)
        placed.append(start + int(np.argmax(((part - level) ** 2).sum(axis=0))))
    return np.unique(np.array(placed, dtype=np.int_))


def build_beats(x: NDArray[np.float64], r: NDArray[np.int_], lead_ok: NDArray[np.bool_]) -> Beats:
    """Kinds of beats and their medians. x: (lead, time) without wander, r: at least one beat."""
    inside = (r >= _QRS_PRE + _SHIFT) & (r < x.shape[-1] - _QRS_POST - _SHIFT)
    qrs = np.nan_to_num(_cut(x[lead_ok], r, _QRS_PRE + _SHIFT, _QRS_POST + _SHIFT))[..., ::_STEP]
    shift, likeness, aligned = _align(qrs, inside)
    kind = _kinds(likeness, aligned, inside, r)
    windows = _cut(x, r + np.round(shift).astype(np.int_), int(PRE_MS * _MS), int(POST_MS * _MS))
    medians = np.stack([median(complete(windows[kind == k]), axis=0) for k in range(int(kind.max()) + 1)])
    r_index = int(PRE_MS * _MS)
    end = r_index + int(_after_ms(r) * _MS) + 1
    apart = complete(windows[kind == 0])[..., :end:_COARSE] - medians[0][:, :end:_COARSE]
    spread = 1.4826 * np.sqrt((median(np.abs(apart), axis=0) ** 2).mean(axis=-1))
    return Beats(r + shift, likeness, kind, windows, medians, spread, r_index, end)


def wave_shifts(beats: Beats, leads: NDArray[np.bool_], start: float, end: float) -> NDArray[np.float64]:
    """(beat,) how much later than in the median of its kind the wave at columns start..end comes, in samples.

    0 where the wave of the beat does not resemble the median's enough to tell, or lies beyond the recording.
    """
    step = 2 * _STEP
    first, last = max(_MARGIN, int(start)), min(beats.windows.shape[-1] - _MARGIN, int(end))
    if last - first < int(30 * _MS) or not leads.any():
        return np.zeros(beats.r.size)
    model = beats.medians[:, leads, first:last:step][beats.kind]
    model = model - model.mean(axis=-1, keepdims=True)
    parts = beats.windows[:, leads, first - _MARGIN : last + _MARGIN : step]
    trials = np.lib.stride_tricks.sliding_window_view(parts, model.shape[-1], axis=-1)
    trials = trials - trials.mean(axis=-1, keepdims=True)
    match = np.einsum("blot,blt->bo", trials, model)
    match /= (
        np.sqrt(np.einsum("blot,blot->bo", trials, trials)) * np.linalg.norm(model, axis=(1, 2))[:, None]
        + 1e-9
    )
    match = np.nan_to_num(match, nan=-1.0)
    best = np.argmax(match, axis=1)
    inner = (best > 0) & (best < match.shape[1] - 1) & (match.max(axis=1) > _SAME_WAVE)
    return np.where(inner, step * (best + vertex(match, best)) - _MARGIN, 0.0)


def _cut(x: NDArray[np.float64], r: NDArray[np.int_], before: int, after: int) -> NDArray[np.float64]:
    """(beat, lead, time) windows around r, NaN beyond the ends of x (lead, time)."""
    windows = np.full((r.size, x.shape[0], before + after + 1), np.nan)
    for window, at in zip(windows, r, strict=True):
        first, last = max(0, at - before), min(x.shape[-1], at + after + 1)
        if last > first:
            window[:, first - at + before : last - at + before] = x[:, first:last]
    return windows


def complete(windows: NDArray[np.float64], enough: int = 3) -> NDArray[np.float64]:
    """The beats that the ends of the recording do not cut, if they are enough; else all, held constant beyond."""
    whole = ~np.isnan(windows[:, 0, [0, -1]]).any(axis=1)
    if whole.sum() >= enough or whole.all():
        return windows[whole]
    columns = np.arange(windows.shape[-1])
    filled = []
    for window in windows:
        known = columns[~np.isnan(window[0])]
        filled.append(window[:, np.clip(columns, known[0], known[-1])])
    return np.stack(filled)


def _kinds(
    likeness: NDArray[np.float64],
    aligned: NDArray[np.float64],
    inside: NDArray[np.bool_],
    r: NDArray[np.int_],
) -> NDArray[np.int_]:
    """(beat,) 0 for dominant beats on time; the others grouped by shape, early ones of the dominant shape apart."""
    usual = inside & (likeness > _SAME_KIND)
    if not usual.any():
        usual = inside if inside.any() else np.ones(r.size, dtype=bool)
    kind = np.where(_on_time(usual, r), 0, -1)
    kind[~inside & (likeness > 0.7)] = 0  # cut by an end of the recording: what there is of it is alike
    groups = 1
    early = usual & (kind != 0)
    if early.any():
        kind[early], groups = 1, 2
    while (kind < 0).any():
        seed = int(np.flatnonzero(kind < 0)[0])
        alike = (aligned @ aligned[seed] > _SAME_KIND) & (kind < 0)
        alike[seed] = True
        kind[alike] = groups
        groups += 1
    return kind


def _on_time(dominant: NDArray[np.bool_], r: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Without premature beats, whose P sits on the T before, where enough others remain."""
    if r.size < 4:
        return dominant
    rr = np.diff(r)
    kept = dominant & np.append(True, rr > 0.85 * quantiles(rr, 0.6)[0])
    return kept if kept.sum() >= 3 else dominant


def _after_ms(r: NDArray[np.int_]) -> float:
    """How far after R the beat is its own: not into the next QRS of most beats."""
    if r.size < 2:
        return POST_MS
    short = float(quantiles(np.diff(r).astype(np.float64), 0.3)[0]) / _MS
    return float(np.clip(short - 40.0, 200.0, POST_MS))


def _align(
    qrs: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shift of each beat (samples, sub-sample) against the largest class, its correlation with it, and its
    aligned QRS as a unit vector.

    qrs: (beat, lead, time) at every _STEP-th sample, with a margin of _SHIFT samples on either side.
    """
    margin = _SHIFT // _STEP
    width = qrs.shape[-1] - 2 * margin
    centred = qrs - qrs.mean(axis=-1, keepdims=True)
    trials = np.stack(
        [centred[..., s : s + width].reshape(qrs.shape[0], -1) for s in range(2 * margin + 1)], axis=1
    )
    trials /= np.sqrt(np.einsum("bsi,bsi->bs", trials, trials))[..., None] + 1e-12
    core = trials[:, margin]
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
            template = median(trials[every, best][members], axis=0)
    return _STEP * (best - margin + vertex(match, best)), likeness, trials[every, best]


def vertex(curve: NDArray[np.float64], at: NDArray[np.int_]) -> NDArray[np.float64]:
    """Sub-sample offset of the maximum of each row, by a parabola through its neighbours."""
    rows = np.arange(curve.shape[0])
    inner = np.clip(at, 1, curve.shape[1] - 2)
    left, mid, right = curve[rows, inner - 1], curve[rows, inner], curve[rows, inner + 1]
    bend = np.minimum(left - 2 * mid + right, -1e-12)
    return np.where(inner == at, np.clip(0.5 * (left - right) / bend, -0.5, 0.5), 0.0)
