"""The waves of one beat as parameters: where each lies between the landmarks, how wide it is, how high in each lead.

Places and widths are fractions of the beat's own segments, so that they move with the landmarks: a wave that is
moved by a drug keeps its shape. A wave's end is where the tangent at its inflection meets the baseline: two widths
from the centre.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming
from worldmodel.ecg import TWELVE_FROM_EIGHT

# Components of each group. QRS holds one more than what is fitted: a delta wave.
P, QRS, ST, T = slice(0, 3), slice(3, 16), slice(16, 20), slice(20, 25)
COMPONENTS = 25
FITTED_QRS = 12
DELTA = QRS.start + FITTED_QRS
SPIKE_WIDTH_MS, SPIKE_LEAD_MS = 1.5, 12.0
_GROUP = torch.repeat_interleave(torch.arange(4), torch.tensor([g.stop - g.start for g in (P, QRS, ST, T)]))
_TWELVE = torch.from_numpy(TWELVE_FROM_EIGHT).float()
_FADED = -16.0  # log of a height that is nothing; lower ones would be slow to compute with


@dataclass(frozen=True)
class Waves:
    """Gaussians. place, width: (batch, COMPONENTS); t_left: (batch, T), mv: (batch, COMPONENTS, 8).

    Fractions of: P, its duration from its onset; QRS, its duration from its onset; ST, J-Tpeak from the J point;
    T, Tpeak-Tend from the peak. Only T waves have another left flank, t_left, a fraction of J-Tpeak.
    spike_mv: (batch, 8) of a pacemaker, shortly before P where spike_at_p, (batch,), else before QRS.
    """

    place: Tensor
    width: Tensor
    t_left: Tensor
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


@dataclass(frozen=True)
class Placed:
    """Waves of beats at given landmarks: centre, width (batch, COMPONENTS), t_left (batch, T) in ms from R; mv."""

    centre: Tensor
    width: Tensor
    t_left: Tensor
    mv: Tensor

    def drawn(self, part: slice, at_ms: Tensor) -> Tensor:
        """Sum of some of the waves, (batch, time, 8) in mV, at times (time,) or (batch, time) in ms from R."""
        since = at_ms[..., None] - self.centre[:, None, part]
        inverse = self.width[:, None, part].reciprocal()
        z = since * inverse
        if part.stop > T.start:
            late = z[..., max(part.start, T.start) - part.start :]
            left = self.t_left[:, None, max(part.start - T.start, 0) : part.stop - T.start].reciprocal()
            own = since[..., max(part.start, T.start) - part.start :]
            late.copy_(torch.maximum(late, -own * left))
        shape = z.square_().mul_(-0.5).clamp_(min=_FADED).exp_()
        return torch.bmm(shape, self.mv[:, part])


def choose(condition: Tensor, yes: Waves, no: Waves) -> Waves:
    """Row by row the one or the other; condition: (batch,) bool."""
    parts = {}
    for name, value in vars(yes).items():
        shape = (-1, *[1] * (value.ndim - 1))
        parts[name] = torch.where(condition.reshape(shape), value, getattr(no, name))
    return Waves(**parts)


def place_waves(timing: BeatTiming, waves: Waves, t_gain: Tensor | None = None) -> Placed:
    """The waves at the landmarks of a beat, without P where it has none; t_gain: (batch,) factor on the T wave."""
    start, unit = _segments(timing)
    mv = waves.mv.clone()
    mv[:, P] *= timing.has_p[:, None, None]
    if t_gain is not None:
        mv[:, T] *= t_gain[:, None, None]
    return Placed(
        start[:, _GROUP] + waves.place * unit[:, _GROUP],
        (waves.width * unit[:, _GROUP]).clamp(min=1.0),
        (waves.t_left * unit[:, 2:3]).clamp(min=1.0),
        mv,
    )


def _segments(timing: BeatTiming) -> tuple[Tensor, Tensor]:
    """Start and length in ms of P, QRS, J-Tpeak and Tpeak-Tend, (batch, 4) each."""
    p_on, p_off, qrs_on, _, qrs_off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    start = torch.stack([p_on, qrs_on, qrs_off, t_peak], dim=1)
    return start, torch.stack([p_off - p_on, qrs_off - qrs_on, t_peak - qrs_off, t_end - t_peak], dim=1)


def spike(timing: BeatTiming, waves: Waves, at_ms: Tensor) -> Tensor:
    """The pacemaker's spike, (batch, time, 8) in mV, at times (time,) in ms from R."""
    centre = (
        torch.where(waves.spike_at_p, timing.landmarks_ms[:, 0], timing.landmarks_ms[:, 2]) - SPIKE_LEAD_MS
    )
    height = torch.exp(-0.5 * ((at_ms - centre[:, None]) / SPIKE_WIDTH_MS).clamp(-5.0, 5.0) ** 2)
    return height[..., None] * waves.spike_mv[:, None]


