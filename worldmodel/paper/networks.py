"""The paper's networks: a VAE of 12 x 1,024 samples with a latent of 4 x 128, and the denoiser with its projection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from worldmodel.conditioning import CONTEXT
from worldmodel.denoiser import Block, fourier
from worldmodel.diffusion import Prediction
from worldmodel.ecg import LEADS
from worldmodel.errors import WeightsError
from worldmodel.networks import PAPER, check_model
from worldmodel.paper.signal import PAPER_SAMPLES
from worldmodel.vae import Autoencoder, ResidualBlock

PAPER_CHANNELS = 4
PAPER_STEPS = 128
HALVINGS = 3


class PaperVae(Autoencoder):
    """Twelve leads in the order of LEADS, by name; the latent halves the rate three times."""

    def __init__(self, width: int) -> None:
        super().__init__(PAPER_CHANNELS)
        down = [
            layer
            for _ in range(HALVINGS)
            for layer in (nn.Conv1d(width, width, 4, stride=2, padding=1), ResidualBlock(width))
        ]
        up = [
            layer
            for _ in range(HALVINGS)
            for layer in (ResidualBlock(width), nn.ConvTranspose1d(width, width, 4, stride=2, padding=1))
        ]
        self.encoder = nn.Sequential(
            nn.Conv1d(len(LEADS), width, 7, padding=3),
            *down,
            nn.Conv1d(width, 2 * PAPER_CHANNELS, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv1d(PAPER_CHANNELS, width, 1),
            *up,
            nn.Conv1d(width, len(LEADS), 7, padding=3),
        )

    def moments(self, x_mv: Tensor) -> Tensor:
        out: Tensor = self.encoder(x_mv)
        return out

    def decode_raw(self, z: Tensor) -> Tensor:
        out: Tensor = self.decoder(z)
        return out


class PaperDenoiser(nn.Module):
    """A transformer over the 128 latent steps, told z_k and z_EPK step by step, action and context by AdaLN.

    It holds the projection of the prior, Pi_phi, as well: the two are trained jointly.
    """

    def __init__(self, prediction: Prediction, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.prediction: Prediction = prediction
        self.width = width
        self.projection = nn.Conv1d(1, PAPER_CHANNELS, 1)
        self.inlet = nn.Linear(3 * PAPER_CHANNELS, width)
        self.position = nn.Parameter(0.02 * torch.randn(PAPER_STEPS, width))
        self.condition = nn.Sequential(
            nn.Linear(width + CONTEXT, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.outlet = nn.Linear(width, PAPER_CHANNELS)

    def z_epk(self, trace_mv: Tensor) -> Tensor:
        """Pi_phi (eq. 25): the trace (batch, PAPER_SAMPLES) at the latent's rate through a learned 1x1 convolution."""
        at_latent_rate = trace_mv.reshape(-1, PAPER_STEPS, PAPER_SAMPLES // PAPER_STEPS).mean(dim=2)
        out: Tensor = self.projection(at_latent_rate[:, None])
        return out

    def forward(
        self, z_tau: Tensor, alpha_bar: Tensor, z_k: Tensor, z_epk: Tensor, context: Tensor
    ) -> Tensor:
        """The answer in terms of `prediction`, (batch, 4, 128).

        z_tau, z_k, z_epk: (batch, 4, 128); alpha_bar: (batch,); context: (batch, CONTEXT).
        """
        log_snr = torch.log(alpha_bar / (1 - alpha_bar))
        condition = self.condition(torch.cat([fourier(log_snr, self.width), context], dim=1))
        h = self.inlet(torch.cat([z_tau, z_k, z_epk], dim=1).transpose(1, 2)) + self.position
        for block in self.blocks:
            h = block(h, condition)
        out: Tensor = self.outlet(self.norm(h)).transpose(1, 2)
        return out


@dataclass(frozen=True)
class PaperSize:
    """Widths and depth, which the paper does not tell."""

    vae_width: int = 128
    width: int = 128
    depth: int = 6
    heads: int = 4


def build_paper_networks(header: Mapping[str, Any]) -> tuple[PaperVae, PaperDenoiser]:
    """VAE and denoiser as a header tells, still without their weights. Raises WeightsError."""
    check_model(header, PAPER)
    if tuple(header["leads"]) != LEADS:
        raise WeightsError(
            "The weights are of leads in another order.", "Train again: ecgwm-agent train --preset paper"
        )
    size = PaperSize(**header["network"])
    return PaperVae(size.vae_width), PaperDenoiser(header["prediction"], size.width, size.depth, size.heads)
