"""The rhythm label, from the regularity of the beats, what the atria do, and pacing spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.measurement import Rhythm

# (irregularity above, likeness of P below): the more irregular the beats, the more a bump before the QRS is
# doubted, as it may be the tail of a T wave or a run of alike fibrillatory waves.
_FIBRILLATION = ((0.08, 0.4), (0.12, 0.7), (0.2, 0.85))
_FLUTTER = 0.66
P_LOCKED = 0.5


@dataclass(frozen=True)
class Evidence:
    """What the label is read from.

    rr_ms: (n,) between successive beats. p_likeness: how alike the beats are around the P wave, None where
    that is unknown. flutter: autocorrelation at a flutter lag, 0..1. spike_mv: height of the pacing spikes
    before most beats, 0 without.
    """

    rr_ms: NDArray[np.float64]
    p_likeness: float | None
    flutter: float
    spike_mv: float


def irregularity(rr_ms: NDArray[np.float64], lag: int = 1) -> float:
    """Median change from one RR to the `lag`-th next over the mean RR; a few ectopic beats leave it low."""
    if rr_ms.size < lag + 1:
        return 0.0
    return float(np.median(np.abs(rr_ms[lag:] - rr_ms[:-lag])) / rr_ms.mean())


def usual_rr_ms(rr_ms: NDArray[np.float64], label: str) -> float | None:
    """RR for rate and correction: the interquartile mean, which an ectopic beat and its pause do not move.

    In fibrillation and flutter the plain mean, as there is no usual RR. None without two beats.
    """
    if not rr_ms.size:
        return None
    if label in ("atrial_fibrillation", "atrial_flutter"):
        return float(rr_ms.mean())
    ordered = np.sort(rr_ms)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def may_flutter(rr_ms: NDArray[np.float64], p_likeness: float | None) -> bool:
    """Whether flutter waves are worth looking for: not in a calm rhythm with a P wave before each QRS."""
    if rr_ms.size < 2:
        return False
    calm = irregularity(rr_ms) < 0.05 and rr_ms.mean() > 500
    return not (calm and p_likeness is not None and p_likeness > 0.92)


def classify(evidence: Evidence) -> Rhythm:
    """sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown."""
    rr = evidence.rr_ms
    if evidence.spike_mv > 0:
        return Rhythm("paced", round(min(0.95, 0.6 + evidence.spike_mv), 2))
    if rr.size < 2:
        return Rhythm()
    if evidence.flutter > _FLUTTER:
        return Rhythm("atrial_flutter", round(min(0.9, 0.5 + 2 * (evidence.flutter - _FLUTTER)), 2))
    likeness = max(0.0, evidence.p_likeness or 0.0)
    chaos = irregularity(rr)
    alternating = irregularity(rr, lag=2) < 0.4 * chaos
    if not alternating and any(chaos > least and likeness < most for least, most in _FIBRILLATION):
        return Rhythm("atrial_fibrillation", round(min(0.95, 0.6 + chaos * (1 - likeness)), 2))
    if likeness >= P_LOCKED:
        return Rhythm("sinus", round(min(0.95, likeness) * (1.0 if chaos < 0.1 else 0.8), 2))
    return Rhythm("other", 0.4)


def why_no_p(rhythm: Rhythm, p_likeness: float | None) -> str | None:
    """Why P and PR do not exist in this rhythm, whatever bump may precede the QRS; None where they may."""
    reasons = {
        "atrial_fibrillation": "Atrial fibrillation has no P wave.",
        "atrial_flutter": "Atrial flutter has no P wave.",
        "paced": "The rhythm is paced: no conduction time can be read.",
    }
    if rhythm.label in reasons:
        return reasons[rhythm.label]
    if p_likeness is not None and p_likeness < P_LOCKED:
        return "No P wave comes at a fixed time before the QRS."
    return None
