"""Transitions of the virtual trial: a recording before the dose, what was given, and a recording after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worldmodel.beat import BeatTiming, clamp_response, move
from worldmodel.conditioning import PatientBeat, context_vector, model_times
from worldmodel.grid import Rhythm
from worldmodel.pharmacology import EFFECTS, Action
from worldmodel.preprocessing import FS_HZ, SAMPLES, fill_leads
from worldmodel.response import sample_responses
from worldmodel.virtual.patients import Patients, sample_patients
from worldmodel.virtual.rhythms import ECTOPIC, USUAL, Strip, plain_strip, sample_strip
from worldmodel.virtual.surface import breathe, coloured, surface
from worldmodel.virtual.waveforms import lay_events
from worldmodel.virtual.waves import beat

ACTIONS_PER_BATCH = 4
# Half of the responses belong to no drug of the catalogue: the renderer must follow any response.
FREE_FRACTION = 0.5
FREE_SD = torch.tensor([12.0, 18.0, 9.0, 28.0, 16.0, 0.25])
# A delineator's error on a clean beat, SD in ms per landmark (p_on, p_off, qrs_on, r, qrs_off, t_peak, t_end).
LANDMARK_SD_MS = torch.tensor([5.0, 5.0, 3.0, 0.0, 4.0, 3.0, 5.0])
BEAT_SPAN_MS = (-500.0, 800.0)
MEDIAN_NOISE = 0.3  # of a recording's noise that is left in the median of its beats
MISSING_FRACTION = 0.08  # of recordings before the dose that lack a lead or more


@dataclass(frozen=True)
class Transitions:
    """A batch of pre/post pairs. before, after: (batch, 8, SAMPLES) in mV; response (batch, 6) is the truth.

    beat, response and r_times_s are what the prior is rendered from, with the errors that a measured beat
    has; context goes to the denoiser. r_times_s are the beats that conduct as usual. Beats from the ventricles, P waves
    without a beat and steps of an electrode are on `before` only: what neither prior nor anchor can tell of, the
    denoiser would learn to make up, anywhere.
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
    strip_before = sample_strip(patients.pattern, patients.rhythm, generator)
    strip_after = sample_strip(patients.pattern, after_rhythm, generator)
    none = torch.zeros_like(response)
    before, measured = lose_leads(
        record_strip(patients, none, strip_before, generator), measured_beat(patients, generator), generator
    )
    return Transitions(
        patients=patients,
        before=before,
        after=record(without_steps(patients), response, strip_after.r_times_s, generator),
        response=response,
        beat=measured,
        r_times_s=strip_after.r_times_s,
        context=_context(patients, response, after_timing, generator),
    )


def without_steps(patients: Patients) -> Patients:
    """The same patients with electrodes that hold."""
    steady = replace(patients.surface, step_mv=torch.zeros_like(patients.surface.step_mv))
    return replace(patients, surface=steady)


def twins(patients: Patients, responses: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same patients on the same day under each of several responses (action, batch, 6).

    Returns recordings (action, batch, 8, SAMPLES) in mV and the R peaks of their usual beats (action, batch,
    beats) in s. Noise, rhythm noise and breath are the same under every action, so what differs is the action.
    """
    state = generator.get_state()
    recordings, r_times = [], []
    for response in responses:
        generator.set_state(state)
        strip = sample_strip(patients.pattern, after_dose(patients, response)[1], generator)
        recordings.append(record_strip(patients, response, strip, generator))
        r_times.append(strip.r_times_s)
    return torch.stack(recordings), torch.stack(r_times)


def after_dose(patients: Patients, response: Tensor) -> tuple[BeatTiming, Rhythm]:
    """Timing and rhythm under a response (batch, 6); the variability of the rhythm follows its mean."""
    timing = move(patients.timing, response)
    scale = timing.rr_s / patients.rhythm.rr_s
    return timing, replace(patients.rhythm, rr_s=timing.rr_s, sd_s=patients.rhythm.sd_s * scale)


def record(patients: Patients, response: Tensor, r_times_s: Tensor, generator: torch.Generator) -> Tensor:
    """One recording of each patient under a response (batch, 6), of usual beats only, at r_times_s (batch, beats).

    (batch, 8, SAMPLES) in mV, with its noise.
    """
    return record_strip(patients, response, plain_strip(r_times_s), generator)


def record_strip(patients: Patients, response: Tensor, strip: Strip, generator: torch.Generator) -> Tensor:
    """One recording of each patient under a response (batch, 6): (batch, 8, SAMPLES) in mV, with its noise."""
    times = model_times()
    t_gain = 1.0 + response[:, EFFECTS.index("t_amplitude_fraction")]
    timing = move(patients.timing, response)
    beats = {
        USUAL: (timing, patients.waves),
        ECTOPIC: (move(patients.ectopic_timing, response), patients.ectopic_waves),
    }
    clean = breathe(lay_events(strip, beats, t_gain, SAMPLES), times, generator)
    around = surface(patients.surface, patients.pattern.ratio / timing.rr_s, times, generator)
    return around.add_(clean)


def measured_beat(patients: Patients, generator: torch.Generator) -> PatientBeat:
    """The median beat a delineator would return: true but for noise and errors of its landmarks.

    Without a P wave where none belongs to the median beat, or where a pacemaker stands before it.
    """
    times_ms = torch.arange(*BEAT_SPAN_MS, 1000.0 / FS_HZ)
    r_index = round(-BEAT_SPAN_MS[0] * FS_HZ / 1000.0)
    batch = patients.timing.rr_s.shape[0]
    clean = beat(patients.timing, patients.waves, torch.ones(batch), times_ms)
    noise = MEDIAN_NOISE * coloured(patients.surface.noise_mv, len(times_ms), generator)
    error = LANDMARK_SD_MS * torch.randn(batch, len(LANDMARK_SD_MS), generator=generator)
    landmarks = patients.timing.landmarks_ms + error
    landmarks = torch.cummax(landmarks + 2.0 * torch.arange(7), dim=1).values - 2.0 * torch.arange(7)
    landmarks = landmarks - landmarks[:, 3:4]
    timing = replace(patients.timing, landmarks_ms=landmarks, has_p=patients.p_is_fixed)
    return PatientBeat(clean + noise, FS_HZ, r_index, timing)


def lose_leads(
    before_mv: Tensor, measured: PatientBeat, generator: torch.Generator
) -> tuple[Tensor, PatientBeat]:
    """Recording and beat with one to three leads of some patients lost and filled as the reader fills them."""
    batch = before_mv.shape[0]
    lost = torch.rand(batch, generator=generator) < MISSING_FRACTION
    count = 1 + (3 * torch.rand(batch, generator=generator)).long()
    order = torch.rand(batch, 8, generator=generator).argsort(dim=1)
    beat_mv = measured.mv.clone()
    for row in lost.nonzero()[:, 0].tolist():
        for samples in (before_mv, beat_mv):
            with_gaps = samples[row].double()
            with_gaps[order[row, : count[row]]] = torch.nan
            samples[row] = torch.from_numpy(fill_leads(with_gaps.numpy())).float()
    return before_mv, replace(measured, mv=beat_mv)


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
