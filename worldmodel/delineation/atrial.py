"""What the atria do between the QRS complexes: P waves locked to the beats, waves of their own rate, or neither."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ, block_means
from worldmodel.delineation.order import median
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS

# Atrial waves are slower than 15 Hz: a fifth of the samples shows all of them.
_STEP = 5
_MS = FS_HZ / _STEP / 1000
_FLUTTER_LEADS = np.array([LEADS.index(name) for name in ("II", "III", "aVF", "V1")])
_INDEPENDENT = np.array([LEADS.index(name) for name in INDEPENDENT_LEADS])
# Flutter waves come 190 to 375 times a minute; P waves beside a block 45 to 170 times.
_FLUTTER_LAG = (int(160 * _MS), int(320 * _MS))
_FASTEST_LAG = int(100 * _MS)
_SLOWEST_HALF = 270 * _MS  # of a cycle of which every second is conducted
_P_LAG = (int(350 * _MS), int(1350 * _MS))
_P_REACH = int(260 * _MS)
_LEAST_P_MV = 0.008  # RMS over the leads: half of what the flattest P waves of LUDB reach


@dataclass(frozen=True)
class Diastole:
    """What is as wide as a P wave in a recording without its QRS complexes, 100 samples a second.

    flutter: (lead, time) in the good ones of II, III, aVF and V1. p: (lead, time) in the good independent leads,
    without the T waves of the usual beats. free: (time,) 0 where a QRS was or what follows a beat of another
    shape, 1 elsewhere. qrs_on: (beat,) the sample at which each QRS begins.
    """

    flutter: NDArray[np.float64]
    p: NDArray[np.float64]
    free: NDArray[np.float64]
    qrs_on: NDArray[np.int_]


@dataclass(frozen=True)
class AtrialCycle:
    """Autocorrelations, 0..1, between the QRS complexes, and the cycles in ms they were found at.

    flutter: at the best flutter lag in the best of II, III, aVF and V1; fast: the same for all waves that come 190
    to 600 times a minute, fibrillatory ones included. fixed: at the half, third or quarter of
    the RR alone and of these leads together; in a regular rhythm P and T come again at any part of the cycle,
    but they differ from lead to lead, as flutter waves do not differ from each other. p: of P waves of their
    own rate, all leads together; the lower one of one cycle and of two, as only P waves recur after both.
    """

    flutter: float
    flutter_ms: float
    fast: float
    fixed: float
    p: float
    pp_ms: float


def view_diastole(
    level: NDArray[np.float64],
    r: NDArray[np.float64],
    usual: NDArray[np.bool_],
    ok: NDArray[np.bool_],
    median: NDArray[np.float64],
    r_index: int,
    qrs: tuple[float, float],
    t_end: float | None,
) -> Diastole:
    """level (12, time) in mV at 500 Hz without wander; r (beat,) in samples; usual (beat,) of the usual shape.

    ok (12,): the good leads. median (12, time): the usual beat with R at column r_index; its QRS and the end of
    its T wave are columns, too.
    """
    rows = _INDEPENDENT[ok[_INDEPENDENT]] if ok[_INDEPENDENT].any() else np.flatnonzero(ok)
    flutter_rows = _FLUTTER_LEADS[ok[_FLUTTER_LEADS]]
    peaks = r / _STEP
    at = np.round(peaks).astype(np.int_)
    before, after = int((r_index - qrs[0]) / _STEP), int(np.ceil((qrs[1] - r_index) / _STEP))
    slow = block_means(level, _STEP)
    length = slow.shape[1]
    in_qrs = _mask(at, -before, after, length)
    foreign = _mask(at[~usual], -before, int(450 * _MS), length)
    last = t_end if t_end is not None else qrs[1] + 0.25 * FS_HZ
    p = _without_t(slow[rows], peaks, median[rows], r_index, (qrs[1], last))
    return Diastole(
        flutter=_bumps(_bridge(slow[flutter_rows], in_qrs)),
        p=_bumps(_bridge(p, in_qrs)),
        free=np.where(in_qrs | foreign, 0.0, 1.0),
        qrs_on=at - before,
    )


def _mask(at: NDArray[np.int_], first: int, last: int, length: int) -> NDArray[np.bool_]:
    """(length,) True from `first` to `last` around each of the positions."""
    mask = np.zeros(length, dtype=bool)
    near = (at[:, None] + np.arange(first, last + 1)).ravel()
    mask[near[(near >= 0) & (near < length)]] = True
    return mask


def _without_t(
    slow: NDArray[np.float64],
    peaks: NDArray[np.float64],
    median: NDArray[np.float64],
    r_index: int,
    t_wave: tuple[float, float],
) -> NDArray[np.float64]:
    """The usual T wave taken off after every beat, so that its tail is not taken for a P wave."""
    first, last = (round((column - r_index) / _STEP) for column in t_wave)
    at = np.round(peaks).astype(int)[:, None] + np.arange(first, last + 1)
    inside = (at >= 0) & (at < slow.shape[1])
    # Each slow sample is the middle of five.
    columns = np.round(r_index + (at - peaks[:, None]) * _STEP + _STEP // 2).astype(int)
    latest = median.shape[1] - 1
    end = median[:, [min(int(t_wave[1]), latest)]]
    rest = slow.copy()
    rest[:, at[inside]] -= median[:, np.clip(columns[inside], 0, latest)] - end
    return rest


def _bridge(x: NDArray[np.float64], gaps: NDArray[np.bool_]) -> NDArray[np.float64]:
    """x (lead, time) with a straight line across each gap."""
    known, at = np.flatnonzero(~gaps), np.flatnonzero(gaps)
    if not known.size:
        return np.zeros_like(x)
    right = np.searchsorted(known, at)
    a, b = known[np.maximum(right - 1, 0)], known[np.minimum(right, known.size - 1)]
    share = (at - a) / np.maximum(b - a, 1)
    bridged = x.copy()
    bridged[:, at] = x[:, a] + (x[:, b] - x[:, a]) * share
    return bridged


def _bumps(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is about as wide as a P wave: means over 30 ms less means over 150 ms."""
    return _box(x, 3) - _box(x, 15)


