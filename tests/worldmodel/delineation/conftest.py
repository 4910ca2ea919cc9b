"""Made ECGs whose every boundary is known: waves of raised cosines, which begin and end exactly somewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT, Ecg

# Heights in mV of P, Q, R, S and T in I, II, V1 ... V6.
_HEIGHTS = np.array(
    [
        [0.06, 0.12, 0.04, 0.05, 0.06, 0.06, 0.05, 0.05],
        [-0.05, -0.08, 0.0, 0.0, 0.05, -0.06, -0.1, -0.1],
        [0.7, 1.1, 0.25, 0.6, 1.0, 1.5, 1.4, 1.1],
        [-0.15, -0.2, -1.0, -1.4, -0.9, -0.4, -0.2, -0.1],
        [0.2, 0.3, 0.05, 0.4, 0.45, 0.4, 0.35, 0.25],
    ]
)


@dataclass(frozen=True)
class Heart:
    """What to draw. Times in ms; `beats_ms` overrules the steady rate; p=False leaves P waves out."""

    hr_bpm: float = 70.0
    pr_ms: float = 160.0
    p_ms: float = 100.0
    qrs_ms: float = 90.0
    qt_ms: float = 390.0
    p: bool = True
    duration_s: float = 10.0
    fs_hz: float = 500.0
    noise_mv: float = 0.01
    wander_mv: float = 0.05
    seed: int = 0
    beats_ms: tuple[float, ...] = field(default=())


def _bump(time_ms: NDArray[np.float64], start: float, peak: float, end: float) -> NDArray[np.float64]:
    """0 outside start..end, 1 at the peak, a half cosine on either side."""
    phase = np.where(time_ms < peak, (time_ms - start) / (peak - start), (end - time_ms) / (end - peak))
    return np.where(
        (time_ms > start) & (time_ms < end), 0.5 - 0.5 * np.cos(np.pi * np.clip(phase, 0, 1)), 0.0
    )


def _beat(time_ms: NDArray[np.float64], qrs_on: float, heart: Heart) -> NDArray[np.float64]:
    """(wave, time) of one beat."""
    p_on, qrs, t_end = qrs_on - heart.pr_ms, heart.qrs_ms, qrs_on + heart.qt_ms
    return np.stack(
        [
            heart.p * _bump(time_ms, p_on, p_on + heart.p_ms / 2, p_on + heart.p_ms),
            _bump(time_ms, qrs_on, qrs_on + 0.2 * qrs, qrs_on + 0.4 * qrs),
            _bump(time_ms, qrs_on + 0.15 * qrs, qrs_on + 0.45 * qrs, qrs_on + 0.75 * qrs),
            _bump(time_ms, qrs_on + 0.55 * qrs, qrs_on + 0.78 * qrs, qrs_on + qrs),
            _bump(time_ms, t_end - 220, t_end - 85, t_end),
        ]
    )


def draw(heart: Heart) -> NDArray[np.float64]:
    """(12, time) in mV."""
    rng = np.random.default_rng(heart.seed)
    time_ms = np.arange(round(heart.duration_s * heart.fs_hz)) / heart.fs_hz * 1000
    steady = np.arange(-200.0, heart.duration_s * 1000 + 1500, 60_000 / heart.hr_bpm)
    waves = np.zeros((5, time_ms.size))
    for qrs_on in heart.beats_ms or steady:
        waves += _beat(time_ms, qrs_on, heart)
    eight = _HEIGHTS.T @ waves + heart.noise_mv * rng.normal(size=(8, time_ms.size))
    eight += heart.wander_mv * rng.normal(size=(8, 1)) * np.sin(2 * np.pi * 0.25 * time_ms / 1000 + 1.0)
    return TWELVE_FROM_EIGHT @ eight


def ecg_of(heart: Heart) -> Ecg:
    return Ecg(draw(heart), heart.fs_hz, LEADS)


@pytest.fixture
def heart() -> type[Heart]:
    return Heart


@pytest.fixture
def make() -> Callable[[Heart], NDArray[np.float64]]:
    return draw


@pytest.fixture
def make_ecg() -> Callable[[Heart], Ecg]:
    return ecg_of
