"""Samplers against distributions whose exact denoiser is known: mean and spread, with and without guidance."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.worldmodel.gaussians import (
    MEAN,
    MIXTURE_MEAN,
    MIXTURE_SD,
    MODE_SD,
    MODES,
    SD,
    gaussian_denoiser,
    mixture_denoiser,
    tilted,
)
from tests.worldmodel.virtual_patients import generator
from worldmodel.diffusion import Denoise, guide
from worldmodel.renderer import SAMPLER_STEPS
from worldmodel.sampling import (
    adams,
    chebyshev_alpha_bars,
    ddpm_alpha_bars,
    ddpm_ancestral,
    dpmpp_2m,
    karras_alpha_bars,
    sde_dpmpp_2m,
)

ROWS = 8000
Sampler = Callable[[Denoise, Tensor], Tensor]


def noise(seed: int) -> Tensor:
    """Standard normal to the last digit, so that a test of the spread tests the sampler alone."""
    z = torch.randn(ROWS, 1, generator=generator(seed))
    return (z - z.mean()) / z.std()


def ddpm(stride: int) -> Sampler:
    return lambda denoise, z: ddpm_ancestral(denoise, z, ddpm_alpha_bars(stride), generator(11))


def adams_in(steps: int) -> Sampler:
    return lambda denoise, z: adams(denoise, z, chebyshev_alpha_bars(steps))


def dpm(denoise: Denoise, z: Tensor) -> Tensor:
    return dpmpp_2m(denoise, z, karras_alpha_bars(14))


def few_noisy_steps(denoise: Denoise, z: Tensor) -> Tensor:
    return sde_dpmpp_2m(denoise, z, karras_alpha_bars(20), generator(12))


# Each with the most by which its spread may be wrong.
SAMPLERS = [
    pytest.param(ddpm(1), 0.03, id="ddpm-1000"),
    pytest.param(ddpm(4), 0.04, id="ddpm-250"),
    pytest.param(adams_in(6), 0.08, id="adams"),
    pytest.param(dpm, 0.06, id="dpm++2m"),
    pytest.param(few_noisy_steps, 0.06, id="sde-dpm++2m"),
]
# Guided, a latent is farther from unit variance.
GUIDED = [pytest.param(adams_in(10), 0.04, id="adams-10"), *(s for s in SAMPLERS if s.id != "adams")]


@pytest.mark.parametrize(("sampler", "spread_error"), SAMPLERS)
def test_samples_of_a_gaussian_have_its_mean_and_spread(sampler: Sampler, spread_error: float) -> None:
    samples = sampler(gaussian_denoiser, noise(1))
    assert float(samples.mean()) == pytest.approx(MEAN, abs=0.015)
    assert float(samples.std()) == pytest.approx(SD, rel=spread_error)


@pytest.mark.parametrize(("sampler", "spread_error"), SAMPLERS)
def test_samples_of_two_modes_keep_both(sampler: Sampler, spread_error: float) -> None:
    samples = sampler(mixture_denoiser, noise(2))
    assert float(samples.mean()) == pytest.approx(MIXTURE_MEAN, abs=0.03)
    assert float(samples.std()) == pytest.approx(MIXTURE_SD, rel=spread_error)
    lower = samples < sum(m for _, m in MODES) / 2
    assert float(lower.float().mean()) == pytest.approx(MODES[0][0], abs=0.02)
    assert float(samples[~lower].std()) == pytest.approx(MODE_SD, rel=0.08)


def test_what_is_of_unit_variance_comes_out_exact_in_any_number_of_steps() -> None:
    """The residual is close to that, which is why few steps are enough for it."""
    for steps in (3, SAMPLER_STEPS):
        samples = adams(lambda z, a: gaussian_denoiser(z, a, 0.0, 1.0), noise(7), chebyshev_alpha_bars(steps))
        assert torch.allclose(samples, noise(7), atol=1e-3)


@pytest.mark.parametrize(("mean", "sd"), [(0.3, 0.8), (-0.5, 0.9), (0.2, 1.2)])
def test_the_steps_of_the_renderer_suffice_for_what_is_near_unit_variance(mean: float, sd: float) -> None:
    """As the normalised residual is; farther from it more steps are needed (six, above)."""
    steps = chebyshev_alpha_bars(SAMPLER_STEPS)
    samples = adams(lambda z, a: gaussian_denoiser(z, a, mean, sd), noise(8), steps)
    assert float(samples.mean()) == pytest.approx(mean, abs=0.02)
    assert float(samples.std()) == pytest.approx(sd, rel=0.03)


def test_long_strides_of_ancestral_sampling_lose_spread() -> None:
    """Why ancestral sampling in 50 steps is no preset: the posterior variance of DDPM is that of a known z_0."""
    samples = ddpm(20)(gaussian_denoiser, noise(3))
    assert float(samples.std()) < 0.93 * SD


def test_strided_levels_run_from_noise_to_the_cleanest_level() -> None:
    for stride in (1, 4, 20):
        levels = ddpm_alpha_bars(stride)
        assert (torch.diff(levels) >= 0).all()
        assert torch.equal(levels[-1], ddpm_alpha_bars()[-1])
        assert len(levels) == pytest.approx(1000 / stride, abs=1)


@pytest.mark.parametrize(("sampler", "spread_error"), GUIDED)
@pytest.mark.parametrize("gamma", [1.0, 8.0])
def test_guided_samples_follow_the_tilted_distribution(
    sampler: Sampler, spread_error: float, gamma: float
) -> None:
    """p_theta exp(-gamma E) of eq. 7-8, not only its mean. At gamma = 8 eq. 8 as written would overshoot."""
    z_epk = 1.5
    samples = sampler(guide(gaussian_denoiser, torch.tensor(z_epk), gamma, SD**2), noise(4))
    mean, sd = tilted(gamma, z_epk)
    assert float(samples.mean()) == pytest.approx(mean, abs=0.03)
    assert float(samples.std()) == pytest.approx(sd, rel=spread_error + 0.02)


def test_guidance_of_strength_zero_changes_nothing() -> None:
    plain = dpm(gaussian_denoiser, noise(5))
    assert torch.equal(plain, dpm(guide(gaussian_denoiser, torch.tensor(9.0), 0.0), noise(5)))


def test_progress_ends_at_one() -> None:
    seen: list[float] = []
    dpmpp_2m(gaussian_denoiser, noise(6), karras_alpha_bars(5), seen.append)
    assert seen == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
