"""The face of the world model: what an action does to this ECG.

Stage one draws responses and rhythms (response.py, grid.py), stage two renders the post-dose ECG (renderer.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.beat import move, room_ms
from worldmodel.checkpoint import load_tensors, part
from worldmodel.conditioning import PatientBeat, context_vector, covariates
from worldmodel.denoiser import Denoiser
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError, WeightsError
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.measurement import Measurement
from worldmodel.networks import ModelInfo, build_networks, check_weights
from worldmodel.observed import Seen, draw_responses
from worldmodel.own_rhythm import OwnRhythm, carry_on, other_beats, own_rhythm, usual_r_times
from worldmodel.patient_beat import take_beat, take_rhythm
from worldmodel.pharmacology import EFFECTS, Action, PatientContext, chain
from worldmodel.population import shipped_population
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model, to_twelve
from worldmodel.renderer import Progress, Recipe, Renderer, join
from worldmodel.request import check_hours, check_request, device_of
from worldmodel.response import Bearing, doubts, sample_responses
from worldmodel.seeing import ObservedEcg, see_ecgs
from worldmodel.support import Support, judge_support, why_refused
from worldmodel.surprise import most_surprising
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS, Vae

SHIPPED = Path(__file__).parent / "weights" / "small.safetensors"


@dataclass(frozen=True)
class Simulation:
    """Post-dose ECGs in mV: samples_mv (action, sample, 12 leads in standard order, time) at fs_hz.

    responses: (action, sample, 6), what stage one drew, in the order and units of pharmacology.EFFECTS.
    doubts: for each action how much of the spread, as SDs by interval, is not knowing its drugs (response.doubts);
    empty where this person's ECGs on drugs were observed, which leave less of it.
    """

    samples_mv: NDArray[np.float32]
    fs_hz: float
    support: tuple[Support, ...]
    responses: NDArray[np.float32]
    doubts: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True)
class EncodedPatient:
    """The state z_k and what the prior and the anchor are rendered from.

    recording: (8, SAMPLES) in mV. own: the observed rhythm where it goes on as it is, else None.
    """

    latent: Tensor
    recording: Tensor
    own: OwnRhythm | None
    beat: PatientBeat
    rhythm: Rhythm
    reconstruction_error: float


@dataclass(frozen=True)
class Request:
    """What `simulate` is asked of one patient, as a part of a batch of many; patient: as `encode` gives it."""

    patient: EncodedPatient
    pre: Ecg
    measured: Measurement
    actions: Sequence[Action]
    context: PatientContext
    seed: int


class WorldModel:
    """Loads the shipped weights with `WorldModel.load()`; every method is deterministic by its seed."""

    def __init__(self, vae: Vae, denoiser: Denoiser, info: ModelInfo) -> None:
        self.vae = vae.eval().requires_grad_(False)
        self.denoiser = denoiser.eval().requires_grad_(False)
        self.renderer = Renderer(self.vae, self.denoiser)
        self.info = info

    @classmethod
    def load(cls, path: Path | None = None, device: str | torch.device = "cpu") -> "WorldModel":
        """The shipped weights, or those at `path`, on a device ("cpu", "cuda"). Raises WeightsError, RequestError."""
        place = device_of(device)
        path = path or SHIPPED
        tensors, header = load_tensors(path)
        check_weights(header)
        vae, denoiser = build_networks(header)
        try:
            vae.load_state_dict(part(tensors, "vae"))
            denoiser.load_state_dict(part(tensors, "denoiser"))
        except RuntimeError as error:
            raise WeightsError(
                f"{path} does not fit this network.", "Train again: ecgwm-agent train"
            ) from error
        return cls(vae.to(place), denoiser.to(place), ModelInfo.of(path, header))

    @torch.no_grad()
    def encode(self, pre: Ecg, measured: Measurement) -> EncodedPatient:
        """State of the pre-dose ECG. Raises NotSimulatableError where no beat, rate or T wave was measured."""
        refused = why_refused(measured)
        if refused is not None:
            raise NotSimulatableError(
                f"Nothing is simulated from this ECG: {refused}", "Give another recording."
            )
        x = to_model(pre)
        there = x[None].to(self.renderer.device)
        latent = self.vae.encode(there)
        error = (self.vae.decode(latent) - there).pow(2).mean().sqrt() / x.pow(2).mean().sqrt().clamp(
            min=1e-6
        )
        return EncodedPatient(
            latent, x, own_rhythm(measured), take_beat(measured), take_rhythm(measured), float(error)
        )

    @torch.no_grad()
    def simulate(
        self,
        pre: Ecg,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
        progress: Progress | None = None,
        *,
        observed: Sequence[ObservedEcg] = (),
        gamma: float = 0.0,
    ) -> Simulation:
        """K post-dose ECGs for each action, all in one batch.

        Sample k has the same person, day and noise under every action (common random numbers), so that actions
        differ by what they do. observed: ECGs of this person on drugs, on this day or another; the people that are
        drawn fit to them. gamma: see Renderer.render. progress is called with the fraction done. Raises
        NotSimulatableError, and RequestError where k, the seed or the hours make no sense.
        """
        check_request(actions, k, seed)
        patient = self.encode(pre, measured)
        seen = _see(patient, measured, actions, context, observed)
        plan = self._plan(patient, measured, actions, context, k, seed, seen)
        eight = self.renderer.render(plan, progress, gamma)
        return self._simulation(pre, measured, patient, actions, plan, seen, eight)

    @torch.no_grad()
    def simulate_many(
        self, requests: Sequence[Request], k: int, progress: Progress | None = None
    ) -> list[Simulation]:
        """`simulate` for many patients, all their actions x K samples in one batch; each by its own seed.

        What is drawn for a patient depends on its own request alone. The last bits of the samples depend on which
        rows share a batch, so the same batches have to be asked for where results shall be the same to the last digit.
        Raises RequestError.
        """
        if not requests:
            return []
        for one in requests:
            check_request(one.actions, k, one.seed)
        plans = [
            self._plan(one.patient, one.measured, one.actions, one.context, k, one.seed, None)
            for one in requests
        ]
        rendered = torch.split(
            self.renderer.render(join(plans), progress), [len(plan.response) for plan in plans]
        )
        return [
            self._simulation(one.pre, one.measured, one.patient, one.actions, plan, None, eight)
            for one, plan, eight in zip(requests, plans, rendered, strict=True)
        ]

    @torch.no_grad()
    def roll_out(
        self,
        pre: Ecg,
        measured: Measurement,
        steps: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
        progress: Progress | None = None,
        *,
        observed: Sequence[ObservedEcg] = (),
        starts: Sequence[Ecg] = (),
    ) -> Simulation:
        """K courses through actions given one after the other: one ECG at the end of each, (step, k, 12, time).

        Each step's `hours` count from its own dose. What was given before carries its exposure forward
        (pharmacology.chain), and the state z_k of a step is the simulated ECG of the step before (paper, alg. 2).
        Each course is one person on one day. starts: ECGs to take for the state of each step after the first, instead
        of the simulated ones: the paper's oracle, where they are true. Raises as `simulate` does.
        """
        check_request(steps, k, seed)
        patient = self.encode(pre, measured)
        chained = chain(tuple(steps))
        seen = _see(patient, measured, chained, context, observed)
        plan = self._plan(patient, measured, chained, context, k, seed, seen)
        latent = patient.latent.expand(k, -1, -1)
        pieces = []
        for i in range(len(chained)):
            rows = plan.rows(slice(i * k, (i + 1) * k))

            def step(done: float, i: int = i) -> None:
                if progress is not None:
                    progress((i + done) / len(chained))

            pieces.append(self.renderer.render(replace(rows, pre_latent=latent), step))
            if i < len(starts):
                known = to_model(starts[i])[None].to(self.renderer.device)
                latent = self.vae.encode(known).expand(k, -1, -1)
            else:
                latent = self.vae.encode(pieces[-1])
        return self._simulation(pre, measured, patient, chained, plan, seen, torch.cat(pieces))

    def _plan(
        self,
        patient: EncodedPatient,
        measured: Measurement,
        actions: Sequence[Action],
        context: PatientContext,
        k: int,
        seed: int,
        seen: Seen | None,
    ) -> Recipe:
        """All that is random: responses, rhythm and noise of each action and sample, as rows."""
        generator = torch.Generator().manual_seed(int(seed))
        if seen is not None:
            responses = draw_responses(seen, actions, k, generator)
        else:
            bearing = _bearing(patient, context)
            responses = sample_responses(
                actions, bearing.potassium_mmol_l.expand(k), bearing.fibrillating.expand(k), generator
            )
        if measured.rhythm.label == "paced":
            responses[..., EFFECTS.index("hr_bpm")] = 0.0  # the pacemaker's rate is nobody's but its own
        rhythm_seed = int(torch.randint(2**31, (1,), generator=generator))
        noise = torch.randn(k, LATENT_CHANNELS, LATENT_STEPS, generator=generator)
        flat = responses.flatten(0, 1)
        rr_s = move(patient.beat.timing.expand(len(flat)), flat).rr_s
        kept = added = None
        if patient.own is None:
            r_times = torch.cat(
                [_drawn_anew(patient.rhythm, part, rhythm_seed) for part in rr_s.reshape(-1, k)]
            )
        else:
            every, which = carry_on(patient.own, rr_s / patient.rhythm.rr_s, SAMPLES / FS_HZ)
            r_times = usual_r_times(patient.own, every, which)
            kept, added = other_beats(patient.recording, FS_HZ, patient.own, every, which)
        told = context_vector(
            flat, *covariates(context, len(flat)), patient.rhythm.irregular.expand(len(flat)), rr_s
        )
        noise = noise.repeat(len(actions), 1, 1)
        return Recipe(patient.beat, patient.latent, flat, r_times, noise, told, kept, added)

    def _simulation(
        self,
        pre: Ecg,
        measured: Measurement,
        patient: EncodedPatient,
        actions: Sequence[Action],
        plan: Recipe,
        seen: Seen | None,
        eight: Tensor,
    ) -> Simulation:
        shape = (len(actions), len(eight) // max(1, len(actions)))
        surprise = most_surprising(seen) if seen is not None else None
        moved = move(patient.beat.timing.expand(len(plan.response)), plan.response)
        room = room_ms(moved).reshape(shape).mean(dim=1)
        support = tuple(
            judge_support(
                measured, pre.amplitudes_trusted, patient.reconstruction_error, action, surprise, float(left)
            )
            for action, left in zip(actions, room, strict=True)
        )
        return Simulation(
            to_twelve(eight.cpu()).reshape(*shape, len(LEADS), SAMPLES).numpy(),
            FS_HZ,
            support,
            plan.response.reshape(*shape, -1).numpy(),
            () if seen is not None else tuple(map(doubts, actions)),
        )


def _bearing(patient: EncodedPatient, context: PatientContext) -> Bearing:
    return Bearing(covariates(context, 1)[2], patient.rhythm.irregular)


def _see(
    patient: EncodedPatient,
    measured: Measurement,
    actions: Sequence[Action],
    context: PatientContext,
    observed: Sequence[ObservedEcg],
) -> Seen | None:
    """What the observed ECGs say of the person; None without any."""
    if not observed:
        return None
    check_hours([ecg.action for ecg in observed])
    return see_ecgs(observed, measured, actions, _bearing(patient, context), shipped_population())


def _drawn_anew(before: Rhythm, rr_s: Tensor, seed: int) -> Tensor:
    """R times (k, beats) at mean RR intervals (k,), from the same random numbers whatever the action."""
    k = len(rr_s)
    after = Rhythm(
        rr_s, before.sd_s * rr_s / before.rr_s, before.irregular.expand(k), before.first_r_s.expand(k)
    )
    return sample_r_times(after, SAMPLES / FS_HZ, torch.Generator().manual_seed(seed))
