"""The rhythm label, from the regularity of the beats and what the atria do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.measurement import Rhythm


# The more chaotic the RR, the more a P-like bump before the QRS (a T wave's tail, a run of alike f waves) is doubted.
_FIBRILLATION = ((0.08, 0.4), (0.12, 0.7), (0.2, 0.85))


@dataclass(frozen=True)
class Evidence:
    """rr_ms between successive beats; p_locked: likeness of the beats around P, None without a P wave;
    flutter: 0..1; paced: 0..1."""

    rr_ms: NDArray[np.float64]
    p_locked: float | None
    flutter: float
    paced: float = 0.0


def jitter(rr_ms: NDArray[np.float64], lag: int = 1) -> float:
    """Median change from one RR to the `lag`-th next, as a fraction of the mean RR; few ectopic beats leave it low."""
    if rr_ms.size < lag + 2:
        return 0.0
    return float(np.median(np.abs(rr_ms[lag:] - rr_ms[:-lag])) / rr_ms.mean())


def classify(evidence: Evidence) -> Rhythm:
    """sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown."""
    rr, p = evidence.rr_ms, evidence.p_locked
    if evidence.paced > 0.5:
        return Rhythm("paced", round(evidence.paced, 2))
    if rr.size < 2:
        return Rhythm()
    if evidence.flutter > 0.66:
        return Rhythm("atrial_flutter", round(min(0.9, 0.5 + (evidence.flutter - 0.66) * 2), 2))
    chaos = jitter(rr)
    patterned = jitter(rr, lag=2) < 0.4 * chaos
    p_share = max(0.0, p or 0.0)
    fibrillating = any(chaos > least and p_share < most for least, most in _FIBRILLATION)
    if fibrillating and not patterned:
        return Rhythm("atrial_fibrillation", round(min(0.95, 0.6 + chaos * (1 - p_share)), 2))
    if p_share >= 0.5:
        return Rhythm("sinus", round(min(0.95, p_share) * (0.95 if chaos < 0.1 else 0.75), 2))
    return Rhythm("other", 0.4)
