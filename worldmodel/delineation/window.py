"""The stretch of a long recording that is measured: the quietest ten seconds."""

import numpy as np

from worldmodel.delineation.filters import fill_gaps, smooth
from worldmodel.delineation.quality import judge_leads
from worldmodel.ecg import Ecg

WINDOW_S = 10.0
_MOST_WINDOWS = 60


def best_start_s(ecg: Ecg, duration_s: float = WINDOW_S) -> float:
    """Where the best stretch of `duration_s` begins: most good leads first, then least noise and wander."""
    room = ecg.duration_s - duration_s
    if room <= 0:
        return 0.0
    step = max(duration_s / 2, room / _MOST_WINDOWS)
    starts = np.arange(0.0, room + 1e-9, step)
    return float(min(starts, key=lambda start: _badness(ecg.window(float(start), duration_s))))


def _badness(part: Ecg) -> tuple[int, float]:
    ok = judge_leads(part.samples_mv[None]).ok[0]
    if not ok.any():
        return (0, float("inf"))
    x = fill_gaps(part.samples_mv[ok])
    ripple = np.median(np.abs(x - smooth(x, 6.0, part.fs_hz)), axis=-1)
    second = max(1, round(part.fs_hz))
    whole = x[:, : x.shape[-1] // second * second].reshape(x.shape[0], -1, second)
    wander = np.ptp(np.median(whole, axis=-1), axis=-1) if whole.shape[1] else np.zeros(x.shape[0])
    return (-int(ok.sum()), float(np.median(ripple + 0.05 * wander)))
