"""The closed form of the cardiac ODE against a stepping integrator of the same equation."""

import math

import pytest
import torch
from torch import Tensor

from worldmodel.ode import wave_forcing, wave_response, wrap_phase


def step_ode(centre: float, b: float, start: float, stop: float, steps: int) -> tuple[Tensor, Tensor]:
    """Runge-Kutta 4 on dy/dtheta = forcing(theta - centre) - y from rest."""
    h = (stop - start) / steps
    width = torch.tensor(b, dtype=torch.float64)

    def slope(theta: float, y: float) -> float:
        d = torch.tensor(theta - centre, dtype=torch.float64)
        return float(wave_forcing(d, 1.0, width)) - y

    thetas, ys, y = [start], [0.0], 0.0
    for i in range(steps):
        theta = start + i * h
        k1 = slope(theta, y)
        k2 = slope(theta + h / 2, y + h / 2 * k1)
        k3 = slope(theta + h / 2, y + h / 2 * k2)
        k4 = slope(theta + h, y + h * k3)
        y += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        thetas.append(theta + h)
        ys.append(y)
    return torch.tensor(thetas, dtype=torch.float64), torch.tensor(ys, dtype=torch.float64)


@pytest.mark.parametrize("b", [0.05, 0.1, 0.25, 0.4])
def test_closed_form_solves_the_ode(b: float) -> None:
    theta, stepped = step_ode(0.3, b, -3.0, 6.0, 1500)
    closed = wave_response(theta - 0.3, torch.tensor(b, dtype=torch.float64))
    assert torch.allclose(closed, stepped, atol=2e-5)


def test_waves_add_up() -> None:
    """Linearity is what makes the fit of the amplitudes exact."""
    theta = torch.linspace(-2, 4, 200, dtype=torch.float64)
    b = torch.tensor(0.2, dtype=torch.float64)
    _, two = step_ode(0.0, 0.2, -2.0, 4.0, 600)
    assert torch.allclose(2 * wave_response(theta, b), 2 * wave_response(theta, b.clone()))
    assert float(two[200]) == pytest.approx(
        float(wave_response(torch.tensor(0.0, dtype=torch.float64), b)), abs=1e-5
    )


def test_closed_form_is_finite_far_from_the_wave() -> None:
    """exp(-dtheta) alone overflows left of the wave in single precision."""
    far = torch.tensor([-200.0, -50.0, 50.0, 200.0])
    assert torch.isfinite(wave_response(far, torch.tensor(0.02))).all()
    assert wave_response(far, torch.tensor(0.02)).abs().max() < 1e-6


def test_wrapped_phase_keeps_the_left_half_of_a_wave() -> None:
    """`mod 2 pi` would turn -0.1 into 6.18 and cut the wave off left of its centre."""
    wrapped = wrap_phase(torch.tensor([-0.1, 0.1, math.pi, -math.pi, 2 * math.pi - 0.1]))
    assert torch.allclose(wrapped, torch.tensor([-0.1, 0.1, math.pi, math.pi, -0.1]), atol=1e-5)
