"""EPK: the electrophysiological prior. The cardiac ODE, fitted to the patient's beat, moved by the drug.

Theta holds five waves (P, Q, R, S, T) with a position and a width each, shared by the leads, and one
amplitude per wave and lead. Positions and widths come from the landmarks of the beat, amplitudes from
linear least squares, which is exact because the ODE is linear in them.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming, move
from worldmodel.grid import neighbours
from worldmodel.ode import wave_response
from worldmodel.pharmacology import EFFECTS

WAVES = ("P", "Q", "R", "S", "T")
RIDGE = 1e-3
_T_AMPLITUDE = EFFECTS.index("t_amplitude_fraction")


@dataclass(frozen=True)
class Theta:
    """Parameters of the prior: timing of the beat, and amplitudes_mv (batch, 5 waves, leads)."""

    timing: BeatTiming
    amplitudes_mv: Tensor

    def expand(self, batch: int) -> "Theta":
        """The one Theta, repeated without copying."""
        return Theta(self.timing.expand(batch), self.amplitudes_mv.expand(batch, -1, -1))


def wave_geometry(timing: BeatTiming) -> tuple[Tensor, Tensor]:
    """Centres and widths (standard deviations) of the five waves in ms, (batch, 5) each.

    Widths are chosen so that two widths from the centre reach the landmark: where a tangent would end it.
    """
    p_on, p_off, qrs_on, r, qrs_off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    centres = torch.stack([0.5 * (p_on + p_off), 0.55 * qrs_on, r, 0.5 * qrs_off, t_peak], dim=1)
    widths = torch.stack(
        [
            (p_off - p_on) / 4.5,
            -qrs_on / 4.0,
            (qrs_off - qrs_on) / 9.0,
            qrs_off / 4.0,
            (t_end - t_peak) / 2.0,
        ],
        dim=1,
    )
    return centres, widths.clamp(min=3.0)


def _basis(timing: BeatTiming, phase_of_sample: Tensor, phase_of_wave: Tensor, width_rad: Tensor) -> Tensor:
    """ODE responses of unit waves; P is nothing where the rhythm has no P wave.

    phase_of_sample (batch, time, 1, 1), phase_of_wave and width_rad (batch, time, beats, 5)
    -> (batch, time, 5), summed over the neighbouring beats.
    """
    basis = wave_response(phase_of_sample - phase_of_wave, width_rad).sum(dim=2)
    basis[..., 0] *= timing.has_p[:, None]
    return basis


def basis_on_grid(timing: BeatTiming, r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """Unit waves of every beat on a rhythm grid: (batch, time, 5).

    The phase advances by 2 pi from R peak to R peak, linearly within each RR interval (eq. 22: the start
    phase follows from the R peaks). r_times_s: (batch, beats); times_s: (time,).
    """
    batch, beats = r_times_s.shape
    rr = torch.diff(r_times_s, dim=1)
    centres_s, widths_s = (x / 1000.0 for x in wave_geometry(timing))

    def phase(at_s: Tensor) -> Tensor:
        """Unwrapped phase in rad at times (batch, n)."""
        n = (torch.searchsorted(r_times_s.contiguous(), at_s.contiguous(), right=True) - 1).clamp(
            0, beats - 2
        )
        return 2 * math.pi * (n + (at_s - r_times_s.gather(1, n)) / rr.gather(1, n))

    near = neighbours(r_times_s, times_s)
    wave_times = r_times_s[:, :, None] + centres_s[:, None, :]
    wave_phase = phase(wave_times.reshape(batch, -1)).reshape(batch, beats, len(WAVES))
    local_rr = torch.cat([rr, rr[:, -1:]], dim=1)
    width_rad = 2 * math.pi * widths_s[:, None, :] / local_rr[:, :, None]
    index = near[..., None].expand(-1, -1, -1, len(WAVES)).reshape(batch, -1, len(WAVES))
    shape = (*near.shape, len(WAVES))
    sample_phase = phase(times_s.expand(batch, -1))
    return _basis(
        timing,
        sample_phase[:, :, None, None],
        wave_phase.gather(1, index).reshape(shape),
        width_rad.gather(1, index).reshape(shape),
    )


def fit_theta(beat_mv: Tensor, beat_times_s: Tensor, timing: BeatTiming, own: Tensor | None = None) -> Theta:
    """Theta of a median beat: ridge least squares of its samples on the ODE's unit waves.

    beat_mv: (batch, leads, time) around the R peak at 0; beat_times_s: (time,). own: (batch, time) 1 for the samples to
    fit, 0 for others; None: all.
    """
    steady = timing.rr_s[:, None] * (torch.arange(8, device=beat_mv.device) - 4.0)
    basis = basis_on_grid(timing, steady, beat_times_s)
    if own is not None:
        basis = basis * own[..., None]
    gram = basis.transpose(1, 2) @ basis
    scale = gram.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-6)
    ridge = RIDGE * scale[:, None, None] * torch.eye(len(WAVES), device=beat_mv.device)
    amplitudes = torch.linalg.solve(gram + ridge, basis.transpose(1, 2) @ beat_mv.transpose(1, 2))
    return Theta(timing, amplitudes)


def act(theta: Theta, response: Tensor) -> Theta:
    """M(a, Theta), eq. 20: the prior's parameters after a drug response (batch, 6) in units of EFFECTS."""
    amplitudes = theta.amplitudes_mv.clone()
    amplitudes[:, -1] *= 1.0 + response[:, _T_AMPLITUDE, None]
    return replace(theta, timing=move(theta.timing, response), amplitudes_mv=amplitudes)


def render(theta: Theta, r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """The prior's ECG in mV, (batch, leads, time), on the beats of the rhythm grid (eq. 23-24, closed form)."""
    basis = basis_on_grid(theta.timing, r_times_s, times_s)
    return (basis @ theta.amplitudes_mv).transpose(1, 2)
