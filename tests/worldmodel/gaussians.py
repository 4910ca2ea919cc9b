"""Distributions whose exact denoiser is known, shared by the tests of losses and samplers."""

import torch
from torch import Tensor

MEAN, SD = 0.7, 0.3
MODES = ((0.3, -0.8), (0.7, 0.6))  # weight and mean of each
MODE_SD = 0.2
MIXTURE_MEAN = sum(w * m for w, m in MODES)
MIXTURE_SD = (MODE_SD**2 + sum(w * (m - MIXTURE_MEAN) ** 2 for w, m in MODES)) ** 0.5


def gaussian_denoiser(z: Tensor, alpha_bar: Tensor, mean: float = MEAN, sd: float = SD) -> Tensor:
    """E[z0 | z_tau] when z0 ~ N(mean, sd^2), (batch, 1)."""
    level = alpha_bar[:, None]
    gain = level.sqrt() * sd**2 / (level * sd**2 + 1 - level)
    return mean + gain * (z - level.sqrt() * mean)


def mixture_denoiser(z: Tensor, alpha_bar: Tensor) -> Tensor:
    """E[z0 | z_tau] when z0 is of one of MODES."""
    level = alpha_bar[:, None]
    variance = level * MODE_SD**2 + 1 - level
    logits = torch.stack(
        [torch.tensor(w).log() - (z - level.sqrt() * m) ** 2 / (2 * variance) for w, m in MODES]
    )
    of_mode = torch.stack([gaussian_denoiser(z, alpha_bar, m, MODE_SD) for _, m in MODES])
    return (logits.softmax(dim=0) * of_mode).sum(dim=0)


def tilted(gamma: float, z_epk: float) -> tuple[float, float]:
    """Mean and SD of N(MEAN, SD^2) exp(-gamma (z - z_epk)^2), normalised."""
    precision = 1 / SD**2 + 2 * gamma
    return (MEAN / SD**2 + 2 * gamma * z_epk) / precision, precision**-0.5
