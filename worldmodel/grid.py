"""The rhythm grid: when the beats fall. Prior and anchor are rendered on it, not on a constant rate."""

from dataclasses import dataclass

import torch
from torch import Tensor

RR_LIMITS_S = (0.27, 2.5)  # 222 and 24 beats per minute
LOOKAHEAD_S = 0.45  # the longest time from P onset to R that is rendered
NEIGHBOURS = 4


@dataclass(frozen=True)
class Rhythm:
    """How a batch of hearts beats.

    rr_s, sd_s: (batch,) mean and SD of the RR interval in s. irregular: (batch,) bool, True in atrial
    fibrillation, where successive intervals are independent. first_r_s: (batch,) time of the first R peak.
    """

    rr_s: Tensor
    sd_s: Tensor
    irregular: Tensor
    first_r_s: Tensor


def sample_r_times(rhythm: Rhythm, duration_s: float, generator: torch.Generator) -> Tensor:
    """R peak times in s, (batch, beats), ascending, from two beats before 0 to beyond `duration_s`.

    Sinus rhythm: a respiratory sine plus a first-order autoregression (each half of the variance), as a
    minimal description of heart-rate variability. Atrial fibrillation: independent log-normal intervals.
    """
    batch = rhythm.rr_s.shape[0]
    rr_mean = rhythm.rr_s.clamp(*RR_LIMITS_S)
    # Always the same number of draws, so that the same seed gives the same rhythm noise at every rate.
    beats = int(duration_s / (0.5 * RR_LIMITS_S[0])) + 8
    white = torch.randn(batch, beats, generator=generator)
    phase = 6.2832 * torch.rand(batch, 1, generator=generator)
    breaths_per_s = 0.2 + 0.1 * torch.rand(batch, 1, generator=generator)

    slow = torch.empty_like(white)
    slow[:, 0] = white[:, 0]
    for i in range(1, beats):  # AR(1), coefficient 0.8, unit variance
        slow[:, i] = 0.8 * slow[:, i - 1] + 0.6 * white[:, i]
    index = torch.arange(beats).float()
    respiratory = 2**0.5 * torch.sin(6.2832 * breaths_per_s * rr_mean[:, None] * index + phase)
    sinus = rr_mean[:, None] + rhythm.sd_s[:, None] * (slow + respiratory) / 2**0.5
    cv = rhythm.sd_s / rr_mean
    fibrillation = rr_mean[:, None] * torch.exp(cv[:, None] * white - 0.5 * cv[:, None] ** 2)
    rr = torch.where(rhythm.irregular[:, None], fibrillation, sinus).clamp(*RR_LIMITS_S)
    r_times = torch.cumsum(rr, dim=1)
    return r_times - r_times[:, 2:3] + rhythm.first_r_s[:, None]


def neighbours(r_times: Tensor, times_s: Tensor) -> Tensor:
    """Index of the beats whose waves can reach each sample: the last NEIGHBOURS with R before t + LOOKAHEAD_S.

    r_times (batch, beats), times_s (time,) -> (batch, time, NEIGHBOURS) long. A sample can hold the T wave
    of one beat and the P wave of the next; at fast rates also the T end of the beat before.
    """
    batch = r_times.shape[0]
    ahead = (times_s + LOOKAHEAD_S).expand(batch, -1).contiguous()
    last = torch.searchsorted(r_times.contiguous(), ahead) - 1
    return (last[..., None] - torch.arange(NEIGHBOURS, device=last.device)).clamp(
        min=0, max=r_times.shape[1] - 1
    )


def since_neighbours_ms(r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """Time of each sample since each of its neighbouring R peaks, in ms: (batch, time, NEIGHBOURS)."""
    near = neighbours(r_times_s, times_s)
    r_near = r_times_s.gather(1, near.flatten(1)).reshape(near.shape)
    return 1000.0 * (times_s[None, :, None] - r_near)


def lay_beats(beat_mv: Tensor, beat_fs_hz: float, r_index: int, at_ms: Tensor, weight: Tensor) -> Tensor:
    """Sum of a beat laid at its neighbours, (batch, leads, time), by linear interpolation.

    beat_mv: (batch, leads, samples) with the R peak at column r_index; at_ms: (batch, time, NEIGHBOURS) where in
    the beat each sample falls, ms from R; weight: of the same shape, 0 where the beat does not reach.
    """
    batch, leads, length = beat_mv.shape
    column = (at_ms * beat_fs_hz / 1000.0 + r_index).clamp(0, length - 1.001).flatten(1)
    left = column.floor().long()
    part = (column - left)[:, None]
    index = left[:, None].expand(-1, leads, -1)
    values = beat_mv.gather(2, index) * (1 - part) + beat_mv.gather(2, index + 1) * part
    return (values * weight.flatten(1)[:, None]).reshape(batch, leads, *at_ms.shape[1:]).sum(dim=-1)
