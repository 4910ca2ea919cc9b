"""The noise of real recordings, by band: what is left beside the beats of a recording."""

import numpy as np
import torch
from torch import Tensor

from worldmodel.ecg import Ecg
from worldmodel.measurement import Measurement
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model

BANDS_HZ = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
BEFORE_S, LENGTH = 0.35, 225  # of a beat, before R and in samples
QRS_MS = (80.0, 120.0)  # around R, where beats that are not quite in line would be taken for noise


def noise_levels(ecg: Ecg, measured: Measurement) -> Tensor:
    """RMS in mV of each lead in each of the bands, (8, bands): the recording less its median beats.

    Around every QRS the rest is bridged by a straight line.
    """
    window = ecg.window(0.0, SAMPLES / FS_HZ)
    rest = to_model(window).double().numpy()
    times = np.arange(SAMPLES) / FS_HZ
    r = np.array([at for at in measured.r_peaks_s if at < window.duration_s])
    beats = [np.arange(start, start + LENGTH) for start in np.round((r - BEFORE_S) * FS_HZ).astype(int)]
    whole = [rest[:, beat] for beat in beats if beat[0] >= 0 and beat[-1] < SAMPLES]
    if whole:
        middle = np.median(np.stack(whole), axis=0)
        done = np.zeros(SAMPLES, dtype=bool)
        for beat in beats:
            inside = (beat >= 0) & (beat < SAMPLES)
            inside[inside] = ~done[beat[inside]]
            rest[:, beat[inside]] -= middle[:, inside]
            done[beat[inside]] = True
    near = np.zeros(SAMPLES, dtype=bool)
    for at in r:
        near |= (times > at - QRS_MS[0] / 1000) & (times < at + QRS_MS[1] / 1000)
    free = np.flatnonzero(~near)
    if free.size:
        rest = np.stack([np.interp(np.arange(SAMPLES), free, row[free]) for row in rest])
    power = np.abs(np.fft.rfft(rest, axis=1)) ** 2 * 2 / SAMPLES**2
    hz = np.fft.rfftfreq(SAMPLES, 1 / FS_HZ)
    open_share = max(0.2, free.size / SAMPLES)
    bands = [power[:, (hz >= a) & (hz < b)].sum(axis=1) for a, b in zip(BANDS_HZ, BANDS_HZ[1:], strict=False)]
    return torch.from_numpy(np.sqrt(np.stack(bands, axis=1) / open_share)).float()
