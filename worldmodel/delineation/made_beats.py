"""Made beats whose every boundary is known, to train the marker beside real ones: any interval, any wave shape.

Two families of waves. A raised cosine begins and ends exactly where it says. A Gaussian never ends; its end is
set at 2.4 SD from its peak, where human readers put it: their marks lie 0.4 of the tangent's length beyond the
point where the tangent at the steepest descent meets the baseline, which is at 2 SD.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import TWELVE_FROM_EIGHT
from worldmodel.preprocessing import DOWER

GAUSSIAN_END_SD = 2.4
_LEAST_P_MV, _LEAST_T_MV = 0.03, 0.05  # what is lower in a lead nobody could mark there


@dataclass(frozen=True)
class MadeBeat:
    """samples_mv: (12, time); marks_ms: (12, FIDUCIALS) relative to R, NaN where a lead does not show the wave."""

    samples_mv: NDArray[np.float64]
    marks_ms: NDArray[np.float64]


def bump(
    time_ms: NDArray[np.float64], start: float, peak: float, end: float, gaussian: bool
) -> NDArray[np.float64]:
    """A wave of height 1 between its marked ends."""
    before = time_ms < peak
    if gaussian:
        width = np.where(before, peak - start, end - peak) / GAUSSIAN_END_SD
        return np.exp(-0.5 * ((time_ms - peak) / width) ** 2)
    phase = np.where(before, (time_ms - start) / (peak - start), (end - time_ms) / (end - peak))
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(phase, 0, 1))


def make_beat(time_ms: NDArray[np.float64], rng: np.random.Generator) -> MadeBeat:
    """One beat with R at 0 and its neighbours, over times relative to R in ms."""
    timing = _draw_timing(rng)
    waves = _draw_waves(timing, rng)
    gaussian = bool(rng.random() < 0.5)
    eight = np.zeros((8, time_ms.size))
    for shift in (-timing.rr, 0.0, timing.rr * rng.uniform(0.9, 1.1)):
        for wave in waves:
            shape = bump(time_ms - shift, wave.start, wave.peak, wave.end, gaussian)
            eight += wave.heights_mv[:, None] * shape
    if not timing.has_p and rng.random() < 0.7:  # as in fibrillation
        phase = 2 * np.pi * (rng.uniform(4.0, 9.0) * time_ms / 1000 + rng.random((8, 1)))
        eight += rng.uniform(0.01, 0.08) * np.exp(0.5 * rng.normal(size=(8, 1))) * np.sin(phase)
    p = [w for w in waves if w.name == "p"]
    p_marks = [p[0].start, p[0].peak, p[0].end] if p else [np.nan] * 3
    marks = np.tile([*p_marks, timing.q_on, 0.0, timing.q_off, timing.t_peak, np.nan, timing.t_end], (12, 1))
    marks[_seen_mv(p) < _LEAST_P_MV, :3] = np.nan
    marks[_seen_mv([w for w in waves if w.name == "t"]) < _LEAST_T_MV, 6:] = np.nan
    return MadeBeat(TWELVE_FROM_EIGHT @ eight, marks)


@dataclass(frozen=True)
class _Timing:
    """In ms relative to R; rr to the beats before and after."""

    rr: float
    p_on: float
    p_off: float
    has_p: bool
    q_on: float
    q_off: float
    t_on: float
    t_peak: float
    t_end: float


@dataclass(frozen=True)
class _Wave:
    """name: p, qrs, t or st; heights_mv: (8,)."""

    name: str
    start: float
    peak: float
    end: float
    heights_mv: NDArray[np.float64]


def _draw_timing(rng: np.random.Generator) -> _Timing:
    """Rates from 46 to 133 per minute, and intervals from short to long for each."""
    rr = rng.uniform(450, 1300)
    qrs = float(np.clip(rng.normal(100, 25), 60, 200))
    qt = float(np.clip(rng.normal(405, 45) * (rr / 1000) ** (1 / 3), 250, 640))
    p_width = rng.uniform(70, 140)
    pr = max(p_width + 8, float(np.clip(rng.normal(165, 40), 80, max(90, min(340, rr - qt + 40)))))
    q_on = -rng.uniform(0.35, 0.55) * qrs
    t_end = q_on + qt
    t_peak = t_end - rng.uniform(0.22, 0.36) * (qt - qrs)
    t_on = t_peak - rng.uniform(1.0, 1.9) * (t_end - t_peak)
    has_p = bool(rng.random() < 0.85)
    return _Timing(rr, q_on - pr, q_on - pr + p_width, has_p, q_on, q_on + qrs, t_on, t_peak, t_end)


def _draw_waves(timing: _Timing, rng: np.random.Generator) -> list[_Wave]:
    """P of one or two humps, QRS of three to five overlapping ones, T, and sometimes a lifted ST segment."""
    waves = []
    if timing.has_p:
        width = timing.p_off - timing.p_on
        heights = rng.uniform(0.05, 0.18) * _leads(_direction((0.6, 0.9, 0.1), rng), rng)
        waves.append(_Wave("p", timing.p_on, timing.p_on + 0.5 * width, timing.p_off, heights))
        if rng.random() < 0.4:
            late = rng.uniform(0.55, 0.7) * width
            heights = 0.5 * rng.uniform(0.05, 0.18) * _leads(_direction((0.6, 0.9, 0.1), rng), rng)
            waves.append(
                _Wave("p notch", timing.p_on + 0.3 * width, timing.p_on + late, timing.p_off, heights)
            )
    edges = np.linspace(timing.q_on, timing.q_off, int(rng.integers(3, 6)) + 1)
    overlap = 0.5 * (edges[1] - edges[0])
    size = rng.uniform(0.6, 2.0)
    for number, (a, b) in enumerate(pairwise(edges)):
        start, end = max(timing.q_on, a - overlap), min(timing.q_off, b + overlap)
        share = 1.0 if number == len(edges) // 2 - 1 else rng.uniform(0.15, 0.5)
        heights = share * size * _leads(_direction((0.4, 0.4, 0.0), rng), rng)
        waves.append(_Wave("qrs", start, 0.5 * (start + end), end, heights))
    heights = rng.uniform(0.1, 0.6) * _leads(_direction((0.6, 0.6, -0.3), rng), rng)
    waves.append(_Wave("t", timing.t_on, timing.t_peak, timing.t_end, heights))
    if rng.random() < 0.3:
        lifted = 0.05 * rng.normal(size=8)
        middle = timing.t_on + 0.3 * (timing.t_peak - timing.t_on)
        waves.append(_Wave("st", timing.q_off - 20, middle, timing.t_peak, lifted))
    return waves


def _seen_mv(waves: Sequence[_Wave]) -> NDArray[np.float64]:
    """(12,) height of one wave in each lead."""
    return np.abs(TWELVE_FROM_EIGHT @ waves[0].heights_mv) if waves else np.zeros(12)


def _direction(usual: tuple[float, float, float], rng: np.random.Generator) -> NDArray[np.float64]:
    axis = np.array(usual) + 0.5 * rng.normal(size=3)
    return np.asarray(axis / np.linalg.norm(axis))


def _leads(axis: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """(8,) what the leads see of a dipole, each a little off."""
    return np.asarray((DOWER @ axis) * np.exp(0.2 * rng.normal(size=8)) + 0.02 * rng.normal(size=8))
