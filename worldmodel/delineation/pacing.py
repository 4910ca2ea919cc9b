"""Pacemaker spikes: deflections far shorter and more sudden than anything the heart makes."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ
from worldmodel.delineation.order import quantiles

_MS = FS_HZ / 1000
_WIDTH = int(6 * _MS)
_BEFORE_R = (int(250 * _MS), int(30 * _MS))
# A spike of two ventricular leads reaches millivolts, one of a bipolar lead a tenth of that. Of all unpaced
# records of LUDB no peak reached 0.12 mV and no step 0.06 mV; the faintest paced one stepped by 0.37 mV.
_LEAST_PEAK_MV, _LEAST_STEP_MV = 0.2, 0.12
_OVER_RIPPLE = 12.0


def spike_height_mv(x: NDArray[np.float64], r: NDArray[np.float64]) -> float:
    """Height of the third highest spike before a beat, 0 where fewer beats than that have one.

    x: (good lead, time) in mV at 500 Hz, unfiltered; r: positions of R. What counts comes 30 to 250 ms before
    R, in three leads at once (or in all, of fewer), and is one of two things: a peak above both its neighbours
    6 ms away and far above such ripple elsewhere; or a step within 2 ms out of a rest that lasted 10 ms, as
    recorders that cut the spike off leave it. QRS complexes, slower than 150 Hz, begin with neither.
    """
    first, last = _BEFORE_R
    at = np.round(r).astype(int)
    at = at[(at >= first + _WIDTH) & (at < x.shape[-1])]
    if not at.size or not x.shape[0]:
        return 0.0
    columns = at[:, None] + np.arange(-first - _WIDTH, -last + _WIDTH)
    before = x[:, columns]  # (lead, beat, time)
    height = 0.0
    for curve, least, over_ripple in (
        (_peaks(before), _LEAST_PEAK_MV, _OVER_RIPPLE),
        (_steps(before), _LEAST_STEP_MV, 0.0),
    ):
        tall = ((curve > least).sum(axis=0) >= min(3, x.shape[0])).any(axis=1)
        if tall.sum() >= min(3, at.size):
            shared = np.sort(curve, axis=0)[-min(3, x.shape[0])]
            third = float(np.sort(shared.max(axis=-1))[-min(3, at.size)])
            if third > over_ripple * (float(quantiles(shared.ravel(), 0.75)[0]) + 0.005):
                height = max(height, third)
    return height


def _peaks(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each sample stands out from both neighbours _WIDTH away, whichever way; negative on slopes."""
    left, middle, right = x[..., : -2 * _WIDTH], x[..., _WIDTH:-_WIDTH], x[..., 2 * _WIDTH :]
    return np.maximum(middle - np.maximum(left, right), np.minimum(left, right) - middle)


def _steps(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each step goes beyond four times the largest of the five before it."""
    size = np.abs(np.diff(x, axis=-1))
    last = size.shape[-1] - 5
    earlier = size[..., :last]
    for lag in range(1, 5):
        earlier = np.maximum(earlier, size[..., lag : last + lag])
    return np.asarray(size[..., 5:] - 4 * earlier)
