"""Samplers: from noise to a clean latent. Short functions named after their papers.

What matters here is the spread of the samples, since it becomes sigma_R: the tests run each sampler with
the exact denoiser of a Gaussian and compare the spread with the truth.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from worldmodel.diffusion import Denoise

Progress = Callable[[float], None]


def karras_alpha_bars(
    steps: int, sigma_min: float = 0.02, sigma_max: float = 40.0, rho: float = 7.0
) -> Tensor:
    """abar at the noise levels of Karras et al. 2022 (arXiv 2206.00364, eq. 5), descending noise, (steps,).

    sigma = sqrt((1 - abar) / abar). With the default linear spacing few-step samplers shrink the spread.
    """
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    sigma = (sigma_max ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
    alpha_bars: Tensor = 1.0 / (1.0 + sigma**2)
    return alpha_bars


def dpmpp_2m(denoise: Denoise, noise: Tensor, alpha_bars: Tensor, progress: Progress | None = None) -> Tensor:
    """DPM-Solver++(2M), the deterministic second-order multistep solver (arXiv 2211.01095, alg. 2).

    noise: (batch, ...) standard normal; alpha_bars: (steps,) ascending; returns the clean latent, i.e. the last
    prediction at the smallest noise.
    """
    batch = noise.shape[0]
    alpha, sigma = alpha_bars.sqrt(), (1 - alpha_bars).sqrt()
    lam = torch.log(alpha / sigma)
    z, previous = noise, noise
    for i in range(len(alpha_bars)):
        clean = denoise(z, alpha_bars[i].float().expand(batch))
        if progress is not None:
            progress((i + 1) / len(alpha_bars))
        if i + 1 == len(alpha_bars):
            return clean
        h = lam[i + 1] - lam[i]
        estimate = clean
        if i > 0:
            r = (lam[i] - lam[i - 1]) / h
            estimate = (1 + 0.5 / r).float() * clean - (0.5 / r).float() * previous
        z = (sigma[i + 1] / sigma[i]).float() * z - (alpha[i + 1] * torch.expm1(-h)).float() * estimate
        previous = clean
    raise ValueError("alpha_bars is empty")