def _box(x: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Running mean of an odd width along the last axis."""
    half = width // 2
    padded = np.concatenate([x[:, :1].repeat(half + 1, 1), x, x[:, -1:].repeat(half, 1)], axis=1)
    sums = np.cumsum(padded, axis=1)
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width)


def p_likeness(diastole: Diastole, on_time: NDArray[np.bool_]) -> float | None:
    """How alike the beats are around the P wave: median correlation of each beat with the mean of the others.

    on_time: (beat,) those to look at. Near 1 for P waves locked to the QRS, near 0 for fibrillation or atria of
    their own, 0 where nothing stands there at all; None where fewer than three beats show what comes before.
    """
    ends = diastole.qrs_on[on_time] - int(20 * _MS)
    ends = ends[(ends >= _P_REACH) & (ends <= diastole.p.shape[1])]
    if ends.size < 3:
        return None
    parts = np.moveaxis(diastole.p[:, ends[:, None] + np.arange(-_P_REACH, 0)], 1, 0)
    size = np.sqrt((median(parts, axis=0) ** 2).mean(axis=0))
    # A P wave ends before the QRS begins, and its middle is no nearer to it than 50 ms.
    peak = int(np.argmax(size[: -int(30 * _MS)]))
    if size[peak] < _LEAST_P_MV:
        return 0.0
    half = int(80 * _MS)
    near = parts[..., max(0, peak - half) : peak + half + 1].reshape(ends.size, -1)
    near = near / (np.linalg.norm(near, axis=1, keepdims=True) + 1e-12)
    others = near.sum(axis=0) - near
    likeness = (near * others).sum(axis=1) / (np.linalg.norm(others, axis=1) + 1e-12)
    return float(median(likeness))


def atrial_cycle(diastole: Diastole, rr_ms: float | None) -> AtrialCycle:
    """Whether atrial waves of their own rate run through the recording; rr_ms: the usual RR, where there is one."""
    split = diastole.flutter.shape[0]
    correlation = _autocorrelation(np.concatenate([diastole.flutter, diastole.p]), diastole.free, split)
    *single, together, p = correlation
    flutter, flutter_lag = max(
        (_best_peak(row, *_FLUTTER_LAG) for row in single if not _is_faster(row)), default=(0.0, 0.0)
    )
    p_score, p_lag = _best_peak(p, *_P_LAG)
    twice = round(2 * p_lag)
    again = p[twice - 3 : twice + 4]
    return AtrialCycle(
        flutter=flutter,
        flutter_ms=flutter_lag / _MS,
        fast=max((_best_peak(row, _FASTEST_LAG, _FLUTTER_LAG[1])[0] for row in single), default=0.0),
        fixed=0.0 if rr_ms is None else _at_fractions(together, rr_ms * _MS),
        p=min(p_score, float(np.max(again, initial=0.0))),
        pp_ms=p_lag / _MS,
    )


def _autocorrelation(rows: NDArray[np.float64], free: NDArray[np.float64], split: int) -> NDArray[np.float64]:
    """(row, lag) of each of the first `split` rows, of these together, and of the others together; 1 at lag 0.

    0 at lags at which too few free samples meet.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    lags = 2 * _P_LAG[1] + 5
    n_fft = int(next_fast_len(free.size + lags, real=True))
    power = np.abs(rfft(np.concatenate([rows * free, free[None]]), n_fft, axis=1)) ** 2
    sums = [power[:split].sum(axis=0), power[split:-1].sum(axis=0), power[-1]]
    correlation = irfft(np.concatenate([power[:split], np.stack(sums)]), n_fft, axis=1)[:, :lags]
    overlap = correlation[-1]
    correlation = correlation[:-1] / np.maximum(overlap, 1.0)
    correlation /= np.maximum(correlation[:, :1], 1e-12)
    correlation[:, overlap < 0.15 * overlap[0]] = 0.0
    return np.asarray(correlation)


def _is_faster(correlation: NDArray[np.float64]) -> bool:
    """The best flutter lag is two cycles of waves that come faster than flutter waves."""
    score, lag = _best_peak(correlation, *_FLUTTER_LAG)
    half = round(lag / 2)
    return bool(correlation[half - 1 : half + 2].max() > 0.5 * score)


def _at_fractions(correlation: NDArray[np.float64], rr: float) -> float:
    score = 0.0
    for share in (2, 3, 4):
        cycle = rr / share
        if (
            share == 2 and cycle > _SLOWEST_HALF
        ):  # P and T of a sinus rhythm about 100 a minute are as far apart
            continue
        first, last = int(0.96 * cycle), int(np.ceil(1.04 * cycle)) + 1
        if first >= _FLUTTER_LAG[0] and last <= _FLUTTER_LAG[1] + 2:
            score = max(score, _best_peak(correlation, first, last)[0])
    return score


def _best_peak(correlation: NDArray[np.float64], first: int, last: int) -> tuple[float, float]:
    """The highest maximum between two lags, within 0..1, and its lag to a fraction of a sample."""
    inner = correlation[first:last]
    left, right = correlation[first - 1 : last - 1], correlation[first + 1 : last + 1]
    is_peak = (inner > left) & (inner >= right)
    if not is_peak.any():
        return 0.0, float(first)
    best = int(np.argmax(np.where(is_peak, inner, -1.0)))
    bend = left[best] - 2 * inner[best] + right[best]
    offset = 0.5 * (left[best] - right[best]) / bend if bend < 0 else 0.0
    return float(np.clip(inner[best], 0.0, 1.0)), first + best + float(offset)
