"""The paper's three propositions on p* ~ p_theta exp(-gamma E), E = (z - z_EPK)^2 (appendix D), on a Gaussian.

And what its training loss makes of them, by the network that minimises it.
"""

import math

import pytest
import torch
from torch import Tensor

from tests.worldmodel.gaussians import MEAN, SD, gaussian_denoiser, tilted
from tests.worldmodel.virtual_patients import generator
from worldmodel.diffusion import Denoise, Weighting, energy_weight, guide
from worldmodel.sampling import ddpm_alpha_bars, ddpm_ancestral, dpmpp_2m, karras_alpha_bars

GAMMA, Z_EPK = 2.0, 1.5
GRID = torch.linspace(-3.0, 5.0, 4001, dtype=torch.float64)


def log_normal(z: Tensor, mean: float, sd: float) -> Tensor:
    return -0.5 * ((z - mean) / sd) ** 2 - math.log(sd * math.sqrt(2 * math.pi))


def log_target(z: Tensor) -> Tensor:
    """log p*, by its definition: eq. 38 with Z by quadrature."""
    log_mass = torch.trapezoid((log_normal(GRID, MEAN, SD) - GAMMA * (GRID - Z_EPK) ** 2).exp(), GRID).log()
    return log_normal(z, MEAN, SD) - GAMMA * (z - Z_EPK) ** 2 - log_mass


def free_energy(q: Tensor) -> float:
    """J(q) = KL(q || p_theta) + gamma E_q[E], eq. 39, for a density on GRID."""
    log_ratio = q.clamp(min=1e-300).log() - log_normal(GRID, MEAN, SD)
    return float(torch.trapezoid(q * (log_ratio + GAMMA * (GRID - Z_EPK) ** 2), GRID))


def test_the_closed_form_is_the_tilted_distribution() -> None:
    mean, sd = tilted(GAMMA, Z_EPK)
    assert torch.allclose(log_normal(GRID, mean, sd), log_target(GRID), atol=1e-6)


def test_d1_among_gaussians_the_free_energy_is_least_at_the_tilted_one() -> None:
    """Found by descent on J in closed form, which knows nothing of the answer."""
    mean = torch.zeros((), dtype=torch.float64, requires_grad=True)
    log_sd = torch.zeros((), dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([mean, log_sd], max_iter=200, line_search_fn="strong_wolfe")

    def free_energy_of_gaussian() -> Tensor:
        descent.zero_grad()
        variance = (2 * log_sd).exp()
        kl = (variance + (mean - MEAN) ** 2) / (2 * SD**2) - 0.5 - log_sd + math.log(SD)
        j = kl + GAMMA * (variance + (mean - Z_EPK) ** 2)
        j.backward()
        return j

    descent.step(free_energy_of_gaussian)
    expected_mean, expected_sd = tilted(GAMMA, Z_EPK)
    assert mean.item() == pytest.approx(expected_mean, rel=1e-4)
    assert log_sd.exp().item() == pytest.approx(expected_sd, rel=1e-4)


def test_d1_any_change_of_the_tilted_distribution_costs_free_energy() -> None:
    """By exactly KL(q || p*), eq. 42; among changes that leave the Gaussians, too."""
    best = log_target(GRID).exp()
    least = free_energy(best)
    for change in (GRID.sin(), (3 * GRID).cos(), torch.sign(GRID - 1.0), -GRID.sin()):
        q = best * (1 + 0.3 * change)
        q = q / torch.trapezoid(q, GRID)
        kl = float(torch.trapezoid(q * (q.clamp(min=1e-300).log() - log_target(GRID)), GRID))
        assert kl > 1e-4
        assert free_energy(q) - least == pytest.approx(kl, rel=1e-4)


def test_d2_the_score_is_the_sum_of_the_scores() -> None:
    z = torch.linspace(-1.0, 3.0, 9, dtype=torch.float64, requires_grad=True)
    (of_target,) = torch.autograd.grad(log_target(z).sum(), z)
    (of_data,) = torch.autograd.grad(log_normal(z, MEAN, SD).sum(), z)
    of_energy = 2 * (z.detach() - Z_EPK)
    assert torch.allclose(of_target, of_data - GAMMA * of_energy)


def test_d3_langevin_with_the_summed_drift_keeps_the_tilted_distribution() -> None:
    """From p* itself the moments stay, and from elsewhere they come there."""
    mean, sd = tilted(GAMMA, Z_EPK)
    draws = generator(1)
    inside = mean + sd * torch.randn(20_000, generator=draws)
    outside = 4.0 + torch.zeros(20_000)
    z, dt = torch.stack([inside, outside]), 2e-3
    for _ in range(400):
        drift = -(z - MEAN) / SD**2 - 2 * GAMMA * (z - Z_EPK)
        z = z + dt * drift + math.sqrt(2 * dt) * torch.randn(z.shape, generator=draws)
    assert z.mean(dim=1).tolist() == pytest.approx([mean, mean], abs=0.01)
    assert z.std(dim=1).tolist() == pytest.approx([sd, sd], rel=0.03)


def best_network(weighting: Weighting, strength: float) -> Denoise:
    """What minimises eq. 30 at each level when z_0 ~ N(0, 1): the weighted mean of E[z_0 | z_tau] and z_EPK."""

    def answer(z: Tensor, alpha_bar: Tensor) -> Tensor:
        pull = strength * energy_weight(alpha_bar, weighting)[:, None]
        return (gaussian_denoiser(z, alpha_bar, 0.0, 1.0) + pull * Z_EPK) / (1 + pull)

    return answer


def test_weighted_by_gibbs_the_trained_network_is_the_guided_one() -> None:
    guided = guide(lambda z, a: gaussian_denoiser(z, a, 0.0, 1.0), torch.tensor(Z_EPK), 0.25)
    z, alpha_bar = torch.randn(50, 1, generator=generator(2)), torch.linspace(0.01, 0.99, 50)
    assert torch.allclose(best_network("gibbs", 0.25)(z, alpha_bar), guided(z, alpha_bar), atol=1e-5)


@pytest.mark.parametrize("strength", [0.05, 0.25])
def test_only_weighted_by_gibbs_the_samples_follow_the_tilted_distribution(strength: float) -> None:
    """p* = N(0, 1) exp(-lambda E). By eq. 28 they end at the prior, clamped at 5 they lose most of their spread."""
    noise = torch.randn(4000, 1, generator=generator(3))
    noise = (noise - noise.mean()) / noise.std()
    few = karras_alpha_bars(14)
    gibbs, clamped, written = (
        dpmpp_2m(best_network(weighting, strength), noise, few)
        for weighting in ("gibbs", "clamped", "as written")
    )
    precision = 1 + 2 * strength
    assert float(gibbs.mean()) == pytest.approx(2 * strength * Z_EPK / precision, abs=0.02)
    assert float(gibbs.std()) == pytest.approx(precision**-0.5, rel=0.06)
    assert float(clamped.std()) < 0.5
    assert float(clamped.mean()) > 0.6 * Z_EPK
    assert float(written.std()) < 0.01
    assert float(written.mean()) == pytest.approx(Z_EPK, abs=0.01)


def test_more_steps_under_the_clamped_weight_lose_more() -> None:
    """The pull is taken again at every step, so the result depends on their number: no distribution is meant by it."""
    noise = torch.randn(4000, 1, generator=generator(4))
    network = best_network("clamped", 0.05)
    few = dpmpp_2m(network, noise, karras_alpha_bars(14))
    many = ddpm_ancestral(network, noise, ddpm_alpha_bars(4), generator(5))
    assert float(many.std()) < 0.6 * float(few.std())
