"""Virtual patients: covariates, beat timing and waves, drawn so that they are consistent with each other.

Ranges are textbook values for adults (from memory, need a clinician) unless a source stands beside them.
A wave is an amplitude per lead; most of it is a dipole seen through Dower's lead matrix, the rest belongs to
the single lead, as real ECGs are not of rank three.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel.beat import JT_RR_EXPONENT, BeatTiming
from worldmodel.grid import Rhythm
from worldmodel.preprocessing import DOWER

LOCAL_FRACTION = 0.3  # of a wave that no dipole explains
QRS_COMPONENTS = 6
AF_FRACTION = 0.2

# Mean dipoles of the QRS components in order of time (x left, y down, z back), mV: septum, apex, free wall,
# late free wall, base, terminal. The loop they draw is that of a textbook vectorcardiogram.
QRS_DIPOLES = torch.tensor(
    [
        [-0.12, 0.02, -0.20],
        [0.45, 0.45, -0.25],
        [1.10, 0.75, 0.25],
        [0.45, 0.25, 0.65],
        [-0.10, -0.05, 0.40],
        [-0.05, -0.08, 0.12],
    ]
)
QRS_POSITIONS = torch.tensor([0.20, 0.36, 0.48, 0.60, 0.74, 0.84])  # of the QRS duration
T_DIPOLE = torch.tensor([0.32, 0.18, -0.22])
F_WAVE_IN_LEADS = torch.tensor([0.3, 0.7, 1.0, 0.5, 0.35, 0.25, 0.2, 0.2])  # strongest in V1 and II
P_DIPOLES = torch.tensor([[0.03, 0.08, -0.04], [0.06, 0.05, 0.03]])  # right, then left atrium


@dataclass(frozen=True)
class Covariates:
    """What the record would say, (batch,) each: age in years, sex, potassium in mmol/L."""

    age_years: Tensor
    female: Tensor
    potassium_mmol_l: Tensor


@dataclass(frozen=True)
class Waves:
    """Shapes of one beat, amplitudes in mV (batch, components, 8 leads).

    qrs_position, qrs_width: (batch, QRS_COMPONENTS), in fractions of the QRS duration. t_rise: (batch,) width of
    the T wave's left half as a fraction of J-Tpeak. t_notch: small second
    component behind the T peak; st: ST segment.
    """

    p: Tensor
    qrs: Tensor
    qrs_position: Tensor
    qrs_width: Tensor
    t: Tensor
    t_rise: Tensor
    t_notch: Tensor
    st: Tensor


@dataclass(frozen=True)
class Surface:
    """What else lies on the recording, per lead (batch, 8) in mV: f waves of fibrillation, muscle noise, wander.

    f_rate_hz: (batch,) rate of the f waves. All of it stays with the patient from one recording to the next.
    """

    f_rate_hz: Tensor
    f_size_mv: Tensor
    muscle_mv: Tensor
    wander_mv: Tensor


@dataclass(frozen=True)
class Patients:
    """A batch of virtual patients before the dose."""

    covariates: Covariates
    timing: BeatTiming
    rhythm: Rhythm
    waves: Waves
    surface: Surface


def sample_patients(batch: int, generator: torch.Generator) -> Patients:
    """A batch of patients: a quarter in bed with fast rates, a fifth in atrial fibrillation, some with wide QRS."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, generator=generator)

    def normal(mean: float, sd: float) -> Tensor:
        return mean + sd * torch.randn(batch, generator=generator)

    age = uniform(19.0, 90.0)
    female = torch.rand(batch, generator=generator) < 0.5
    potassium = normal(4.1, 0.55).clamp(2.4, 6.5)
    fibrillating = torch.rand(batch, generator=generator) < AF_FRACTION

    hr = normal(72.0, 15.0) + 22.0 * fibrillating + 15.0 * (torch.rand(batch, generator=generator) < 0.25)
    rr_s = 60.0 / hr.clamp(42.0, 165.0)
    wide = torch.rand(batch, generator=generator) < 0.15
    qrs = (normal(96.0, 10.0) + wide * uniform(15.0, 65.0)).clamp(70.0, 185.0)
    pr = (normal(158.0, 22.0) + 0.2 * (age - 45.0) - 0.10 * (hr - 70.0)).clamp(100.0, 330.0)
    # Women repolarise later; low potassium prolongs and flattens, high potassium shortens and peaks.
    jtpeakc = (normal(225.0, 22.0) + 8.0 * female - 8.0 * (potassium - 4.1)).clamp(140.0, 360.0)
    tpeak_tend = (normal(76.0, 9.0) - 5.0 * (potassium - 4.1)).clamp(48.0, 150.0)
    p_width = normal(104.0, 10.0).clamp(70.0, 140.0)
    before_r = 0.46 * qrs
    qrs_on, qrs_off = -before_r, qrs - before_r
    t_peak = qrs_off + (jtpeakc * rr_s**JT_RR_EXPONENT).clamp(min=70.0)
    p_on = qrs_on - pr
    p_off = torch.minimum(p_on + p_width, qrs_on - 6.0)
    landmarks = torch.stack(
        [p_on, p_off, qrs_on, torch.zeros(batch), qrs_off, t_peak, t_peak + tpeak_tend], dim=1
    )

    sd_s = torch.where(fibrillating, rr_s * uniform(0.12, 0.28), rr_s * uniform(0.005, 0.06))
    rhythm = Rhythm(rr_s, sd_s, fibrillating, torch.rand(batch, generator=generator) * rr_s)
    return Patients(
        Covariates(age, female, potassium),
        BeatTiming(landmarks, rr_s, ~fibrillating),
        rhythm,
        _sample_waves(potassium, qrs, generator),
        _sample_surface(fibrillating, generator),
    )


