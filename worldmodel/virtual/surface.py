"""What else lies on a recording: noise and wander as in real recordings, mains, steps, and waves of the atria.

The noise has the levels by band that were fitted to what real recordings hold beside their beats.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.preprocessing import FS_HZ
from worldmodel.virtual.morphologies import shipped
from worldmodel.virtual.noise_fit import BANDS_HZ
from worldmodel.virtual.rhythms import Pattern

F_WAVE_IN_LEADS = torch.tensor([0.3, 0.7, 1.0, 0.5, 0.35, 0.25, 0.2, 0.2])  # strongest in V1 and II
FLUTTER_IN_LEADS = torch.tensor(
    [0.15, -1.0, 0.6, 0.25, 0.1, -0.1, -0.15, -0.2]
)  # negative in II, positive in V1
MAINS_SHARE, STEP_SHARE = 0.1, 0.06  # of recordings that have some
STEP_DECAY_S = 0.35  # of a step behind the high-pass of the pre-processing
BREATHING_GAIN = 0.04  # amplitude swing with respiration


@dataclass(frozen=True)
class Surface:
    """All of it stays with the patient from one recording to the next.

    noise_mv: (batch, 8, bands) RMS by band. mains_mv: (batch, 8), mains_hz: (batch,). step_mv: (batch, 8) of an
    electrode that gives way once. f_size_mv: (batch, 8) waves of the atria, f_rate_hz: (batch,) their rate, and
    regular: (batch,) bool, whether they are those of flutter.
    """

    noise_mv: Tensor
    mains_mv: Tensor
    mains_hz: Tensor
    step_mv: Tensor
    f_rate_hz: Tensor
    f_size_mv: Tensor
    regular: Tensor


def sample_surface(pattern: Pattern, generator: torch.Generator) -> Surface:
    """Of patients in these rhythms; paced ventricles without P waves lie under fibrillating atria."""
    batch, known = pattern.label.shape[0], shipped()

    def rand(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=generator)

    def randn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    of_recording = randn(len(BANDS_HZ) - 1) @ torch.linalg.cholesky(known["noise_cov"]).T
    # Three SDs of both would be a recording that nobody would read.
    level = known["noise_mean"] + of_recording.clamp(-1.6, 1.6)
    of_lead = known["noise_lead_sd"] * randn(8, len(BANDS_HZ) - 1).clamp(-2.0, 2.0)
    fibrillating = pattern.of("atrial_fibrillation") | (
        pattern.of("ventricular_pacing") & (pattern.atrial_s == 0)
    )
    flutter = pattern.of("atrial_flutter")
    fine = 0.06 * torch.exp(0.4 * randn(8)) * F_WAVE_IN_LEADS
    sawtooth = 0.16 * torch.exp(0.3 * randn(1)) * FLUTTER_IN_LEADS * torch.exp(0.25 * randn(8))
    return Surface(
        noise_mv=torch.exp(level[:, None] + of_lead),
        mains_mv=0.008 * torch.exp(0.6 * randn(8)) * (rand(1) < MAINS_SHARE),
        mains_hz=torch.where(rand() < 0.6, 50.0, 60.0),
        step_mv=0.25 * randn(8) * (rand(8) < 0.4) * (rand(1) < STEP_SHARE),
        f_rate_hz=4.5 + 3.5 * rand(),
        f_size_mv=torch.where(fibrillating[:, None], fine, torch.where(flutter[:, None], sawtooth, 0.0)),
        regular=flutter,
    )


def surface(of: Surface, flutter_hz: Tensor, times_s: Tensor, generator: torch.Generator) -> Tensor:
    """Everything but the beats, (batch, 8, time) in mV. flutter_hz: (batch,) rate of flutter waves."""
    noise = coloured(of.noise_mv, times_s.shape[0], generator)
    batch = noise.shape[0]
    start = torch.rand(batch, 8, generator=generator)
    at_s = float(times_s[-1]) * torch.rand(batch, generator=generator)
    rows = of.mains_mv.any(dim=1).nonzero()[:, 0]
    if len(rows):
        turn = of.mains_hz[rows, None] * times_s + start[rows, :1]
        noise[rows] += of.mains_mv[rows, :, None] * torch.sin(6.2832 * turn)[:, None]
    rows = of.step_mv.any(dim=1).nonzero()[:, 0]
    if len(rows):
        since = times_s - at_s[rows, None]
        decay = torch.exp(-since.clamp(min=0.0) / STEP_DECAY_S) * (since >= 0)
        noise[rows] += of.step_mv[rows, :, None] * decay[:, None]
    rows = of.f_size_mv.any(dim=1).nonzero()[:, 0]
    if len(rows):
        rate = torch.where(of.regular[rows], flutter_hz[rows], of.f_rate_hz[rows])
        noise[rows] += _atrial_waves(
            rate, of.f_size_mv[rows], of.regular[rows], start[rows], times_s, generator
        )
    return noise


def coloured(level_mv: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Noise of these RMS levels by band, (batch, 8, bands) -> (batch, 8, samples), in one inverse transform."""
    hz = torch.fft.rfftfreq(samples, 1.0 / FS_HZ)
    first, last = torch.searchsorted(hz, torch.tensor([BANDS_HZ[0], BANDS_HZ[-1]])).tolist()
    band = torch.bucketize(hz[first:last], torch.tensor(BANDS_HZ), right=True) - 1
    count = torch.bincount(band, minlength=len(BANDS_HZ) - 1).clamp(min=1)
    # Evenly drawn parts of many waves add up to a normal sum, and are drawn faster than normal ones.
    size = level_mv * (samples * 3**0.5) / count.sqrt()
    draws = torch.rand(*level_mv.shape[:2], last - first, 2, generator=generator)
    spectrum = torch.zeros(*level_mv.shape[:2], len(hz), 2)
    torch.mul(draws.sub_(0.5), size[..., band, None], out=spectrum[:, :, first:last])
    noise: Tensor = torch.fft.irfft(torch.view_as_complex(spectrum), samples, dim=2)
    return noise


