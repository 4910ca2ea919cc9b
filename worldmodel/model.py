"""The face of the world model: what an action does to this ECG.

Stage one draws responses and rhythms (response.py, grid.py), stage two renders the post-dose ECG (renderer.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worldmodel.beat import move
from worldmodel.checkpoint import load_tensors, part, sha256_of
from worldmodel.conditioning import PatientBeat, context_vector, covariates
from worldmodel.denoiser import Denoiser
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import WeightsError
from worldmodel.grid import Rhythm, sample_r_times
from worldmodel.measurement import Measurement
from worldmodel.networks import build_networks
from worldmodel.patient_beat import take_beat, take_rhythm
from worldmodel.pharmacology import Action, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model, to_twelve
from worldmodel.preprocessing import VERSION as PREPROCESSING
from worldmodel.renderer import Progress, Recipe, Renderer
from worldmodel.response import sample_responses
from worldmodel.support import Support, judge_support
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS, Vae

SHIPPED = Path(__file__).parent / "weights" / "small.safetensors"


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
        self.vae = vae.eval().requires_grad_(False)
        self.denoiser = denoiser.eval().requires_grad_(False)
        self.renderer = Renderer(self.vae, self.denoiser)
        self.info = info

    @classmethod
    def load(cls, path: Path | None = None, device: str | torch.device = "cpu") -> "WorldModel":
        """The shipped weights, or those at `path`, on a device ("cpu", "cuda"). Raises WeightsError."""
        path = path or SHIPPED
        tensors, header = load_tensors(path)
        if header.get("preprocessing") != PREPROCESSING:
            raise WeightsError(
                f"{path} was trained on other pre-processing.", "Train again: ecgwm-agent train"
            )
        vae, denoiser = build_networks(header)
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
        return cls(vae.to(device), denoiser.to(device), info)

    @torch.no_grad()
    def encode(self, pre: Ecg, measured: Measurement) -> EncodedPatient:
        """State of the pre-dose ECG. Raises NotSimulatableError where no beat, rate or T wave was measured."""
        x = to_model(pre).to(self.renderer.device)
        latent = self.vae.encode(x[None])
        error = (self.vae.decode(latent)[0] - x).pow(2).mean().sqrt() / x.pow(2).mean().sqrt().clamp(min=1e-6)
        return EncodedPatient(latent, take_beat(measured), take_rhythm(measured), float(error))

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
    ) -> Simulation:
        """K post-dose ECGs for each action, all in one batch.

        Sample k has the same person, day and noise under every action (common random numbers), so that actions
        differ by what they do. progress is called with the fraction done. Raises NotSimulatableError.
        """
        patient = self.encode(pre, measured)
        generator = torch.Generator().manual_seed(seed)
        _, _, potassium = covariates(context, k)
        responses = sample_responses(actions, potassium, patient.rhythm.irregular.expand(k), generator)
        rhythm_seed = int(torch.randint(2**31, (1,), generator=generator))
        noise = torch.randn(k, LATENT_CHANNELS, LATENT_STEPS, generator=generator)

        flat = responses.flatten(0, 1)
        recipe = Recipe(
            patient.beat,
            patient.latent,
            flat,
            torch.cat([_rhythm_after(patient, response, rhythm_seed) for response in responses]),
            noise.repeat(len(actions), 1, 1),
            _told(patient, flat, context),
        )
        eight = self.renderer.render(recipe, progress)
        twelve = to_twelve(eight.cpu()).reshape(len(actions), k, len(LEADS), SAMPLES)
        support = tuple(
            judge_support(measured, pre.amplitudes_trusted, patient.reconstruction_error, action)
            for action in actions
        )
        return Simulation(twelve.numpy(), FS_HZ, support, responses.numpy())


def _told(patient: EncodedPatient, response: Tensor, context: PatientContext) -> Tensor:
    """The context of the denoiser, (batch, CONTEXT), for responses (batch, 6) of one patient."""
    batch = len(response)
    return context_vector(
        response,
        *covariates(context, batch),
        patient.rhythm.irregular.expand(batch),
        move(patient.beat.timing.expand(batch), response).rr_s,
    )


def _rhythm_after(patient: EncodedPatient, response: Tensor, seed: int) -> Tensor:
    """R times (k, beats) under responses (k, 6), from the same random numbers whatever the action."""
    k = len(response)
    before = patient.rhythm
    rr_s = move(patient.beat.timing.expand(k), response).rr_s
    after = Rhythm(
        rr_s, before.sd_s * rr_s / before.rr_s, before.irregular.expand(k), before.first_r_s.expand(k)
    )
    return sample_r_times(after, SAMPLES / FS_HZ, torch.Generator().manual_seed(seed))
