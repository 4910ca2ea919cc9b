"""The diffusion over the next latent: noise schedule, training loss, and the energy of the prior.

Variance-preserving process z_tau = sqrt(abar) z_0 + sqrt(1 - abar) eps with the network predicting z_0
(the paper's clean-prediction, eq. 16-18, 26).
"""

from collections.abc import Callable

import torch
from torch import Tensor

STEPS = 1000
ENERGY_EPS = 1e-4

Denoise = Callable[[Tensor, Tensor], Tensor]
"""(z_tau, alpha_bar (batch,)) -> predicted clean latent."""


def cosine_alpha_bars(steps: int = STEPS) -> Tensor:
    """abar_1 .. abar_steps of the cosine schedule (arXiv 2102.09672, eq. 17), float64, descending."""
    t = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = torch.cos((t + 0.008) / 1.008 * torch.pi / 2) ** 2
    return (f[1:] / f[0]).clamp(1e-5, 1 - 1e-5)


def add_noise(z0: Tensor, alpha_bar: Tensor, noise: Tensor) -> Tensor:
    """z_tau for clean latents (batch, ...) at levels (batch,)."""
    level = alpha_bar.reshape(-1, *[1] * (z0.ndim - 1))
    return level.sqrt() * z0 + (1 - level).sqrt() * noise


def energy_weight(alpha_bar: Tensor, largest: float) -> Tensor:
    """w_tau = 1 / ((1 - abar) + eps), eq. 28, clamped at `largest`.

    As written it grows to 1/eps at low noise and drowns the data term; the model then collapses onto the
    prior. The clamp is our reading.
    """
    return (1.0 / ((1.0 - alpha_bar) + ENERGY_EPS)).clamp(max=largest)


def training_loss(
    denoise: Denoise,
    residual: Tensor,
    next_latent: Callable[[Tensor], Tensor],
    z_epk: Tensor,
    energy_lambda: float,
    largest_weight: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Eq. 30: ||r0 - r_hat||^2 + lambda w_tau ||z_hat - z_EPK||^2, means over elements; and the data term alone.

    The data term is in residuals (see denoiser.py), the energy in latents: next_latent turns the one into the other.
    z_epk comes from the frozen encoder, so the prior cannot be emptied by following the model.
    """
    batch = residual.shape[0]
    levels = cosine_alpha_bars()
    tau = torch.randint(0, STEPS, (batch,), generator=generator)
    alpha_bar = levels[tau].float()
    noise = torch.randn(residual.shape, generator=generator)
    predicted = denoise(add_noise(residual, alpha_bar, noise), alpha_bar)
    data = (predicted - residual).pow(2).flatten(1).mean(1)
    energy = (next_latent(predicted) - z_epk).pow(2).flatten(1).mean(1)
    loss = data + energy_lambda * energy_weight(alpha_bar, largest_weight) * energy
    return loss.mean(), data.detach().mean()
