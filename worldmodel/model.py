"""The face of the world model: what an action does to this ECG.

Stage one draws responses and rhythms (response.py, grid.py), stage two renders the post-dose ECG: the prior
and the patient's own beats are laid on that rhythm, encoded, and a latent diffusion draws the recording.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.anchor import level_ends
from worldmodel.beat import BeatTiming, move
from worldmodel.checkpoint import load_tensors, part, sha256_of
from worldmodel.conditioning import CONTEXT, PatientBeat, context_vector, render_conditions
from worldmodel.denoiser import Denoiser
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg
from worldmodel.errors import NotSimulatableError, WeightsError
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.measurement import Measurement, MedianBeat
from worldmodel.pharmacology import Action, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES, fill_leads, to_model, to_twelve
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.response import sample_responses
from worldmodel.sampling import dpmpp_2m, karras_alpha_bars
from worldmodel.support import Support, judge_support
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS, Vae

SHIPPED = Path(__file__).parent / "weights" / "small.safetensors"
SAMPLER_STEPS = 14
ROWS_AT_ONCE = 128  # bounds memory; more rows are simulated in turns
FIBRILLATION_CV = 0.2  # RR variation in atrial fibrillation where too few beats were seen to tell
SINUS_CV = 0.03


@dataclass(frozen=True)
class Simulation:
    """Post-dose ECGs in mV: samples_mv (action, sample, 12 leads in standard order, time) at fs_hz.

    responses: (action, sample, 6), what stage one drew, in the order and units of pharmacology.EFFECTS.
    """

    samples_mv: NDArray[np.float32]
    fs_hz: float
    support: tuple[Support, ...]
    responses: NDArray[np.float32]


@dataclass(frozen=True)
class ModelInfo:
    """Which weights answered, and what they were trained on."""

    name: str
    version: str
    trained_on: str
    synthetic: bool
    sha256: str


@dataclass(frozen=True)
class EncodedPatient:
    """The state z_k and what the prior and the anchor are rendered from."""

    latent: Tensor
    beat: PatientBeat
    rhythm: Rhythm
    reconstruction_error: float


class WorldModel:
    """Loads the shipped weights with `WorldModel.load()`; every method is deterministic by its seed."""

    def __init__(self, vae: Vae, denoiser: Denoiser, info: ModelInfo) -> None:
        self.vae = vae.eval()
        self.denoiser = denoiser.eval()
        self.info = info

    @classmethod
    def load(cls, path: Path | None = None) -> "WorldModel":
        """The shipped weights, or those at `path`. Raises WeightsError."""
        path = path or SHIPPED
        tensors, header = load_tensors(path)
        if header.get("preprocessing") != PREPROCESSING:
            raise WeightsError(
                f"{path} was trained on other pre-processing.", "Train again: ecgwm-agent train"
            )
        vae, denoiser = Vae(), Denoiser(CONTEXT)
        try:
            vae.load_state_dict(part(tensors, "vae"))
            denoiser.load_state_dict(part(tensors, "denoiser"))
        except RuntimeError as error:
            raise WeightsError(
                f"{path} does not fit this network.", "Train again: ecgwm-agent train"
            ) from error
        info = ModelInfo(
            name=f"ecgwm-{header['preset']}",
            version=f"layout {header['layout']}, seed {header['seed']}",
            trained_on=header["trained_on"],
            synthetic=header["synthetic"],
            sha256=sha256_of(path),
        )
        return cls(vae, denoiser, info)

    @torch.inference_mode()
    def encode(self, pre: Ecg, measured: Measurement) -> EncodedPatient:
        """State of the pre-dose ECG. Raises NotSimulatableError where no beat, rate or T wave was measured."""
        x = to_model(pre)
        latent = self.vae.encode(x[None])
        error = (self.vae.decode(latent)[0] - x).pow(2).mean().sqrt() / x.pow(2).mean().sqrt().clamp(min=1e-6)
        return EncodedPatient(latent, _patient_beat(measured), _rhythm(measured), float(error))

    @torch.inference_mode()
    def simulate(
        self,
        pre: Ecg,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
        progress: Callable[[float], None] | None = None,
    ) -> Simulation:
        """K post-dose ECGs for each action, all in one batch (in turns of ROWS_AT_ONCE).

        Sample k has the same person, day and noise under every action (common random numbers), so that actions
        differ by what they do. progress is called with the fraction done. Raises NotSimulatableError.
        """
        patient = self.encode(pre, measured)
        generator = torch.Generator().manual_seed(seed)
        potassium = torch.full((k,), _or_nan(context.potassium_mmol_l))
        responses = sample_responses(actions, potassium, patient.rhythm.irregular.expand(k), generator)
        rhythm_seed = int(torch.randint(2**31, (1,), generator=generator))
        noise = torch.randn(k, LATENT_CHANNELS, LATENT_STEPS, generator=generator)

        r_times = torch.cat([_rhythm_after(patient, response, rhythm_seed) for response in responses])
        flat = responses.flatten(0, 1)
        noise = noise.repeat(len(actions), 1, 1)
        pieces = []
        for start in range(0, len(flat), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            share = len(flat[rows]) / len(flat)

            def step(done: float, before: float = start / len(flat), share: float = share) -> None:
                if progress is not None:
                    progress(before + share * done)

            pieces.append(self._render(patient, flat[rows], r_times[rows], noise[rows], context, step))
        twelve = to_twelve(torch.cat(pieces)).reshape(len(actions), k, len(LEADS), SAMPLES)
        support = tuple(
            judge_support(measured, pre.amplitudes_trusted, patient.reconstruction_error, action)
            for action in actions
        )
        return Simulation(twelve.numpy(), FS_HZ, support, responses.numpy())

    def _render(
        self,
        patient: EncodedPatient,
        response: Tensor,
        r_times_s: Tensor,
        noise: Tensor,
        context: PatientContext,
        progress: Callable[[float], None],
    ) -> Tensor:
        """Stage two: post-dose ECGs (batch, 8, SAMPLES) from responses (batch, 6) on their rhythms."""
        batch = len(response)
        warped, prior = render_conditions(patient.beat, response, r_times_s)
        z_anchor, z_epk = self.vae.encode(torch.cat([warped, prior])).chunk(2)
        conditions = torch.stack([patient.latent.expand(batch, -1, -1), z_anchor, z_epk], dim=1)
        told = context_vector(
            response,
            torch.full((batch,), _or_nan(context.age_years)),
            torch.full((batch,), _or_nan(context.female)),
            torch.full((batch,), _or_nan(context.potassium_mmol_l)),
            patient.rhythm.irregular.expand(batch),
            move(patient.beat.timing.expand(batch), response).rr_s,
        )
        residual = dpmpp_2m(
            lambda z, alpha_bar: self.denoiser(z, alpha_bar, conditions, told),
            noise,
            karras_alpha_bars(SAMPLER_STEPS),
            progress,
        )
        return self.vae.decode(self.denoiser.next_latent(residual, z_anchor))


def _or_nan(value: float | bool | None) -> float:
    return float("nan") if value is None else float(value)


def _rhythm_after(patient: EncodedPatient, response: Tensor, seed: int) -> Tensor:
    """R times (k, beats) under responses (k, 6), from the same random numbers whatever the action."""
    k = len(response)
    before = patient.rhythm
    rr_s = move(patient.beat.timing.expand(k), response).rr_s
    after = Rhythm(
        rr_s, before.sd_s * rr_s / before.rr_s, before.irregular.expand(k), before.first_r_s.expand(k)
    )
    return sample_r_times(after, SAMPLES / FS_HZ, torch.Generator().manual_seed(seed))


def _rhythm(measured: Measurement) -> Rhythm:
    rr_ms = measured.intervals.rr_ms
    if rr_ms is None:
        raise NotSimulatableError(
            "The heart rate is not measurable, because "
            + measured.not_measurable.get("rr_ms", "no beats were found").rstrip(".")
            + ".",
            "Give a recording of at least a few beats.",
        )
    irregular = measured.rhythm.label == "atrial_fibrillation"
    intervals = np.diff(measured.r_peaks_s)
    cv = float(np.std(intervals) / np.mean(intervals)) if len(intervals) >= 4 else 0.0
    # Ectopic beats are not variability: a robust range holds the CV to what the trial has seen.
    cv = (
        float(np.clip(cv, 0.1, 0.3))
        if irregular and cv
        else FIBRILLATION_CV
        if irregular
        else min(cv, 2 * SINUS_CV)
    )
    first = measured.r_peaks_s[0] if measured.r_peaks_s else 0.0
    rr_s = rr_ms / 1000.0
    return Rhythm(
        torch.tensor([rr_s]),
        torch.tensor([cv * rr_s]),
        torch.tensor([irregular]),
        torch.tensor([float(first)]),
    )


def _patient_beat(measured: Measurement) -> PatientBeat:
    beat = measured.median_beat
    if beat is None:
        reason = next(iter(measured.not_measurable.values()), "no beat was found")
        raise NotSimulatableError(
            f"There is no median beat to simulate from, because {reason.rstrip('.')}.", "Check the recording."
        )
    timing = _timing(beat, measured)
    eight = fill_leads(beat.samples_mv[[LEADS.index(name) for name in INDEPENDENT_LEADS]])
    mv = torch.from_numpy(np.ascontiguousarray(eight, dtype=np.float32))[None]
    return PatientBeat(level_ends(mv, beat.fs_hz, beat.r_index, timing), beat.fs_hz, beat.r_index, timing)


def _timing(beat: MedianBeat, measured: Measurement) -> BeatTiming:
    """Landmarks of the median beat; without a P wave its place is formal and nothing is rendered there.

    T ends by the tangent: so do the waves of prior and virtual trial, and the trial's Tpeak-Tend before the dose
    (69 ms in the median, where readers of LUDB see 90) shows that its effects are those of a tangent's end, too.
    """
    needed = {
        "QRS onset": beat.qrs_on_ms,
        "QRS offset": beat.qrs_off_ms,
        "T peak": beat.t_peak_ms,
        "T end": beat.t_end_tangent_ms,
    }
    lacking = [name for name, value in needed.items() if value is None]
    if lacking:
        reason = measured.not_measurable.get("qt_ms", "they are not distinct on this recording")
        raise NotSimulatableError(
            f"{', '.join(lacking)} not measurable, because {reason.rstrip('.')}.",
            "Give a recording with a clear T wave.",
        )
    qrs_on, qrs_off, t_peak, t_end = (float(value) for value in needed.values() if value is not None)
    has_p = beat.p_on_ms is not None and beat.p_off_ms is not None
    p_on, p_off = (
        (float(beat.p_on_ms or 0), float(beat.p_off_ms or 0)) if has_p else (qrs_on - 160.0, qrs_on - 60.0)
    )
    landmarks = torch.tensor([[p_on, min(p_off, qrs_on - 2.0), qrs_on, 0.0, qrs_off, t_peak, t_end]])
    rr_s = (measured.intervals.rr_ms or 1000.0) / 1000.0
    return BeatTiming(landmarks, torch.tensor([rr_s]), torch.tensor([has_p]))