def _sample_surface(fibrillating: Tensor, generator: torch.Generator) -> Surface:
    batch = fibrillating.shape[0]

    def spread(centre_mv: float, sd: float) -> Tensor:
        return centre_mv * torch.exp(sd * torch.randn(batch, 8, generator=generator))

    return Surface(
        f_rate_hz=4.5 + 3.5 * torch.rand(batch, generator=generator),
        f_size_mv=spread(0.06, 0.4) * F_WAVE_IN_LEADS * fibrillating[:, None],
        muscle_mv=spread(0.006, 0.9),
        wander_mv=spread(0.01, 0.6),
    )


def _sample_waves(potassium: Tensor, qrs_ms: Tensor, generator: torch.Generator) -> Waves:
    batch = potassium.shape[0]

    def randn(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    turn = _small_rotation(0.45 * randn(3))
    size = torch.exp(0.30 * randn(1, 1))
    qrs_dipoles = (
        QRS_DIPOLES + 0.35 * QRS_DIPOLES.norm(dim=1, keepdim=True) * randn(QRS_COMPONENTS, 3)
    ) * size
    peaked = (1.0 + 0.35 * (potassium - 4.1)).clamp(0.2, 2.2)[:, None, None]
    t_dipole = (T_DIPOLE + 0.15 * randn(1, 3)) * peaked * torch.exp(0.35 * randn(1, 1))
    p_dipoles = P_DIPOLES * torch.exp(0.3 * randn(2, 1)) + 0.02 * randn(2, 3)
    st = 0.04 * randn(1, 3)

    def seen(dipoles: Tensor) -> Tensor:
        """Dipoles (batch, n, 3) as amplitudes in the eight leads, (batch, n, 8)."""
        leads = (dipoles @ turn) @ torch.from_numpy(DOWER).float().T
        own = leads.abs().mean(dim=2, keepdim=True) * randn(dipoles.shape[1], 8)
        return leads + LOCAL_FRACTION * own

    wide_jitter = 0.02 + 0.02 * (qrs_ms > 120.0).float()[:, None]
    return Waves(
        p=seen(p_dipoles),
        qrs=seen(qrs_dipoles),
        qrs_position=QRS_POSITIONS + wide_jitter * randn(QRS_COMPONENTS),
        qrs_width=(0.075 * torch.exp(0.2 * randn(QRS_COMPONENTS))).clamp(0.05, 0.10),
        t=seen(t_dipole),
        t_rise=0.30 * torch.exp(0.15 * randn()),
        t_notch=0.25 * seen(t_dipole) * randn(1, 1).clamp(-1, 1),
        st=seen(st),
    )


def _small_rotation(angles: Tensor) -> Tensor:
    """Rotation matrices (batch, 3, 3) from rotation vectors (batch, 3), by the matrix exponential."""
    x, y, z = angles.unbind(1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).reshape(-1, 3, 3)
    return torch.matrix_exp(skew)
