"""The anchor: the patient's own median beat, warped to the new landmarks and laid on the rhythm grid.

It carries what the five waves of the prior cannot: this patient's notches, ST segments and T shapes.
"""

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming
from worldmodel.grid import lay_beats, since_neighbours_ms

FADE_MS = 40.0  # beats fade in and out over this, so that neighbours add up without a step


def interpolate(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Piecewise-linear map through (knots, values), (batch, n) each, with slope 1 outside; x: (batch, m)."""
    n = knots.shape[1]
    j = torch.searchsorted(knots.contiguous(), x.contiguous()).clamp(1, n - 1)
    k0, k1, v0, v1 = knots.gather(1, j - 1), knots.gather(1, j), values.gather(1, j - 1), values.gather(1, j)
    inside = v0 + (x - k0) * (v1 - v0) / (k1 - k0).clamp(min=1e-3)
    below = values[:, :1] + (x - knots[:, :1])
    above = values[:, -1:] + (x - knots[:, -1:])
    return torch.where(x < knots[:, :1], below, torch.where(x > knots[:, -1:], above, inside))


def level_ends(beat_mv: Tensor, beat_fs_hz: float, r_index: int, timing: BeatTiming) -> Tensor:
    """The beat with both ends at zero, by taking away a straight line per lead; (batch, leads, samples).

    A real beat starts and ends some microvolts off the baseline. Fading that to zero would draw a slope before P
    and after T, which a delineator reads as a longer P wave and a later T end.
    """
    at_ms = 1000.0 * (torch.arange(beat_mv.shape[2], device=beat_mv.device) - r_index) / beat_fs_hz
    start = torch.where(timing.has_p, timing.landmarks_ms[:, 0], timing.landmarks_ms[:, 2])[:, None]
    end = timing.landmarks_ms[:, -1:]

    def level(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Mean time and mean level, (batch, 1) and (batch, leads), between low and high ms, as far as the beat goes."""
        low = low.clamp(float(at_ms[0]), float(at_ms[-1]) - 8.0)
        inside = ((at_ms >= low) & (at_ms <= torch.maximum(high, low + 8.0))).float()
        weight = inside / inside.sum(dim=1, keepdim=True)
        return (weight * at_ms).sum(1, keepdim=True), (beat_mv * weight[:, None]).sum(2)

    t0, level0 = level(start - FADE_MS, start - 8.0)
    t1, level1 = level(end + FADE_MS, end + 2 * FADE_MS)
    share = ((at_ms - t0) / (t1 - t0))[:, None]
    return beat_mv - (level0[..., None] * (1 - share) + level1[..., None] * share)


def render(
    beat_mv: Tensor,
    beat_fs_hz: float,
    r_index: int,
    before: BeatTiming,
    after: BeatTiming,
    t_gain: Tensor,
    r_times_s: Tensor,
    times_s: Tensor,
) -> Tensor:
    """Warped beats in mV, (batch, leads, time).

    beat_mv: (batch, leads, samples) with the R peak at column r_index; before, after: its landmarks
    before and after the drug; t_gain: (batch,) factor on the T wave; r_times_s: (batch, beats); times_s: (time,).
    """
    new_ms = since_neighbours_ms(r_times_s, times_s)
    old_ms = interpolate(new_ms.flatten(1), after.landmarks_ms, before.landmarks_ms)

    start = torch.where(before.has_p, before.landmarks_ms[:, 0], before.landmarks_ms[:, 2])[:, None]
    end = before.landmarks_ms[:, -1:]
    fade = ((old_ms - start + FADE_MS) / FADE_MS).clamp(0, 1) * (
        (end + 2 * FADE_MS - old_ms) / FADE_MS
    ).clamp(0, 1)
    t_start, t_peak = before.landmarks_ms[:, 4:5], before.landmarks_ms[:, 5:6]
    in_t = ((old_ms - t_start) / (0.5 * (t_peak - t_start)).clamp(min=1.0)).clamp(0, 1)
    weight = fade * (1.0 + (t_gain[:, None] - 1.0) * in_t)
    return lay_beats(beat_mv, beat_fs_hz, r_index, old_ms.reshape(new_ms.shape), weight.reshape(new_ms.shape))
