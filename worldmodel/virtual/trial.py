"""Transitions of the virtual trial: a recording before the dose, what was given, and a recording after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming, clamp_response, move
from worldmodel.conditioning import PatientBeat, context_vector, model_times
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.pharmacology import EFFECTS, Action
from worldmodel.preprocessing import FS_HZ, SAMPLES
from worldmodel.response import sample_responses
from worldmodel.virtual import waveforms
from worldmodel.virtual.patients import Patients, sample_patients

ACTIONS_PER_BATCH = 4
# Half of the responses belong to no drug of the catalogue: the renderer must follow any response.
FREE_FRACTION = 0.5
FREE_SD = torch.tensor([12.0, 18.0, 9.0, 28.0, 16.0, 0.25])
# A delineator's error on a clean beat, SD in ms per landmark (p_on, p_off, qrs_on, r, qrs_off, t_peak, t_end).
LANDMARK_SD_MS = torch.tensor([5.0, 5.0, 3.0, 0.0, 4.0, 3.0, 5.0])
BEAT_SPAN_MS = (-500.0, 800.0)


@dataclass(frozen=True)
class Transitions:
    """A batch of pre/post pairs. before, after: (batch, 8, SAMPLES) in mV; response (batch, 6) is the truth.

    beat, response and r_times_s are what the prior is rendered from, with the errors that a measured beat
    has; context goes to the denoiser.
    """

    patients: Patients
    before: Tensor
    after: Tensor
    response: Tensor
    beat: PatientBeat
    r_times_s: Tensor
    context: Tensor


def sample_transitions(batch: int, actions: Sequence[Action], generator: torch.Generator) -> Transitions:
    """Draw a batch from the virtual trial; the same generator state gives the same batch."""
    patients = sample_patients(batch, generator)
    response = _draw_responses(patients, actions, generator)
    after_timing, after_rhythm = after_dose(patients, response)
    r_times_after = sample_r_times(after_rhythm, SAMPLES / FS_HZ, generator)
    none = torch.zeros_like(response)
    return Transitions(
        patients=patients,
        before=record(patients, none, sample_r_times(patients.rhythm, SAMPLES / FS_HZ, generator), generator),
        after=record(patients, response, r_times_after, generator),
        response=response,
        beat=measured_beat(patients, generator),
        r_times_s=r_times_after,
        context=_context(patients, response, after_timing, generator),
    )


def after_dose(patients: Patients, response: Tensor) -> tuple[BeatTiming, Rhythm]:
    """Timing and rhythm under a response (batch, 6); the variability of the rhythm follows its mean."""
    timing = move(patients.timing, response)
    scale = timing.rr_s / patients.rhythm.rr_s
    return timing, replace(patients.rhythm, rr_s=timing.rr_s, sd_s=patients.rhythm.sd_s * scale)


def record(patients: Patients, response: Tensor, r_times_s: Tensor, generator: torch.Generator) -> Tensor:
    """One recording of each patient under a response (batch, 6): (batch, 8, SAMPLES) in mV, with its noise."""
    times = model_times()
    t_gain = 1.0 + response[:, EFFECTS.index("t_amplitude_fraction")]
    clean = waveforms.render(move(patients.timing, response), patients.waves, t_gain, r_times_s, times)
    return waveforms.breathe(clean, times, generator) + waveforms.surface(patients.surface, times, generator)


def measured_beat(patients: Patients, generator: torch.Generator) -> PatientBeat:
    """The median beat a delineator would return: true but for noise and errors of its landmarks."""
    times_ms = torch.arange(*BEAT_SPAN_MS, 1000.0 / FS_HZ)
    r_index = round(-BEAT_SPAN_MS[0] * FS_HZ / 1000.0)
    batch = patients.timing.rr_s.shape[0]
    clean = waveforms.beat(patients.timing, patients.waves, torch.ones(batch), times_ms)
    noise = 0.35 * patients.surface.muscle_mv[..., None] * torch.randn(clean.shape, generator=generator)
    error = LANDMARK_SD_MS * torch.randn(batch, len(LANDMARK_SD_MS), generator=generator)
    landmarks = patients.timing.landmarks_ms + error
    landmarks = torch.cummax(landmarks + 2.0 * torch.arange(7), dim=1).values - 2.0 * torch.arange(7)
    landmarks = landmarks - landmarks[:, 3:4]
    return PatientBeat(clean + noise, FS_HZ, r_index, replace(patients.timing, landmarks_ms=landmarks))


def _draw_responses(patients: Patients, actions: Sequence[Action], generator: torch.Generator) -> Tensor:
    batch = patients.timing.rr_s.shape[0]
    chosen = torch.randint(len(actions), (ACTIONS_PER_BATCH,), generator=generator).tolist()
    by_action = sample_responses(
        [actions[i] for i in chosen],
        patients.covariates.potassium_mmol_l,
        patients.rhythm.irregular,
        generator,
    )
    row = torch.arange(batch)
    of_drugs = by_action[row % ACTIONS_PER_BATCH, row]
    free = clamp_response(FREE_SD * torch.randn(batch, len(EFFECTS), generator=generator))
    is_free = torch.rand(batch, 1, generator=generator) < FREE_FRACTION
    return torch.where(is_free, free, of_drugs)


def _context(patients: Patients, response: Tensor, after: BeatTiming, generator: torch.Generator) -> Tensor:
    """Context with each covariate left out one time in five, as records leave them out."""
    covariates = patients.covariates
    batch = response.shape[0]

    def sometimes(x: Tensor) -> Tensor:
        return torch.where(torch.rand(batch, generator=generator) < 0.2, torch.nan, x.float())

    return context_vector(
        response,
        sometimes(covariates.age_years),
        sometimes(covariates.female),
        sometimes(covariates.potassium_mmol_l),
        patients.rhythm.irregular,
        after.rr_s,
    )