def beat(timing: BeatTiming, waves: Waves, t_gain: Tensor, at_ms: Tensor) -> Tensor:
    """One noise-free beat in mV at times from R, (batch, 8, time). t_gain: (batch,) factor on the T wave."""
    drawn = place_waves(timing, waves, t_gain).drawn(slice(0, COMPONENTS), at_ms)
    return (drawn + spike(timing, waves, at_ms)).transpose(1, 2)


def settle(timing: BeatTiming, waves: Waves) -> tuple[BeatTiming, Waves]:
    """Landmarks where these waves have them, and the waves as fractions of these; their shape stays as it is.

    R: where all leads together are highest within QRS. T peak and end: the top of the magnitude of the twelve leads
    in T, and where the tangent at its steepest descent meets its lowest level after it, as the delineator reads
    them. P and QRS begin and end where they were said to.
    """
    placed = place_waves(timing, waves)
    p_on, p_off, on, _, off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    grid = on[:, None] + torch.linspace(0.1, 0.9, 41) * (off - on)[:, None]
    r = grid.gather(1, placed.drawn(QRS, grid).square().sum(dim=2).argmax(dim=1, keepdim=True))[:, 0]

    step = 4.0
    first = torch.maximum(off + 40.0, t_peak - 100.0)
    grid = first[:, None] + step * torch.arange(96)
    size = (placed.drawn(slice(ST.start, T.stop), grid) @ _TWELVE.T).square().mean(dim=2).sqrt()
    in_t = (grid > first[:, None]) & (grid < (t_peak + 0.7 * (t_end - t_peak))[:, None])
    top = torch.where(in_t, size, 0.0).argmax(dim=1)
    slope = (size[:, 2:] - size[:, :-2]) / (2.0 * step)
    number = torch.arange(slope.shape[1]) + 1
    after = (number >= top[:, None]) & (grid[:, 1:-1] < (t_end + 80.0)[:, None])
    steepest = torch.where(after, slope, 1.0).argmin(dim=1) + 1
    later = (torch.arange(96) >= steepest[:, None]) & (grid < (t_end + 80.0)[:, None])
    lowest = torch.where(later, size, 1e3).amin(dim=1)

    def at(curve: Tensor, index: Tensor) -> Tensor:
        return curve.gather(1, index[:, None])[:, 0]

    fall = -at(slope, steepest - 1).clamp(max=-1e-6)
    new_end = at(grid, steepest) + (at(size, steepest) - lowest) / fall
    middle = top.clamp(1, 94)
    a, b, c = (at(size, middle + k) for k in (-1, 0, 1))
    new_peak = at(grid, middle) + step * (0.5 * (a - c) / (a - 2 * b + c).clamp(max=-1e-6)).clamp(-0.5, 0.5)
    good = (new_end - new_peak > 35.0) & (new_end - new_peak < 170.0)
    new_peak, new_end = torch.where(good, new_peak, t_peak), torch.where(good, new_end, t_end)
    marks = torch.stack(
        [p_on - r, p_off - r, on - r, torch.zeros_like(r), off - r, new_peak - r, new_end - r], dim=1
    )
    settled = replace(timing, landmarks_ms=marks)
    start, unit = _segments(settled)
    return settled, replace(
        waves,
        place=(placed.centre - r[:, None] - start[:, _GROUP]) / unit[:, _GROUP],
        width=placed.width / unit[:, _GROUP],
        t_left=placed.t_left / unit[:, 2:3],
    )
