"""What the denoiser is told, computed the same way in training and in use."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from worldmodel import anchor, epk
from worldmodel.beat import BeatTiming, move
from worldmodel.pharmacology import EFFECTS, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES

RESPONSE_SCALE = torch.tensor([12.0, 20.0, 10.0, 30.0, 20.0, 0.3])
CONTEXT = len(EFFECTS) + 8


@dataclass(frozen=True)
class PatientBeat:
    """A measured beat: mv (batch, 8, time) at fs_hz with the R peak at column r_index, and its timing.

    own: (batch, time) 1 where a column is the beat's own, 0 where it was only made as long as others; None: all are.
    """

    mv: Tensor
    fs_hz: float
    r_index: int
    timing: BeatTiming
    own: Tensor | None = None

    def expand(self, batch: int) -> "PatientBeat":
        """The one beat, repeated without copying."""
        own = None if self.own is None else self.own.expand(batch, -1)
        return PatientBeat(
            self.mv.expand(batch, -1, -1), self.fs_hz, self.r_index, self.timing.expand(batch), own
        )

    def rows(self, rows: slice) -> "PatientBeat":
        """Some of the beats; the one beat where there is one."""
        if len(self.mv) == 1:
            return self
        own = None if self.own is None else self.own[rows]
        return PatientBeat(self.mv[rows], self.fs_hz, self.r_index, self.timing.rows(rows), own)

    def to(self, device: torch.device) -> "PatientBeat":
        own = None if self.own is None else self.own.to(device)
        return PatientBeat(self.mv.to(device), self.fs_hz, self.r_index, self.timing.to(device), own)


def join_beats(beats: Sequence[PatientBeat]) -> PatientBeat:
    """Beats of several patients as one batch, all of the same rate of samples and with R at the same column.

    Shorter ones go on at their last value, on the baseline.
    """
    longest = max(beat.mv.shape[2] for beat in beats)
    more = [longest - beat.mv.shape[2] for beat in beats]
    landmarks, rr_s, has_p = (
        torch.cat([getattr(beat.timing, name) for beat in beats])
        for name in ("landmarks_ms", "rr_s", "has_p")
    )
    mv = torch.cat([pad(beat.mv, (0, n), mode="replicate") for beat, n in zip(beats, more, strict=True)])
    own = [
        pad(torch.ones_like(beat.mv[:, 0]) if beat.own is None else beat.own, (0, n))
        for beat, n in zip(beats, more, strict=True)
    ]
    return PatientBeat(
        mv, beats[0].fs_hz, beats[0].r_index, BeatTiming(landmarks, rr_s, has_p), torch.cat(own)
    )


def model_times(device: torch.device | None = None) -> Tensor:
    """Sample times of a model window in s, (SAMPLES,)."""
    return torch.arange(SAMPLES, device=device) / FS_HZ


def render_conditions(beat: PatientBeat, response: Tensor, r_times_s: Tensor) -> tuple[Tensor, Tensor]:
    """Warped beats and prior after a response (batch, 6) on a rhythm grid: (batch, 8, SAMPLES) each.

    A single beat, (1, 8, time), serves every response.
    """
    times = model_times(response.device)
    # The prior's wave amplitudes are fitted once per beat, over its whole span.
    beat_times = (torch.arange(beat.mv.shape[2], device=beat.mv.device) - beat.r_index) / beat.fs_hz
    theta = epk.fit_theta(beat.mv, beat_times, beat.timing, beat.own)
    if len(beat.mv) == 1:
        beat, theta = beat.expand(len(response)), theta.expand(len(response))
    after = move(beat.timing, response)
    t_gain = 1.0 + response[:, EFFECTS.index("t_amplitude_fraction")]
    warped = anchor.render(beat.mv, beat.fs_hz, beat.r_index, beat.timing, after, t_gain, r_times_s, times)
    return warped, epk.render(epk.act(theta, response), r_times_s, times)


def covariates(context: PatientContext, batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Age in years, female, potassium in mmol/L of one patient, (batch,) each, NaN where unknown."""
    known = (context.age_years, context.female, context.potassium_mmol_l)
    age, female, potassium = (torch.full((batch,), float("nan") if x is None else float(x)) for x in known)
    return age, female, potassium


def context_vector(
    response: Tensor,
    age_years: Tensor,
    female: Tensor,
    potassium_mmol_l: Tensor,
    irregular: Tensor,
    rr_s: Tensor,
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
    return torch.cat([response / RESPONSE_SCALE.to(response.device), torch.stack(columns, dim=1)], dim=1)
