"""Recordings as ECG-FM was trained on them: resampled, standardised over the whole recording, cut into 5 s.

In the order of its published inference (bowang-lab/ECG-FM, infer_quickstart): leads in standard order, linear
interpolation to 500 Hz, constant leads to 0, mean 0 and SD 1 of each lead, windows without overlap; what is left at the
end is dropped. Standardising makes units of voltage, and all that is told by them, disappear.
"""

import torch
from torch import Tensor

FS_HZ = 500.0
WINDOW = 2500  # 5 s


def to_windows(samples: Tensor, fs_hz: float) -> Tensor:
    """(batch, 12, time) in standard order, without NaN -> (batch, window, 12, WINDOW). Gradients flow through.

    Raises ValueError where the recording is shorter than a window.
    """
    x = standardise(resample_linearly(samples, fs_hz))
    windows = x.shape[-1] // WINDOW
    if not windows:
        raise ValueError(f"{samples.shape[-1] / fs_hz:.2f} s is shorter than a window of 5 s")
    return x[..., : windows * WINDOW].reshape(*x.shape[:-1], windows, WINDOW).transpose(1, 2)


def resample_linearly(samples: Tensor, fs_hz: float) -> Tensor:
    """To FS_HZ. As in the original the first and last sample stay where they are, whatever the rates."""
    if fs_hz == FS_HZ:
        return samples
    before = samples.shape[-1]
    after = int(before * (FS_HZ / fs_hz))
    at = torch.arange(after, dtype=torch.float64, device=samples.device) * ((before - 1) / max(after - 1, 1))
    left = at.long().clamp(max=before - 2)
    share = (at - left).to(samples.dtype)
    return samples[..., left] * (1 - share) + samples[..., left + 1] * share


def standardise(samples: Tensor) -> Tensor:
    """Mean 0 and SD 1 along the last axis; constant leads 0."""
    centred = samples - samples.mean(-1, keepdim=True)
    constant = (samples == samples[..., :1]).all(-1, keepdim=True)
    sd = centred.masked_fill(constant, 1.0).square().mean(-1, keepdim=True).sqrt()
    return (centred / (sd + 1e-8)).masked_fill(constant, 0.0)
