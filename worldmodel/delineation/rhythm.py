"""The rhythm label, from the regularity of the beats, what the atria do, and pacing spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.atrial import AtrialCycle
from worldmodel.delineation.order import median
from worldmodel.measurement import Rhythm

# (irregularity above, likeness of P below): the more irregular the beats, the more a bump before the QRS is
# doubted, as it may be a run of alike fibrillatory waves. Sinus rhythm with many premature beats keeps 0.6 and
# more of likeness (Ningbo's records), fibrillation without flutter-like waves stays under 0.4 (LUDB's).
_FIBRILLATION = ((0.08, 0.5), (0.12, 0.6), (0.2, 0.68))
# Between flutter (LUDB: 0.66 and more) and restless sinus rhythms (Ningbo: under 0.45); and between made flutter
# of fixed conduction and sinus rhythm (real ones: under 0.45, made ones: under 0.6).
_FLUTTER, _FIXED_FLUTTER = 0.55, 0.58
# How closely the RR are multiples of the flutter cycle: 0.3 by chance, 1 if exactly.
_MULTIPLES = 0.5
_COARSE = 0.4
_VARIABLE = 0.06
# LUDB's record with complete block reaches 0.29; all others, at cycles that are shorter than the RR, 0.21.
_OWN_RATE = 0.26
P_LOCKED = 0.5
_RESTLESS = 0.5


@dataclass(frozen=True)
class Evidence:
    """What the label is read from.

    rr_ms: (n,) between successive beats. p_likeness: how alike the beats are around the P wave, None where
    that is unknown. cycle: of atria with a rate of their own. spike_mv: height of the pacing spikes, 0 without.
    """

    rr_ms: NDArray[np.float64]
    p_likeness: float | None
    cycle: AtrialCycle
    spike_mv: float

    @property
    def p_locked(self) -> bool:
        """P waves come at a fixed time before the QRS; more is asked where waves run through all of diastole."""
        least = P_LOCKED if self.cycle.fast < _RESTLESS else 0.85
        return self.p_likeness is not None and self.p_likeness >= least


def irregularity(rr_ms: NDArray[np.float64], lag: int = 1) -> float:
    """Median change from one RR to the `lag`-th next over the mean RR; a few ectopic beats leave it low."""
    if rr_ms.size < lag + 1:
        return 0.0
    return float(median(np.abs(rr_ms[lag:] - rr_ms[:-lag])) / rr_ms.mean())


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


def classify(evidence: Evidence) -> Rhythm:
    """sinus | atrial_fibrillation | atrial_flutter | paced | other | unknown.

    `other`: beats without P waves at a fixed time before them that are no fibrillation either; its low
    confidence says that fibrillation with a regular escape rhythm cannot be told from it.
    """
    rr, cycle = evidence.rr_ms, evidence.cycle
    if evidence.spike_mv > 0:
        return Rhythm("paced", round(min(0.95, 0.6 + evidence.spike_mv), 2))
    if rr.size < 2:
        return Rhythm()
    variable = rr.std() > _VARIABLE * rr.mean()
    flutter = cycle.flutter - _FLUTTER if variable else cycle.fixed - _FIXED_FLUTTER
    if flutter > 0 and (not variable or _multiples(rr, cycle.flutter_ms) > _MULTIPLES):
        return Rhythm("atrial_flutter", round(min(0.9, 0.5 + 0.9 * flutter), 2))
    if p_waves_unconducted(evidence) and not evidence.p_locked:
        return Rhythm("other", 0.6)
    likeness = max(0.0, evidence.p_likeness or 0.0)
    chaos = irregularity(rr)
    if variable and cycle.fast > _FLUTTER and likeness < 0.95:
        return Rhythm("atrial_fibrillation", 0.6)
    if not evidence.p_locked or not _recurs(rr, chaos):
        if any(chaos > least and likeness < most for least, most in _FIBRILLATION):
            return Rhythm("atrial_fibrillation", round(min(0.95, 0.6 + chaos * (1 - likeness)), 2))
        if chaos > 0.15 and cycle.fast > _COARSE and likeness < 0.95:
            return Rhythm("atrial_fibrillation", 0.55)
    if evidence.p_locked:
        doubt = 0.8 if chaos >= 0.1 else 1.0
        return Rhythm("sinus", round(min(0.95, likeness) * min(doubt, 1.3 - cycle.fixed), 2))
    return Rhythm("other", 0.4)


def _multiples(rr_ms: NDArray[np.float64], cycle_ms: float) -> float:
    """How closely all RR are multiples of a cycle, 0..1: length of their mean as points on its circle."""
    turns = 2 * np.pi * rr_ms / max(cycle_ms, 1.0)
    return float(np.hypot(np.cos(turns).mean(), np.sin(turns).mean()))


def _recurs(rr_ms: NDArray[np.float64], chaos: float) -> bool:
    """Irregular by a pattern that comes again with every second or third beat, as in bigeminy and trigeminy."""
    return any(rr_ms.size > 2 * lag and irregularity(rr_ms, lag) < 0.4 * chaos for lag in (2, 3))


def p_waves_unconducted(evidence: Evidence) -> bool:
    """More P waves than beats, at a rate of their own: every sixth is without a beat, or more.

    Waves as fast as those of flutter and fibrillation would fake it.
    """
    rr, cycle = evidence.rr_ms, evidence.cycle
    return bool(
        rr.size >= 3 and cycle.p > _OWN_RATE and cycle.fast < _COARSE and rr.mean() > 1.15 * cycle.pp_ms
    )


def why_no_p(rhythm: Rhythm, evidence: Evidence) -> str | None:
    """Why P and PR do not exist in this rhythm, whatever bump may precede the QRS; None where they may."""
    reasons = {
        "atrial_fibrillation": "Atrial fibrillation has no P wave.",
        "atrial_flutter": "Atrial flutter has no P wave.",
        "paced": "The rhythm is paced: no conduction time can be read.",
    }
    if rhythm.label in reasons:
        return reasons[rhythm.label]
    if evidence.p_likeness is not None and not evidence.p_locked:
        return "No P wave comes at a fixed time before the QRS."
    return None
