"""The rhythm label, from the regularity of the beats and the presence of P waves."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.measurement import Rhythm


def irregularity(rr_ms: NDArray[np.float64]) -> float:
    """Mean absolute change from one RR to the next over the mean RR."""
    return float(np.abs(np.diff(rr_ms)).mean() / rr_ms.mean()) if rr_ms.size >= 2 else 0.0


def classify(rr_ms: NDArray[np.float64], p_found: bool) -> Rhythm:
    """rr_ms: intervals between successive beats."""
    if rr_ms.size < 2:
        return Rhythm()
    chaos = irregularity(rr_ms)
    if not p_found and chaos > 0.1:
        return Rhythm("atrial_fibrillation", 0.8)
    if p_found:
        return Rhythm("sinus", 0.9 if chaos < 0.2 else 0.6)
    return Rhythm("other", 0.4)
