"""The diffusion over the next latent: noise schedule, what a network predicts, training loss, the energy of the prior.

Variance-preserving process z_tau = sqrt(abar) z_0 + sqrt(1 - abar) eps (paper, eq. 16-18, 26-30). Whatever a network
predicts, samplers and energy see its clean estimate.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

STEPS = 1000
ENERGY_EPS = 1e-5
LARGEST_WEIGHT = 5.0

Prediction = Literal["clean", "noise", "v"]
Weighting = Literal["as written", "clamped", "gibbs"]
Denoise = Callable[[Tensor, Tensor], Tensor]
"""(z_tau, alpha_bar (batch,)) -> predicted clean latent."""


def cosine_alpha_bars(steps: int = STEPS) -> Tensor:
    """abar_1 .. abar_steps of the cosine schedule (arXiv 2102.09672, eq. 17), float64, descending."""
    t = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = torch.cos((t + 0.008) / 1.008 * torch.pi / 2) ** 2
    return (f[1:] / f[0]).clamp(1e-5, 1 - 1e-5)


def per_row(level: Tensor, z: Tensor) -> Tensor:
    """Levels (batch,) shaped to multiply latents (batch, ...)."""
    return level.reshape(-1, *[1] * (z.ndim - 1))


def add_noise(z0: Tensor, alpha_bar: Tensor, noise: Tensor) -> Tensor:
    """z_tau for clean latents (batch, ...) at levels (batch,)."""
    level = per_row(alpha_bar, z0)
    return level.sqrt() * z0 + (1 - level).sqrt() * noise


def target(prediction: Prediction, z0: Tensor, alpha_bar: Tensor, noise: Tensor) -> Tensor:
    """What a network of this parametrisation learns to answer.

    v = sqrt(abar) eps - sqrt(1 - abar) z_0 (arXiv 2202.00512, appendix D).
    """
    level = per_row(alpha_bar, z0)
    return {"clean": z0, "noise": noise, "v": level.sqrt() * noise - (1 - level).sqrt() * z0}[prediction]


def clean_estimate(prediction: Prediction, z_tau: Tensor, alpha_bar: Tensor, answer: Tensor) -> Tensor:
    """The predicted clean latent from a network's answer; for "noise" the paper's eq. 18."""
    level = per_row(alpha_bar, z_tau)
    if prediction == "noise":
        return (z_tau - (1 - level).sqrt() * answer) / level.sqrt()
    if prediction == "v":
        return level.sqrt() * z_tau - (1 - level).sqrt() * answer
    return answer


def as_denoise(network: Denoise, prediction: Prediction) -> Denoise:
    """The clean prediction of a network that answers in another parametrisation, for the samplers."""
    return lambda z, alpha_bar: clean_estimate(prediction, z, alpha_bar, network(z, alpha_bar))


def energy(clean: Tensor, z_epk: Tensor) -> Tensor:
    """E = ||z_hat - z_EPK||^2 of each row (paper, sec. 4.2), (batch,), as the mean over elements."""
    return (clean - z_epk).pow(2).flatten(1).mean(1)


def energy_weight(alpha_bar: Tensor, weighting: Weighting) -> Tensor:
    """w_tau of eq. 30.

    "as written": 1 / ((1 - abar) + eps), eq. 28, which grows to 1/eps at low noise and drowns the data term; "clamped":
    the same up to LARGEST_WEIGHT. Both pull hardest where the sampler is almost done, at every step again, so that even
    clamped the best network's samples end near the prior, most of their spread gone (tests/worldmodel/test_energy.py).
    "gibbs" (ours): 2 (1 - abar), twice the variance of z_0 given z_tau for data of unit variance. With it the best
    network in clean-prediction is `guide` with gamma = lambda: the loss means the paper's own p_theta exp(-gamma E).
    """
    if weighting == "gibbs":
        return 2 * (1 - alpha_bar)
    written = 1.0 / ((1.0 - alpha_bar) + ENERGY_EPS)
    return written.clamp(max=LARGEST_WEIGHT) if weighting == "clamped" else written


def guide(denoise: Denoise, z_epk: Tensor, gamma: Tensor | float, variance: Tensor | float = 1.0) -> Denoise:
    """Explicit guidance: a denoiser whose samples follow p_theta exp(-gamma ||z - z_EPK||^2), a sum over elements.

    Given z_tau, the clean latent has mean z_hat and, where the data have `variance` (1 for normalised latents), the
    variance V = variance (1 - abar) / (variance abar + 1 - abar). The energy draws the mean to
    (z_hat + 2 gamma V z_EPK) / (1 + 2 gamma V): exact for Gaussians. Eq. 8 as written is its first order in gamma V
    and overshoots beyond 2 gamma V = 1. gamma and variance are broadcast over the latent.
    """

    def guided(z_tau: Tensor, alpha_bar: Tensor) -> Tensor:
        level = per_row(alpha_bar, z_tau)
        pull = 2 * gamma * variance * (1 - level) / (variance * level + 1 - level)
        return (denoise(z_tau, alpha_bar) + pull * z_epk) / (1 + pull)

    return guided


def training_loss(
    network: Denoise,
    residual: Tensor,
    next_latent: Callable[[Tensor], Tensor],
    z_epk: Tensor,
    energy_lambda: float,
    weighting: Weighting,
    generator: torch.Generator,
    prediction: Prediction = "clean",
) -> tuple[Tensor, Tensor]:
    """Eq. 30: ||target - answer||^2 + lambda w_tau ||z_hat - z_EPK||^2, means over elements; and the data term alone.

    The data term is in residuals (see denoiser.py), the energy in latents: next_latent turns the one into the other.
    What is frozen about z_epk is the caller's business: where it is learned along, the energy can be emptied by it.
    """
    batch = residual.shape[0]
    tau = torch.randint(0, STEPS, (batch,), generator=generator)
    alpha_bar = cosine_alpha_bars()[tau].float().to(residual.device)
    noise = torch.randn(residual.shape, generator=generator).to(residual.device)
    noisy = add_noise(residual, alpha_bar, noise)
    answer = network(noisy, alpha_bar)
    data = (answer - target(prediction, residual, alpha_bar, noise)).pow(2).flatten(1).mean(1)
    clean = next_latent(clean_estimate(prediction, noisy, alpha_bar, answer))
    weight = energy_lambda * energy_weight(alpha_bar, weighting)
    return (data + weight * energy(clean, z_epk)).mean(), data.detach().mean()
