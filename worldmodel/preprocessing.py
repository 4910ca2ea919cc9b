"""The one pre-processing of signals for the generative model, in training and in use. Versioned.

Changing anything here changes what the weights mean: raise VERSION and train again.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.delineation.filters import FS_HZ as MEASURED_FS_HZ
from worldmodel.delineation.filters import fill_gaps, filter_bands, resample
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, TWELVE_FROM_EIGHT, Ecg, standard_twelve
from worldmodel.leads import eight_leads

VERSION = 1
FS_HZ = 250.0
SAMPLES = 2500  # 10 s
HIGH_PASS_HZ = 0.5  # removes wander, and with it the level of the baseline, which the median then restores
MAX_PADDED_S = 1.0
MOST_GAPS = 0.2  # a lead with more of it missing is estimated from the others
FLAT = 0.01  # of the median lead's height; a lead that stays within it was not connected

# Dower 1980 (doi:10.1016/S0022-0736(80)80004-9): the eight independent leads from Frank's x, y, z.
DOWER: NDArray[np.float64] = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)


def remove_wander(samples_mv: NDArray[np.float64], fs_hz: float) -> NDArray[np.float64]:
    """Zero-phase high-pass of HIGH_PASS_HZ along the last axis, and the baseline back at zero by the median."""
    (high,) = filter_bands(samples_mv, ((HIGH_PASS_HZ, np.inf),), fs_hz)
    return np.asarray(high - np.median(high, axis=-1, keepdims=True))


def fill_leads(eight_mv: NDArray[np.float64], fs_hz: float = MEASURED_FS_HZ) -> NDArray[np.float64]:
    """(8, time) with NaN leads estimated from the others (leads.py). Raises NotSimulatableError where there is none."""
    twelve = np.full((len(LEADS), eight_mv.shape[1]), np.nan)
    twelve[[LEADS.index(name) for name in INDEPENDENT_LEADS]] = eight_mv
    return eight_leads(twelve, fs_hz)


def to_model(ecg: Ecg, start_s: float = 0.0) -> Tensor:
    """The recording as the model sees it: (8 independent leads, SAMPLES) in mV at FS_HZ, float32.

    Uses ten seconds from `start_s`; a recording a little shorter is continued by its last value, a much
    shorter one is repeated in mirror image, which keeps beats whole enough for the encoder.
    """
    twelve = standard_twelve(ecg.window(start_s, SAMPLES / FS_HZ)).samples_mv
    whole = fill_gaps(twelve)
    height_mv = np.ptp(whole, axis=1)
    unusable = (np.isnan(twelve).mean(axis=1) > MOST_GAPS) | (height_mv <= FLAT * np.median(height_mv))
    level = remove_wander(resample(whole, ecg.fs_hz, FS_HZ), FS_HZ)
    eight = eight_leads(np.where(unusable[:, None], np.nan, level), FS_HZ)
    lacking = SAMPLES - eight.shape[1]
    if lacking > 0:
        eight = np.pad(
            eight, ((0, 0), (0, lacking)), mode="edge" if lacking < MAX_PADDED_S * FS_HZ else "reflect"
        )
    return torch.from_numpy(np.ascontiguousarray(eight[:, :SAMPLES], dtype=np.float32))


def to_twelve(eight_mv: Tensor) -> Tensor:
    """(..., 8, time) -> (..., 12, time): Einthoven's and Goldberger's laws hold by construction."""
    return torch.einsum("ij,...jt->...it", torch.from_numpy(TWELVE_FROM_EIGHT).to(eight_mv.dtype), eight_mv)
