"""The closed form of the cardiac ODE against a stepping integrator of the same equation."""

import math

import pytest
import torch

from worldmodel.beat import BeatTiming
from worldmodel.epk import basis_on_grid, wave_geometry
from worldmodel.ode import wave_response

TIMING = BeatTiming(
    torch.tensor([[-200.0, -95.0, -45.0, 0.0, 50.0, 275.0, 350.0]]), torch.tensor([0.9]), torch.tensor([True])
)


def wrap(theta: float) -> float:
    """To (-pi, pi]. The paper's `mod 2 pi` turns -0.1 into 6.18 and cuts off the left half of every wave."""
    return math.pi - (math.pi - theta) % (2 * math.pi)


def step_ode(centre: float, b: float, start: float, stop: float, steps: int, wrapped: bool) -> list[float]:
    """Runge-Kutta 4 on dy/dtheta = -dtheta exp(-dtheta^2 / 2 b^2) / b^2 - y from rest, at every step."""
    h = (stop - start) / steps

    def slope(theta: float, y: float) -> float:
        d = wrap(theta - centre) if wrapped else theta - centre
        return -d / b**2 * math.exp(-0.5 * (d / b) ** 2) - y

    ys = [0.0]
    for i in range(steps):
        theta, y = start + i * h, ys[-1]
        k1 = slope(theta, y)
        k2 = slope(theta + h / 2, y + h / 2 * k1)
        k3 = slope(theta + h / 2, y + h / 2 * k2)
        k4 = slope(theta + h, y + h * k3)
        ys.append(y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return ys


@pytest.mark.parametrize("b", [0.05, 0.1, 0.25, 0.4])
def test_closed_form_solves_the_ode(b: float) -> None:
    stepped = step_ode(0.3, b, -3.0, 6.0, 1500, wrapped=False)
    theta = torch.linspace(-3.0, 6.0, 1501, dtype=torch.float64)
    closed = wave_response(theta - 0.3, torch.tensor(b, dtype=torch.float64))
    assert torch.allclose(closed, torch.tensor(stepped, dtype=torch.float64), atol=2e-5)


@pytest.mark.parametrize("wave", [0, 2, 4])
def test_the_sum_over_beats_is_the_ode_with_wrapped_phase(wave: int) -> None:
    """P, R and T of a steady rhythm: twelve beats stepped through once, against the closed form on the grid."""
    rr = 0.9
    centres, widths = (x[0, wave].item() / 1000 for x in wave_geometry(TIMING))
    per_beat = 400
    stepped = step_ode(
        2 * math.pi * centres / rr, 2 * math.pi * widths / rr, 0.0, 24 * math.pi, 12 * per_beat, wrapped=True
    )
    r_times = rr * torch.arange(14.0)[None]
    times = rr * (torch.arange(2 * per_beat) / per_beat + 9.0)
    closed = basis_on_grid(TIMING, r_times, times)[0, :, wave]
    assert torch.allclose(closed, torch.tensor(stepped[9 * per_beat : 11 * per_beat]), atol=4e-3)


def test_closed_form_is_finite_far_from_the_wave() -> None:
    """exp(-dtheta) alone overflows left of the wave in single precision."""
    far = torch.tensor([-200.0, -50.0, 50.0, 200.0])
    response = wave_response(far, torch.tensor(0.02))
    assert torch.isfinite(response).all()
    assert response.abs().max() < 1e-6
