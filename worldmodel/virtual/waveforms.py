"""Virtual ECGs from timing, rhythm and waves: the truth of the trial, independent of the prior's equations."""

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming
from worldmodel.grid import lay_beats, since_neighbours_ms
from worldmodel.virtual.patients import P_DIPOLES, Surface, Waves

SPAN_MS = (-600.0, 1100.0)  # of a beat around R
TEMPLATE_MS = 1.0
BREATHING_GAIN = 0.04  # amplitude swing with respiration


def beat_components(timing: BeatTiming, waves: Waves) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Centres, left widths, right widths in ms (batch, n) and amplitudes (batch, n, 8) of all waves of a beat.

    A wave's end is where the tangent at its inflection meets the baseline: two widths from the centre.
    """
    p_on, p_off, qrs_on, _, qrs_off, t_peak, t_end = timing.landmarks_ms.unbind(1)
    qrs = (qrs_off - qrs_on)[:, None]
    p_length = (p_off - p_on)[:, None]
    p_centre = p_on[:, None] + p_length * torch.tensor([0.40, 0.62])
    p_width = (0.19 * p_length).expand(-1, P_DIPOLES.shape[0])
    qrs_centre = qrs_on[:, None] + waves.qrs_position * qrs
    qrs_width = waves.qrs_width * qrs
    jtpeak, tpeak_tend = (t_peak - qrs_off)[:, None], (t_end - t_peak)[:, None]
    t_left, t_right = waves.t_rise[:, None] * jtpeak, tpeak_tend / 2.0
    st_centre, st_width = qrs_off[:, None] + 0.35 * jtpeak, 0.22 * jtpeak
    notch_centre = t_peak[:, None] + 0.15 * tpeak_tend

    centres = torch.cat([p_centre, qrs_centre, st_centre, t_peak[:, None], notch_centre], dim=1)
    left = torch.cat([p_width, qrs_width, st_width, t_left, 0.6 * t_right], dim=1)
    right = torch.cat([p_width, qrs_width, st_width, t_right, 0.6 * t_right], dim=1)
    p = waves.p * timing.has_p[:, None, None]
    return centres, left, right, torch.cat([p, waves.qrs, waves.st, waves.t, waves.t_notch], dim=1)


def beat(timing: BeatTiming, waves: Waves, t_gain: Tensor, times_ms: Tensor) -> Tensor:
    """One noise-free beat in mV at times from R, (batch, 8, time). t_gain: (batch,) factor on the T wave."""
    centres, left, right, amplitudes = beat_components(timing, waves)
    amplitudes = torch.cat([amplitudes[:, :-2], amplitudes[:, -2:] * t_gain[:, None, None]], dim=1)
    since = times_ms[None, :, None] - centres[:, None]
    shape = torch.exp(-0.5 * (since / torch.where(since < 0, left[:, None], right[:, None])) ** 2)
    return (shape @ amplitudes).transpose(1, 2)


def render(timing: BeatTiming, waves: Waves, t_gain: Tensor, r_times_s: Tensor, times_s: Tensor) -> Tensor:
    """Noise-free ECG in mV, (batch, 8, time): the beat, drawn every TEMPLATE_MS, laid on the rhythm grid."""
    template = beat(timing, waves, t_gain, torch.arange(*SPAN_MS, TEMPLATE_MS))
    at_ms = since_neighbours_ms(r_times_s, times_s)
    inside = ((at_ms > SPAN_MS[0]) & (at_ms < SPAN_MS[1] - TEMPLATE_MS)).float()
    return lay_beats(template, 1000.0 / TEMPLATE_MS, round(-SPAN_MS[0] / TEMPLATE_MS), at_ms, inside)


def surface(of: Surface, times_s: Tensor, generator: torch.Generator) -> Tensor:
    """f waves, muscle noise, and what a high-pass of 0.5 Hz leaves of wander: (batch, 8, time) in mV.

    The f wave is a slowly drifting oscillation with its second harmonic.
    """
    batch, time = of.f_rate_hz.shape[0], times_s.shape[0]
    drift = torch.cumsum(torch.randn(batch, time, generator=generator), dim=1)
    phase = 6.2832 * (of.f_rate_hz[:, None] * times_s + 0.03 * drift)
    f_wave = of.f_size_mv[..., None] * (torch.sin(phase) + 0.4 * torch.sin(2 * phase + 1.0))[:, None]
    muscle = of.muscle_mv[..., None] * torch.randn(batch, 8, time, generator=generator)
    rate = 0.35 + 0.4 * torch.rand(batch, 8, 1, generator=generator)
    start = 6.2832 * torch.rand(batch, 8, 1, generator=generator)
    return f_wave + muscle + of.wander_mv[..., None] * torch.sin(6.2832 * rate * times_s + start)


def breathe(ecg_mv: Tensor, times_s: Tensor, generator: torch.Generator) -> Tensor:
    """Amplitude modulation by respiration, up to BREATHING_GAIN, per lead."""
    batch, leads, _ = ecg_mv.shape
    rate = 0.2 + 0.1 * torch.rand(batch, 1, 1, generator=generator)
    phase = 6.2832 * torch.rand(batch, 1, 1, generator=generator)
    gain = BREATHING_GAIN * torch.rand(batch, leads, 1, generator=generator)
    return ecg_mv * (1.0 + gain * torch.sin(6.2832 * rate * times_s + phase))
