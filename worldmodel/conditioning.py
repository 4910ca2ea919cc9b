"""What the denoiser is told, computed the same way in training and in use."""

from dataclasses import dataclass

import torch
from torch import Tensor

from worldmodel import anchor, epk
from worldmodel.beat import BeatTiming, move
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, SAMPLES

RESPONSE_SCALE = torch.tensor([12.0, 20.0, 10.0, 30.0, 20.0, 0.3])
CONTEXT = len(EFFECTS) + 8


@dataclass(frozen=True)
class PatientBeat:
    """A measured beat: mv (batch, 8, time) at fs_hz with the R peak at column r_index, and its timing."""

    mv: Tensor
    fs_hz: float
    r_index: int
    timing: BeatTiming


def model_times() -> Tensor:
    """Sample times of a model window in s, (SAMPLES,)."""
    return torch.arange(SAMPLES) / FS_HZ


def render_conditions(beat: PatientBeat, response: Tensor, r_times_s: Tensor) -> tuple[Tensor, Tensor]:
    """The patient's warped beats and the prior, after a response (batch, 6), on a rhythm grid: (batch, 8, SAMPLES) each."""
    times = model_times()
    after = move(beat.timing, response)
    t_gain = 1.0 + response[:, EFFECTS.index("t_amplitude_fraction")]
    warped = anchor.render(beat.mv, beat.fs_hz, beat.r_index, beat.timing, after, t_gain, r_times_s, times)
    # The fit needs no more than the model's rate; it sees the beat between P onset and T end.
    beat_times = (torch.arange(beat.mv.shape[2]) - beat.r_index) / beat.fs_hz
    theta = epk.fit_theta(beat.mv, beat_times, beat.timing)
    return warped, epk.render(epk.act(theta, response), r_times_s, times)


def context_vector(
    response: Tensor, age_years: Tensor, female: Tensor, potassium_mmol_l: Tensor, irregular: Tensor, rr_s: Tensor
) -> Tensor:
    """(batch, CONTEXT): response and covariates in units of their spread; an unknown covariate is 0 with its flag 0.

    response (batch, 6); the others (batch,), covariates NaN where unknown.
    """

    def known(x: Tensor, centre: float, scale: float) -> list[Tensor]:
        return [((x - centre) / scale).nan_to_num(0.0), x.isfinite().float()]

    columns = [
        *known(age_years, 55.0, 20.0),
        *known(female.float(), 0.5, 0.5),
        *known(potassium_mmol_l, 4.1, 0.6),
        irregular.float(),
        (rr_s - 0.85) / 0.25,
    ]
    return torch.cat([response / RESPONSE_SCALE, torch.stack(columns, dim=1)], dim=1)
