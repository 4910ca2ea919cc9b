"""The noise of real recordings, by band: what is left beside the beats of a recording."""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model

BANDS_HZ = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
BEFORE_S, LENGTH = 0.35, 225  # of a beat, before R and in samples
QRS_S = (0.08, 0.12)  # around R, where beats that are not quite in line would be taken for noise
FEWEST_BEATS = 5


def noise_levels(ecg: Ecg, measured: Measurement) -> Tensor | None:
    """RMS in mV of each lead in each of the bands, (8, bands): the recording less its median beats.

    From the median of the absolute, over time outside the QRS complexes, so that a few beats of another shape do not
    count as noise. None where the beats are too few, or not those of a sinus rhythm, to be taken off.
    """
    r = np.array([at for at in measured.r_peaks_s if at < SAMPLES / FS_HZ])
    if measured.rhythm.label != "sinus" or len(r) < FEWEST_BEATS or any(measured.beat_kinds):
        return None
    rest = _without_beats(to_model(ecg).double().numpy(), r)
    times = np.arange(SAMPLES) / FS_HZ
    near = ((times > r[:, None] - QRS_S[0]) & (times < r[:, None] + QRS_S[1])).any(axis=0)
    free = np.flatnonzero(~near & (times < ecg.duration_s))
    rest = np.stack([np.interp(np.arange(SAMPLES), free, row[free]) for row in rest])
    spectrum = np.fft.rfft(rest, axis=1)
    hz = np.fft.rfftfreq(SAMPLES, 1 / FS_HZ)
    levels = []
    for low, high in pairwise(BANDS_HZ):
        band = np.fft.irfft(np.where((hz >= low) & (hz < high), spectrum, 0.0), SAMPLES, axis=1)
        levels.append(1.4826 * np.median(np.abs(band[:, free]), axis=1))
    return torch.from_numpy(np.stack(levels, axis=1)).float()


def _without_beats(x: NDArray[np.float64], r_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """x (8, SAMPLES) less the median beat at every R; where two beats overlap, the earlier one is taken."""
    beats = [np.arange(start, start + LENGTH) for start in np.round((r_s - BEFORE_S) * FS_HZ).astype(int)]
    whole = [x[:, beat] for beat in beats if beat[0] >= 0 and beat[-1] < SAMPLES]
    middle = np.median(np.stack(whole), axis=0)
    rest, done = x.copy(), np.zeros(SAMPLES, dtype=bool)
    for beat in beats:
        inside = (beat >= 0) & (beat < SAMPLES)
        inside[inside] = ~done[beat[inside]]
        rest[:, beat[inside]] -= middle[:, inside]
        done[beat[inside]] = True
    return rest
