"""Loss and samplers against closed forms: a Gaussian, whose exact denoiser is known."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.worldmodel.virtual_patients import generator
from worldmodel.diffusion import add_noise, cosine_alpha_bars, energy_weight, training_loss
from worldmodel.renderer import SAMPLER_STEPS
from worldmodel.sampling import dpmpp_2m, karras_alpha_bars

MEAN, SD = 0.7, 0.3
ROWS = 4000


def exact_denoiser(z: Tensor, alpha_bar: Tensor) -> Tensor:
    """E[z0 | z_tau] when z0 ~ N(MEAN, SD^2)."""
    level = alpha_bar[:, None]
    gain = level.sqrt() * SD**2 / (level * SD**2 + 1 - level)
    return MEAN + gain * (z - level.sqrt() * MEAN)


def test_noise_schedule_ends_in_noise_and_begins_clean() -> None:
    levels = cosine_alpha_bars()
    assert (torch.diff(levels) <= 0).all()
    assert float(levels[0]) > 0.999 and float(levels[-1]) < 1e-4


def test_noised_latents_have_the_promised_moments() -> None:
    z0 = torch.full((ROWS, 1), 2.0)
    z = add_noise(z0, torch.full((ROWS,), 0.64), torch.randn(ROWS, 1, generator=generator(1)))
    assert float(z.mean()) == pytest.approx(1.6, abs=0.03)
    assert float(z.std()) == pytest.approx(0.6, abs=0.02)


def test_few_step_sampler_keeps_mean_and_spread() -> None:
    """sigma_R is read off this spread; as few steps in the default spacing would lose a fifth of it."""
    noise = torch.randn(ROWS, 1, generator=generator(2))
    samples = dpmpp_2m(exact_denoiser, noise, karras_alpha_bars(SAMPLER_STEPS))
    assert float(samples.mean()) == pytest.approx(MEAN, abs=0.02)
    assert float(samples.std() / noise.std()) == pytest.approx(SD, rel=0.06)


def ddpm_ancestral(noise: Tensor, levels: Tensor, fresh: torch.Generator) -> Tensor:
    """The slow reference: ancestral sampling (paper, algorithm 2; arXiv 2006.11239, eq. 6-7) without clipping."""
    z = noise
    for here, there in pairwise(levels):
        clean = exact_denoiser(z, here.float().expand(len(z)))
        step = here / there
        mean = (there.sqrt() * (1 - step) * clean + step.sqrt() * (1 - there) * z) / (1 - here)
        variance = (1 - there) / (1 - here) * (1 - step)
        z = (mean + variance.sqrt() * torch.randn(z.shape, generator=fresh)).float()
    return exact_denoiser(z, levels[-1].float().expand(len(z)))


def test_few_steps_give_what_a_thousand_ancestral_steps_give() -> None:
    noise = torch.randn(ROWS, 1, generator=generator(3))
    slow = ddpm_ancestral(noise, cosine_alpha_bars().flip(0), generator(4))
    fast = dpmpp_2m(exact_denoiser, noise, karras_alpha_bars(SAMPLER_STEPS))
    assert float(slow.std()) == pytest.approx(SD, rel=0.04)
    assert float(fast.mean()) == pytest.approx(float(slow.mean()), abs=0.02)
    assert float(fast.std()) == pytest.approx(float(slow.std()), rel=0.08)


def test_energy_weight_grows_to_its_clamp_only() -> None:
    weights = energy_weight(torch.tensor([0.0, 0.5, 0.9999, 1.0]), largest=5.0)
    assert weights.tolist() == pytest.approx([1.0, 2.0, 5.0, 5.0], rel=1e-3)


def test_loss_is_eq_30() -> None:
    """With a denoiser that always answers 1, both terms can be written down."""
    residual, z_epk = torch.zeros(64, 3), torch.full((64, 3), 3.0)
    loss, data = training_loss(
        lambda r, _: torch.ones_like(r), residual, lambda r: 0.5 * r, z_epk, 0.25, 1.0, generator(5)
    )
    assert float(data) == pytest.approx(1.0)
    assert float(loss) == pytest.approx(1.0 + 0.25 * 2.5**2, rel=1e-3)


def test_energy_pulls_towards_the_prior() -> None:
    """At an answer of 0, where the data are, the slope of eq. 30 is that of the energy alone."""
    c = torch.zeros(1, requires_grad=True)
    weight, prior = 0.5, torch.full((256, 1), 3.0)
    loss, _ = training_loss(
        lambda r, _: c.expand(r.shape), torch.zeros(256, 1), lambda r: r, prior, weight, 1.0, generator(6)
    )
    (slope_at_zero,) = torch.autograd.grad(loss, c)
    assert float(slope_at_zero) == pytest.approx(-2 * weight * 3.0, rel=1e-3)
