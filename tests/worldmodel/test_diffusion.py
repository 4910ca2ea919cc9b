"""Schedule, parametrisations, loss and energy against closed forms."""

import pytest
import torch
from torch import Tensor

from tests.worldmodel.gaussians import gaussian_denoiser
from tests.worldmodel.virtual_patients import generator
from worldmodel.diffusion import (
    ENERGY_EPS,
    Prediction,
    Weighting,
    add_noise,
    as_denoise,
    clean_estimate,
    cosine_alpha_bars,
    energy_weight,
    target,
    training_loss,
)

ROWS = 4000
PREDICTIONS: tuple[Prediction, ...] = ("clean", "noise", "v")


def test_noise_schedule_ends_in_noise_and_begins_clean() -> None:
    levels = cosine_alpha_bars()
    assert (torch.diff(levels) <= 0).all()
    assert float(levels[0]) > 0.999 and float(levels[-1]) < 1e-4


def test_noised_latents_have_the_promised_moments() -> None:
    z0 = torch.full((ROWS, 1), 2.0)
    z = add_noise(z0, torch.full((ROWS,), 0.64), torch.randn(ROWS, 1, generator=generator(1)))
    assert float(z.mean()) == pytest.approx(1.6, abs=0.03)
    assert float(z.std()) == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_every_parametrisation_gives_back_the_clean_latent(prediction: Prediction) -> None:
    z0, noise = torch.randn(2, 64, 3, 5, generator=generator(2))
    alpha_bar = torch.linspace(0.01, 0.99, 64)
    z_tau = add_noise(z0, alpha_bar, noise)
    answer = target(prediction, z0, alpha_bar, noise)
    assert torch.allclose(clean_estimate(prediction, z_tau, alpha_bar, answer), z0, atol=1e-4)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_samplers_see_one_denoiser_whatever_the_network_answers(prediction: Prediction) -> None:
    def network(z: Tensor, alpha_bar: Tensor) -> Tensor:
        clean = gaussian_denoiser(z, alpha_bar)
        level = alpha_bar[:, None]
        return target(prediction, clean, alpha_bar, (z - level.sqrt() * clean) / (1 - level).sqrt())

    z, alpha_bar = torch.randn(64, 1, generator=generator(3)), torch.linspace(0.05, 0.95, 64)
    denoised = as_denoise(network, prediction)(z, alpha_bar)
    assert torch.allclose(denoised, gaussian_denoiser(z, alpha_bar), atol=1e-4)


def test_energy_weight_grows_to_its_clamp_only() -> None:
    weights = energy_weight(torch.tensor([0.0, 0.5, 0.9999, 1.0]), "clamped")
    assert weights.tolist() == pytest.approx([1.0, 2.0, 5.0, 5.0], rel=1e-3)


def test_energy_weight_as_written_grows_to_one_over_eps() -> None:
    """What the clamp is for: at the cleanest level of the schedule the energy outweighs the data by thousands."""
    assert float(energy_weight(torch.tensor(1.0), "as written")) == pytest.approx(1 / ENERGY_EPS)
    weights = energy_weight(cosine_alpha_bars(), "as written")
    assert float(weights[0]) > 10_000
    assert float(weights.mean()) > 10 * float(energy_weight(cosine_alpha_bars(), "clamped").mean())


def test_loss_is_eq_30(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a denoiser that always answers 1 and one weight at every level, both terms can be written down."""
    monkeypatch.setattr("worldmodel.diffusion.energy_weight", lambda alpha_bar, _: torch.ones_like(alpha_bar))
    residual, z_epk = torch.zeros(64, 3), torch.full((64, 3), 3.0)
    loss, data = training_loss(
        lambda r, _: torch.ones_like(r), residual, lambda r: 0.5 * r, z_epk, 0.25, "clamped", generator(5)
    )
    assert float(data) == pytest.approx(1.0)
    assert float(loss) == pytest.approx(1.0 + 0.25 * 2.5**2, rel=1e-3)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_loss_of_a_perfect_network_is_its_energy(
    prediction: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are one point, so that the right answer is known; the energy sees its clean estimate, 2 - 3."""
    monkeypatch.setattr("worldmodel.diffusion.energy_weight", lambda alpha_bar, _: torch.ones_like(alpha_bar))
    z0 = torch.full((256, 3), 2.0)

    def network(z: Tensor, alpha_bar: Tensor) -> Tensor:
        level = alpha_bar[:, None]
        return target(prediction, z0, alpha_bar, (z - level.sqrt() * z0) / (1 - level).sqrt())

    prior = torch.full((256, 3), 3.0)
    loss, data = training_loss(network, z0, lambda z: z, prior, 0.25, "clamped", generator(6), prediction)
    assert float(data) == pytest.approx(0.0, abs=1e-4)
    assert float(loss) == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("weighting", ["as written", "clamped", "gibbs"])
def test_energy_pulls_towards_the_prior(weighting: Weighting) -> None:
    """At an answer of 0, where the data are, the slope of eq. 30 is that of the energy alone."""
    c = torch.zeros(1, requires_grad=True)
    loss, _ = training_loss(
        lambda r, _: c.expand(r.shape),
        torch.zeros(256, 1),
        lambda r: r,
        torch.full((256, 1), 3.0),
        0.5,
        weighting,
        generator(6),
    )
    (slope_at_zero,) = torch.autograd.grad(loss, c)
    assert float(slope_at_zero) < -1.0
