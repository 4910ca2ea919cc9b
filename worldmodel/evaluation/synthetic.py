"""Synthetic ECGs whose intervals are known exactly, and by which convention.

Where a smooth wave ends is a convention, so there are several families, reported apart:

- compact: raised cosines, which begin and end somewhere; the truth is where they do.
- gaussian, 2 SD: Gaussian waves as in ECGSYN (doi:10.1109/TBME.2003.808805); the truth is where the tangent
  at the steepest point meets the baseline, two SD from the centre, at 13.5 % of the height.
- gaussian, 3 SD: the same recordings; the truth is three SD from the centre, at 1.1 % of the height.
- fda-like: one clean beat again and again at 1000 Hz as in the FDA's median beats, with T waves of unequal
  flanks, flat or notched; T ends where the tangent at the steepest descent of the vector magnitude meets the
  baseline (Lepeschkin and Surawicz 1952); its P and QRS are compact.

All but the last have white noise 20 dB below each of the eight independent leads, and sinus arrhythmia.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import TWELVE_FROM_EIGHT
from worldmodel.evaluation.annotated_sets import AnnotatedSet
from worldmodel.evaluation.marks import MarkedRecord, Marks

ABOUT = {
    "compact": "raised cosines at 20 dB; truth: where they begin and end",
    "gaussian, 2 SD": "Gaussian waves at 20 dB; truth: 2 SD from the centre (tangent at the steepest point)",
    "gaussian, 3 SD": "the same recordings; truth: 3 SD from the centre (1.1 % of the height)",
    "fda-like": "one clean beat repeated, 1000 Hz; T end: tangent on the vector magnitude",
}
_SD_TO_END = {"gaussian, 2 SD": 2.0, "gaussian, 3 SD": 3.0}
_DURATION_S = 10.0
_SNR = 10.0  # amplitudes, 20 dB
# Heights in mV of P, Q, R, S and T in I, II, V1 ... V6.
_HEIGHTS = np.array(
    [
        [0.08, 0.14, 0.06, 0.06, 0.07, 0.07, 0.07, 0.06],
        [-0.06, -0.08, 0.00, 0.00, -0.04, -0.07, -0.10, -0.09],
        [0.70, 1.00, 0.25, 0.55, 0.95, 1.45, 1.30, 1.00],
        [-0.15, -0.15, -1.00, -1.30, -0.90, -0.45, -0.20, -0.12],
        [0.20, 0.30, 0.06, 0.40, 0.45, 0.42, 0.35, 0.26],
    ]
)


@dataclass(frozen=True)
class Wave:
    """One wave in ms from the QRS onset: its peak, and how far it reaches before and after."""

    peak: float
    before: float
    after: float

    def draw(self, time_ms: NDArray[np.float64], sd_to_end: float | None) -> NDArray[np.float64]:
        """1 at the peak: half cosines that end, or half Gaussians whose reach is two SD."""
        reach = np.where(time_ms < self.peak, self.before, self.after)
        x = (time_ms - self.peak) / reach
        if sd_to_end is None:
            return np.where(np.abs(x) < 1, 0.5 + 0.5 * np.cos(np.pi * np.clip(x, -1, 1)), 0.0)
        return np.asarray(np.exp(-0.5 * (2 * x) ** 2))


@dataclass(frozen=True)
class Beat:
    """Intervals in ms as drawn at random: rate 50-110, PR 120-220, QRS 80-130, QTcF 370-440."""

    rr: float
    pr: float
    p: float
    qrs: float
    qt: float
    t_fall: float

    @property
    def waves(self) -> tuple[Wave, ...]:
        """P, Q, R, S, T. Where R peaks, Q has ended and S not begun: the R peak is exact in every lead."""
        t_peak = self.qt - self.t_fall
        t_rise = min(1.5 * self.t_fall, t_peak - self.qrs - 10)
        return (
            Wave(self.p / 2 - self.pr, self.p / 2, self.p / 2),
            Wave(0.2 * self.qrs, 0.2 * self.qrs, 0.2 * self.qrs),
            Wave(0.45 * self.qrs, 0.22 * self.qrs, 0.25 * self.qrs),
            Wave(0.75 * self.qrs, 0.25 * self.qrs, 0.25 * self.qrs),
            Wave(t_peak, t_rise, self.t_fall),
        )


def synthetic_sets(records: int, seed: int) -> list[AnnotatedSet]:
    """One set of `records` recordings for each family."""
    return [
        AnnotatedSet(f"synthetic, {family}", about, tuple(range(records)), partial(_read, family, seed))
        for family, about in ABOUT.items()
    ]


def _read(family: str, seed: int, index: int) -> MarkedRecord:
    rng = np.random.default_rng([seed, index])
    make = _clean_beat if family == "fda-like" else partial(_recording, sd_to_end=_SD_TO_END.get(family))
    samples, fs_hz, marks = make(draw_beat(rng), rng)
    return MarkedRecord(f"{family} {index}", samples, fs_hz, (marks,), "sinus")


def draw_beat(rng: np.random.Generator) -> Beat:
    """Random intervals that leave at least 40 ms between a T wave and the next P."""
    while True:
        rr = 60_000 / rng.uniform(50, 110)
        qt = rng.uniform(370, 440) * np.cbrt(rr / 1000)
        beat = Beat(
            rr,
            rng.uniform(120, 220),
            rng.uniform(80, 110),
            rng.uniform(80, 130),
            qt,
            qt * rng.uniform(0.22, 0.28),
        )
        if 0.94 * rr - qt - beat.pr >= 40:
            return beat


def _recording(
    beat: Beat, rng: np.random.Generator, sd_to_end: float | None
) -> tuple[NDArray[np.float64], float, Marks]:
    """Ten seconds at 500 Hz with noise; sinus arrhythmia moves the beats, not the intervals."""
    fs_hz = 500.0
    time_ms = np.arange(round(_DURATION_S * fs_hz)) * 1000 / fs_hz
    onsets = _onsets_ms(beat.rr, rng, arrhythmia=0.03)
    drawn = np.zeros((5, time_ms.size))
    for onset in onsets:
        drawn += np.stack([wave.draw(time_ms - onset, sd_to_end) for wave in beat.waves])
    eight = _heights(rng).T @ drawn
    eight = eight + rng.normal(size=eight.shape) * eight.std(axis=1, keepdims=True) / _SNR
    longer = 1.0 if sd_to_end is None else sd_to_end / 2
    p, q, r, s, t = beat.waves
    points = {
        "p": (p.peak - longer * p.before, p.peak, p.peak + longer * p.after),
        "qrs": (q.peak - longer * q.before, r.peak, s.peak + longer * s.after),
        "t": (np.nan, t.peak, t.peak + longer * t.after),
    }
    return TWELVE_FROM_EIGHT @ eight, fs_hz, _marks(points, onsets)


def _clean_beat(beat: Beat, rng: np.random.Generator) -> tuple[NDArray[np.float64], float, Marks]:
    """Ten seconds of one beat without noise; of T, a second component in other proportions follows the first."""
    fs_hz = 1000.0
    time_ms = np.arange(round(_DURATION_S * fs_hz)) * 1000 / fs_hz
    onsets = _onsets_ms(beat.rr, rng, arrhythmia=0.0)
    *others, t = beat.waves
    sooner = rng.uniform(0, 60)
    first = Wave(t.peak - sooner, max(60.0, t.before - sooner), t.after)
    heights = _heights(rng)
    shares = np.clip(rng.uniform(0.2, 0.9) + rng.uniform(-0.25, 0.25, 8), 0, 1)

    def repolarisation(at_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """(8, time) mV."""
        parts = np.stack([first.draw(at_ms, 2.0), t.draw(at_ms, 2.0)])
        return np.asarray(heights[4][:, None] * (np.stack([1 - shares, shares], axis=1) @ parts))

    eight = np.zeros((8, time_ms.size))
    for onset in onsets:
        eight += heights[:4].T @ np.stack([wave.draw(time_ms - onset, None) for wave in others])
        eight += repolarisation(time_ms - onset)
    fine_ms = np.arange(beat.qrs, beat.qt + 200, 0.1)
    t_peak, t_end = tangent_end(np.sqrt((repolarisation(fine_ms) ** 2).mean(axis=0)), fine_ms)
    p, _, r, s = others
    points = {
        "p": (p.peak - p.before, p.peak, p.peak + p.after),
        "qrs": (0.0, r.peak, s.peak + s.after),
        "t": (np.nan, t_peak, t_end),
    }
    return TWELVE_FROM_EIGHT @ eight, fs_hz, _marks(points, onsets)


def tangent_end(size: NDArray[np.float64], time_ms: NDArray[np.float64]) -> tuple[float, float]:
    """Peak, and where the tangent at the steepest descent after it reaches zero, of (time,) a magnitude."""
    peak = int(np.argmax(size))
    slope = np.gradient(size, time_ms)
    steepest = peak + int(np.argmin(slope[peak:]))
    return float(time_ms[peak]), float(time_ms[steepest] - size[steepest] / slope[steepest])


def _onsets_ms(rr: float, rng: np.random.Generator, arrhythmia: float) -> NDArray[np.float64]:
    """QRS onsets from before the start to after the end; RR swings with breathing and a little at random."""
    start, number = rng.uniform(-rr, 0), int(_DURATION_S * 1000 / rr * 1.1) + 4
    swing = np.sin(2 * np.pi * np.arange(number) * rr / 4000 + rng.uniform(0, 2 * np.pi))
    steps = rr * (1 + arrhythmia * swing + arrhythmia / 4 * rng.normal(size=number))
    return np.asarray(start + np.concatenate([[0.0], np.cumsum(steps)]))


def _heights(rng: np.random.Generator) -> NDArray[np.float64]:
    """(P Q R S T, 8) mV: a person's own size of each wave, and a little of each lead."""
    return np.asarray(_HEIGHTS * rng.uniform(0.7, 1.4, (5, 1)) * rng.uniform(0.8, 1.2, (5, 8)))


def _marks(points: dict[str, tuple[float, float, float]], onsets_ms: NDArray[np.float64]) -> Marks:
    """Global marks of the beats that lie wholly inside the recording."""
    first, last = points["p"][0], points["t"][2]
    whole = onsets_ms[(onsets_ms + first > 0) & (onsets_ms + last < 1000 * _DURATION_S)]
    return Marks((), {kind: (whole[:, None] + np.array(at)) / 1000 for kind, at in points.items()})
