"""The denoiser: a small transformer over the 125 latent steps, conditioned by AdaLN.

What diffuses is the residual: next latent minus the anchor (the patient's warped beats, encoded), in units of its
own spread. So what the anchor knows to a few microvolts is not put at stake by the noise. The network sees, step
by step, the noisy residual, the pre-dose latent z_k, the anchor and the prior, and, for all steps, noise level,
response and context.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS

CONDITIONS = 3  # z_k, z_anchor, z_epk


class Block(nn.Module):
    """Transformer block whose norms are scaled, shifted and gated by the condition (AdaLN, arXiv 2212.09748)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x (batch, steps, width), condition (batch, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition)[:, None].chunk(6, dim=-1)
        batch, steps, width = x.shape
        h = torch.addcmul(shift1, self.norm1(x), 1 + scale1)
        q, k, v = self.qkv(h).reshape(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        h = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, steps, width)
        x = torch.addcmul(x, gate1, self.out(h))
        return torch.addcmul(x, gate2, self.mlp(torch.addcmul(shift2, self.norm2(x), 1 + scale2)))


@dataclass(frozen=True)
class Told:
    """What the denoiser is told beside the noise: its inlet's share (batch, 125, width), and the context."""

    inlet: Tensor
    context: Tensor


class Denoiser(nn.Module):
    """Predicts the clean residual; `next_latent` adds it to the anchor."""

    def __init__(self, context: int, width: int = 128, depth: int = 5, heads: int = 4) -> None:
        super().__init__()
        self.width = width
        self.inlet = nn.Linear((1 + CONDITIONS) * LATENT_CHANNELS, width)
        self.position = nn.Parameter(0.02 * torch.randn(LATENT_STEPS, width))
        self.condition = nn.Sequential(
            nn.Linear(width + context, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.outlet = nn.Linear(width, LATENT_CHANNELS)
        nn.init.zeros_(self.outlet.weight)
        nn.init.zeros_(self.outlet.bias)
        self.residual_sd: Tensor
        self.register_buffer("residual_sd", torch.ones(LATENT_CHANNELS))

    @torch.no_grad()
    def fit_scale(self, z_next: Tensor, z_anchor: Tensor) -> None:
        """Set the spread of the residual per channel from a training set, (n, 64, 125) each."""
        self.residual_sd.copy_((z_next - z_anchor).pow(2).mean(dim=(0, 2)).sqrt().clamp(min=1e-3))

    def residual(self, z_next: Tensor, z_anchor: Tensor) -> Tensor:
        """What diffuses, (batch, 64, 125)."""
        return (z_next - z_anchor) / self.residual_sd[:, None]

    def next_latent(self, residual: Tensor, z_anchor: Tensor) -> Tensor:
        """The inverse of `residual`."""
        return z_anchor + residual * self.residual_sd[:, None]

    def forward(self, z_tau: Tensor, alpha_bar: Tensor, conditions: Tensor, context: Tensor) -> Tensor:
        """The predicted clean residual, (batch, 64, 125).

        z_tau: the noisy residual (batch, 64, 125) at noise level alpha_bar (batch,); conditions
        (batch, 3, 64, 125) in the order z_k, z_anchor, z_epk; context (batch, context).
        """
        return self.denoise(z_tau, alpha_bar, self.tell(conditions, context))

    def tell(self, conditions: Tensor, context: Tensor) -> Told:
        """What stays the same at every noise level, computed once; arguments as in `forward`."""
        weight = self.inlet.weight[:, LATENT_CHANNELS:]
        inlet = nn.functional.linear(conditions.flatten(1, 2).transpose(1, 2), weight, self.inlet.bias)
        return Told(inlet + self.position, context)

    def denoise(self, z_tau: Tensor, alpha_bar: Tensor, told: Told) -> Tensor:
        """`forward` with the conditions as `tell` left them."""
        log_snr = torch.log(alpha_bar / (1 - alpha_bar))
        condition = self.condition(torch.cat([fourier(log_snr, self.width), told.context], dim=1))
        weight = self.inlet.weight[:, :LATENT_CHANNELS]
        h = told.inlet + nn.functional.linear(z_tau.transpose(1, 2), weight)
        for block in self.blocks:
            h = block(h, condition)
        delta = self.outlet(self.norm(h)).transpose(1, 2)
        # The best linear guess for a residual of unit variance; the network learns what it lacks.
        return torch.addcmul(delta, z_tau, alpha_bar.sqrt()[:, None, None])


def fourier(x: Tensor, width: int) -> Tensor:
    """Sines and cosines of x (batch,) at `width`/2 log-spaced frequencies, (batch, width)."""
    frequency = torch.exp(torch.linspace(math.log(0.05), math.log(5.0), width // 2, device=x.device))
    angle = x[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)
