"""Samplers: from noise to a clean latent. Short functions named after their papers.

What matters here is the spread of the samples, since it becomes sigma_R: the tests run each sampler with
the exact denoiser of a Gaussian and of two modes and compare the spread with the truth.

All take noise (batch, ...), standard normal, and alpha_bars (steps,), ascending, and return the clean latent: the
prediction at the last level, or, with `adams`, where the flow ends. Fresh noise comes from a generator of the CPU, so
that a seed means the same everywhere.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from worldmodel.diffusion import Denoise, cosine_alpha_bars

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


def ddpm_alpha_bars(stride: int = 1) -> Tensor:
    """Every stride-th level of the training schedule, from the noisiest to the cleanest."""
    levels = cosine_alpha_bars()
    return torch.cat([levels[stride - 1 :: stride].flip(0), levels[:1]]) if stride > 1 else levels.flip(0)


def chebyshev_alpha_bars(steps: int, smallest: float = 1e-5) -> Tensor:
    """abar at angles (pi/4)(1 + cos(pi i / steps)), tan(angle) = sigma / alpha: dense at both ends, (steps,)."""
    angle = torch.pi / 4 * (1 + torch.cos(torch.pi * torch.arange(steps, dtype=torch.float64) / steps))
    return angle.cos().pow(2).clamp(min=smallest)


def ddpm_ancestral(
    denoise: Denoise,
    noise: Tensor,
    alpha_bars: Tensor,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> Tensor:
    """Ancestral sampling (paper, alg. 2 with eq. 13-17; arXiv 2006.11239), without clipping.

    Its variance is that of a known z_0: exact in small steps only; see the tests for what strides cost.
    """
    z = noise
    for i, here in enumerate(alpha_bars):
        clean = _predict(denoise, z, alpha_bars, i, progress)
        if i + 1 == len(alpha_bars):
            return clean
        there = alpha_bars[i + 1]
        alpha = here / there
        mean_clean = there.sqrt() * (1 - alpha) / (1 - here)
        mean_noisy = alpha.sqrt() * (1 - there) / (1 - here)
        sd = ((1 - there) / (1 - here) * (1 - alpha)).sqrt()
        z = mean_clean.float() * clean + mean_noisy.float() * z + sd.float() * _fresh(z, generator)
    raise ValueError("alpha_bars is empty")


def dpmpp_2m(denoise: Denoise, noise: Tensor, alpha_bars: Tensor, progress: Progress | None = None) -> Tensor:
    """DPM-Solver++(2M), the deterministic second-order multistep solver (arXiv 2211.01095, alg. 2)."""
    alpha, sigma, lam = _levels(alpha_bars)
    z, previous = noise, noise
    for i in range(len(alpha_bars)):
        clean = _predict(denoise, z, alpha_bars, i, progress)
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


def adams(denoise: Denoise, noise: Tensor, alpha_bars: Tensor, progress: Progress | None = None) -> Tensor:
    """The probability flow as dz/dangle = v, alpha = cos(angle), by Adams-Bashforth 2 with Adams-Moulton 3 after it.

    Each answer of the network serves three times: it corrects the step that led to it and predicts the next two. In
    the angle (arXiv 2202.00512, appendix D) v is zero for latents N(0, 1), which then come out exact in any number
    of steps; so the residual, of unit variance, needs few. The last step goes to angle 0, where no noise is left.
    """
    angle = [*alpha_bars.double().sqrt().acos().tolist(), 0.0]
    z, corrected = noise, noise
    slopes: list[Tensor] = []  # newest first
    for i in range(len(alpha_bars)):
        clean = _predict(denoise, z, alpha_bars, i, progress)
        slopes = [(math.cos(angle[i]) * z - clean) / math.sin(angle[i]), *slopes[:2]]
        known = angle[i::-1]
        if i > 0:
            corrected = corrected + _integral(known[:3], slopes, angle[i - 1], angle[i])
        z = corrected + _integral(known[:2], slopes[:2], angle[i], angle[i + 1])
    return z


def _integral(at: list[float], values: list[Tensor], start: float, end: float) -> Tensor:
    """From start to end, of the polynomial through the values at these places."""
    since = torch.tensor(at, dtype=torch.float64) - start
    power = torch.arange(len(at))
    moments = (end - start) ** (power + 1.0) / (power + 1.0)
    weights = torch.linalg.solve(since ** power[:, None], moments.double()).tolist()
    return torch.stack([w * v for w, v in zip(weights, values, strict=True)]).sum(dim=0)


def sde_dpmpp_2m(
    denoise: Denoise,
    noise: Tensor,
    alpha_bars: Tensor,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> Tensor:
    """SDE-DPM-Solver++(2M), dpmpp_2m with fresh noise at every step (arXiv 2211.01095, eq. 18 and after)."""
    alpha, sigma, lam = _levels(alpha_bars)
    z, previous = noise, noise
    for i in range(len(alpha_bars)):
        clean = _predict(denoise, z, alpha_bars, i, progress)
        if i + 1 == len(alpha_bars):
            return clean
        h = lam[i + 1] - lam[i]
        taken = -torch.expm1(-2 * h)
        estimate = clean
        if i > 0:
            r = (lam[i] - lam[i - 1]) / h
            estimate = clean + (0.5 / r).float() * (clean - previous)
        z = (sigma[i + 1] / sigma[i] * torch.exp(-h)).float() * z + (alpha[i + 1] * taken).float() * estimate
        z = z + (sigma[i + 1] * taken.sqrt()).float() * _fresh(z, generator)
        previous = clean
    raise ValueError("alpha_bars is empty")


def _levels(alpha_bars: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """alpha, sigma and their log ratio lambda, (steps,) each."""
    alpha, sigma = alpha_bars.sqrt(), (1 - alpha_bars).sqrt()
    return alpha, sigma, torch.log(alpha / sigma)


def _predict(denoise: Denoise, z: Tensor, alpha_bars: Tensor, step: int, progress: Progress | None) -> Tensor:
    clean = denoise(z, alpha_bars[step].float().to(z.device).expand(len(z)))
    if progress is not None:
        progress((step + 1) / len(alpha_bars))
    return clean


def _fresh(z: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(z.shape, generator=generator).to(z.device)
