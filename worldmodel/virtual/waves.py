"""The waves of one beat as parameters: where each lies between the landmarks, how wide it is, how high in each lead.

Places and widths are fractions of the beat's own segments, so that they move with the landmarks: a wave that is
moved by a drug keeps its shape. A wave's end is where the tangent at its inflection meets the baseline: two widths
from the centre.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming

# Components of each group. QRS holds one more than what is fitted: a delta wave.
P, QRS, ST, T = slice(0, 3), slice(3, 16), slice(16, 20), slice(20, 25)
COMPONENTS = 25
FITTED_QRS = 12
DELTA = QRS.start + FITTED_QRS
SPIKE_WIDTH_MS, SPIKE_LEAD_MS = 1.5, 12.0


@dataclass(frozen=True)
class Waves:
    """Gaussians with two flanks. place, left, right: (batch, COMPONENTS); mv: (batch, COMPONENTS, 8).

    Fractions of: P, its duration from its onset; QRS, its duration from its onset; ST, J-Tpeak from the J point;
    T, Tpeak-Tend from the peak, its left width of J-Tpeak. spike_mv: (batch, 8) of a pacemaker, shortly before P
    where spike_at_p, (batch,), else before QRS.
    """

    place: Tensor
    left: Tensor
    right: Tensor
    mv: Tensor
    spike_mv: Tensor
    spike_at_p: Tensor

    @property
    def t(self) -> Tensor:
        """(batch, waves, 8) amplitudes of T, its main wave first."""
        return self.mv[:, T]

    def rows(self, index: Tensor) -> "Waves":
        """The waves of some patients of the batch."""
        return Waves(**{name: value[index] for name, value in vars(self).items()})

    def only_p(self) -> "Waves":
        """The P wave alone, as of a beat that is not conducted."""
        mv = torch.zeros_like(self.mv)
        mv[:, P] = self.mv[:, P]
        return replace(self, mv=mv, spike_mv=torch.zeros_like(self.spike_mv))


def choose(condition: Tensor, yes: Waves, no: Waves) -> Waves:
    """Row by row the one or the other; condition: (batch,) bool."""
    parts = {}
    for name, value in vars(yes).items():
        shape = (-1, *[1] * (value.ndim - 1))
        parts[name] = torch.where(condition.reshape(shape), value, getattr(no, name))
    return Waves(**parts)


def beat_components(timing: BeatTiming, waves: Waves) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centres, left widths, right widths in ms (batch, n) and amplitudes in mV (batch, n, 8) of a beat's waves."""
    p_on, p_off, qrs_on, _, qrs_off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    start = torch.stack([p_on, qrs_on, qrs_off, t_peak], dim=1)
    unit = torch.stack([p_off - p_on, qrs_off - qrs_on, t_peak - qrs_off, t_end - t_peak], dim=1)
    left_unit = torch.cat([unit[:, :3], unit[:, 2:3]], dim=1)
    group = torch.zeros(COMPONENTS, dtype=torch.long)
    for number, part in enumerate((P, QRS, ST, T)):
        group[part] = number
    spike_at = torch.where(waves.spike_at_p, p_on, qrs_on)[:, None] - SPIKE_LEAD_MS
    spike_width = torch.full_like(spike_at, SPIKE_WIDTH_MS)
    mv = waves.mv.clone()
    mv[:, P] *= timing.has_p[:, None, None]
    return (
        torch.cat([start[:, group] + waves.place * unit[:, group], spike_at], dim=1),
        torch.cat([waves.left * left_unit[:, group], spike_width], dim=1).clamp(min=1.0),
        torch.cat([waves.right * unit[:, group], spike_width], dim=1).clamp(min=1.0),
        torch.cat([mv, waves.spike_mv[:, None]], dim=1),
    )


def shapes(centres: Tensor, left: Tensor, right: Tensor, times_ms: Tensor) -> Tensor:
    """The waves at height 1, (batch, time, n), at times from R, (time,)."""
    since = times_ms[None, :, None] - centres[:, None]
    return torch.exp(-0.5 * (since / torch.where(since < 0, left[:, None], right[:, None])) ** 2)


def beat(timing: BeatTiming, waves: Waves, t_gain: Tensor, times_ms: Tensor) -> Tensor:
    """One noise-free beat in mV at times from R, (batch, 8, time). t_gain: (batch,) factor on the T wave."""
    centres, left, right, mv = beat_components(timing, waves)
    mv[:, T] *= t_gain[:, None, None]
    return torch.bmm(mv.transpose(1, 2), shapes(centres, left, right, times_ms).transpose(1, 2))


def read_r(timing: BeatTiming, waves: Waves) -> BeatTiming:
    """The timing with R moved to where the leads together are highest within the QRS; all other marks are shifted."""
    on, off = timing.landmarks_ms[:, 2], timing.landmarks_ms[:, 4]
    centres, left, right, mv = beat_components(timing, waves)
    share = torch.linspace(0.1, 0.9, 41)
    at = on[:, None] + share * (off - on)[:, None]
    since = at[:, :, None] - centres[:, None, QRS]
    shape = torch.exp(-0.5 * (since / torch.where(since < 0, left[:, None, QRS], right[:, None, QRS])) ** 2)
    size = (shape @ mv[:, QRS]).square().sum(dim=2)
    r = at.gather(1, size.argmax(dim=1, keepdim=True))
    moved = timing.landmarks_ms - r
    moved[:, 3] = 0.0
    return replace(timing, landmarks_ms=moved)