def _atrial_waves(
    rate_hz: Tensor,
    size_mv: Tensor,
    regular: Tensor,
    start: Tensor,
    times_s: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """A sawtooth in flutter; in fibrillation what drifts, waxes and wanes, each lead in its own phase."""
    batch, time = rate_hz.shape[0], times_s.shape[0]
    drift, wax = torch.randn(2, batch, time, generator=generator).cumsum(dim=2)
    wild = (~regular).float()[:, None]
    phase = 6.2832 * (rate_hz[:, None] * times_s + start[:, :1] + 0.03 * wild * drift)
    swell = 1.0 + 0.4 * wild * torch.sin(0.06 * wax)
    sin, cos = torch.sin(phase), torch.cos(phase)
    twice = 2.0 * sin * cos
    parts = torch.stack([sin, cos, twice, cos * cos - sin * sin], dim=1) * swell[:, None]
    apart = 1.2 * start
    fine = [
        torch.cos(apart),
        torch.sin(apart),
        0.4 * torch.cos(2 * apart + 1.0),
        0.4 * torch.sin(2 * apart + 1.0),
    ]
    saw = torch.tensor([1.0, 0.0, 0.5, 0.2]).expand(batch, 8, 4)
    mix = torch.where(regular[:, None, None], saw, torch.stack(fine, dim=2)) * size_mv[..., None]
    return torch.bmm(mix, parts)


def breathe(ecg_mv: Tensor, times_s: Tensor, generator: torch.Generator) -> Tensor:
    """Amplitude modulation by respiration, up to BREATHING_GAIN, per lead."""
    batch, leads, _ = ecg_mv.shape
    rate = 0.2 + 0.1 * torch.rand(batch, 1, 1, generator=generator)
    phase = 6.2832 * torch.rand(batch, 1, 1, generator=generator)
    gain = BREATHING_GAIN * torch.rand(batch, 1, leads, generator=generator)
    swing = torch.sin(6.2832 * rate * times_s[:, None] + phase)
    # Beats are laid with the leads of a sample side by side; so they are gone through.
    return (ecg_mv.transpose(1, 2) * (1.0 + swing * gain)).transpose(1, 2)
