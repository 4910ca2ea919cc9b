"""The paper's sampling: ten seconds as 1,024 samples at 102.4 Hz, one every 9.8 ms."""

import torch
from torch import Tensor

from worldmodel.preprocessing import SAMPLES

PAPER_FS_HZ = 102.4
PAPER_SAMPLES = 1024
_PAD, _PAPER_PAD = 625, 256  # 2.5 s at either rate


def thin(samples_mv: Tensor) -> Tensor:
    """(..., SAMPLES) of the model's windows -> (..., PAPER_SAMPLES), band-limited."""
    return _resample(samples_mv, _PAD, _PAPER_PAD, PAPER_SAMPLES)


def widen(samples_mv: Tensor) -> Tensor:
    """(..., PAPER_SAMPLES) -> (..., SAMPLES), so that the same delineator measures both models."""
    return _resample(samples_mv, _PAPER_PAD, _PAD, SAMPLES)


def _resample(x: Tensor, pad: int, new_pad: int, length: int) -> Tensor:
    """In the frequency domain; both ends go on as point reflections, so that a cut beat does not ring."""
    before = 2 * x[..., :1] - x[..., 1 : pad + 1].flip(-1)
    after = 2 * x[..., -1:] - x[..., -pad - 1 : -1].flip(-1)
    whole = torch.cat([before, x, after], dim=-1)
    new_length = length + 2 * new_pad
    resampled: Tensor = torch.fft.irfft(torch.fft.rfft(whole), n=new_length) * (new_length / whole.shape[-1])
    return resampled[..., new_pad : new_pad + length]
