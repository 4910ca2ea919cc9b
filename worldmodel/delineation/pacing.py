"""Pacemaker spikes: deflections far shorter than anything the heart makes."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.filters import FS_HZ

_MS = FS_HZ / 1000
_WIDTH = int(6 * _MS)
_LEAST_MV = 0.2


def spike_height_mv(x: NDArray[np.float64], r: NDArray[np.float64]) -> float:
    """Median height of the spike before each beat, 0 where there is none.

    x: (good lead, time) in mV, unfiltered; r: positions of R. A spike stands above both its neighbours 6 ms
    away, in three leads (or in all, of fewer), 36 to 250 ms before R, and far above such ripple elsewhere.
    """
    if x.shape[-1] < 4 * _WIDTH or not x.shape[0]:
        return 0.0
    before, middle, after = x[:, : -2 * _WIDTH], x[:, _WIDTH:-_WIDTH], x[:, 2 * _WIDTH :]
    above = np.maximum(middle - np.maximum(before, after), np.minimum(before, after) - middle)
    shared = np.sort(np.maximum(above, 0.0), axis=0)[-min(3, x.shape[0])]
    heights = []
    for beat in np.round(r).astype(int) - _WIDTH:
        part = shared[max(0, beat - int(250 * _MS)) : max(0, beat - int(36 * _MS))]
        if part.size > int(100 * _MS):
            heights.append(float(part.max()))
    height = float(np.median(heights)) if heights else 0.0
    ripple = float(np.percentile(shared, 90)) + 0.005
    return height if height > _LEAST_MV and height > 12 * ripple else 0.0
