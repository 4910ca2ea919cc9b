"""The paper's model with the face of WorldModel.simulate, so that the same evaluation measures both."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from worldmodel.checkpoint import load_tensors, part
from worldmodel.conditioning import covariates
from worldmodel.diffusion import as_denoise
from worldmodel.ecg import LEADS, Ecg
from worldmodel.measurement import Measurement
from worldmodel.model import Simulation
from worldmodel.networks import ModelInfo, check_weights
from worldmodel.paper.episodes import told
from worldmodel.paper.networks import (
    PAPER_CHANNELS,
    PAPER_STEPS,
    PaperDenoiser,
    PaperVae,
    build_paper_networks,
)
from worldmodel.paper.prior import mean_effects, prior_trace
from worldmodel.paper.signal import thin, widen
from worldmodel.patient_beat import take_beat, take_rhythm
from worldmodel.pharmacology import Action, PatientContext
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model, to_twelve
from worldmodel.request import check_request
from worldmodel.sampling import ddpm_alpha_bars, ddpm_ancestral
from worldmodel.support import judge_support

ROWS_AT_ONCE = 128


class PaperModel:
    """stride: of ancestral sampling; 1 is the paper's 1,000 steps, 4 is 250 at 2 % less spread."""

    def __init__(self, vae: PaperVae, denoiser: PaperDenoiser, info: ModelInfo, stride: int = 1) -> None:
        self.vae, self.denoiser, self.info, self.stride = vae.eval(), denoiser.eval(), info, stride

    @classmethod
    def load(cls, path: Path, stride: int = 1) -> "PaperModel":
        """The weights at `path`. Raises WeightsError."""
        tensors, header = load_tensors(path)
        check_weights(header)
        vae, denoiser = build_paper_networks(header)
        vae.load_state_dict(part(tensors, "vae"))
        denoiser.load_state_dict(part(tensors, "denoiser"))
        return cls(vae, denoiser, ModelInfo.of(path, header), stride)

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
        """K post-dose ECGs for each action (alg. 2), at the rate of our own model; see WorldModel.simulate.

        The leads are twelve separate outputs: nothing makes them obey Einthoven. Raises NotSimulatableError, and
        RequestError where k, the seed or the hours make no sense.
        """
        check_request(actions, k, seed)
        x = thin(to_twelve(to_model(pre)))[None]
        z_k = self.vae.encode(x)
        error = (self.vae.decode(z_k) - x).pow(2).mean().sqrt() / x.pow(2).mean().sqrt().clamp(min=1e-6)
        beat, rhythm = take_beat(measured), take_rhythm(measured)
        effects = mean_effects(actions)[:, int(rhythm.irregular)]
        rows = len(actions)
        of_rows = beat.expand(rows)
        trace = prior_trace(of_rows, effects, rhythm.first_r_s.expand(rows))
        code = told(
            of_rows,
            effects,
            *covariates(context, rows),
            rhythm.irregular.expand(rows),
        )
        generator = torch.Generator().manual_seed(int(seed))
        noise = torch.randn(k, PAPER_CHANNELS, PAPER_STEPS, generator=generator).repeat(rows, 1, 1)
        z_epk, code = (v.repeat_interleave(k, dim=0) for v in (self.denoiser.z_epk(trace), code))
        pieces = []
        for start in range(0, rows * k, ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            pieces.append(self._draw(z_k, z_epk[some], code[some], noise[some], generator))
            if progress is not None:
                progress(min(1.0, (start + ROWS_AT_ONCE) / (rows * k)))
        twelve = widen(torch.cat(pieces)).reshape(rows, k, len(LEADS), SAMPLES)
        support = tuple(judge_support(measured, pre.amplitudes_trusted, float(error), a) for a in actions)
        return Simulation(twelve.numpy(), FS_HZ, support, effects[:, None].repeat(1, k, 1).numpy())

    def _draw(
        self, z_k: Tensor, z_epk: Tensor, code: Tensor, noise: Tensor, generator: torch.Generator
    ) -> Tensor:
        """(batch, 12, PAPER_SAMPLES) in mV."""

        def network(z: Tensor, alpha_bar: Tensor) -> Tensor:
            answer: Tensor = self.denoiser(z, alpha_bar, z_k.expand(len(z), -1, -1), z_epk, code)
            return answer

        denoise = as_denoise(network, self.denoiser.prediction)
        return self.vae.decode(ddpm_ancestral(denoise, noise, ddpm_alpha_bars(self.stride), generator))
