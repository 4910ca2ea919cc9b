"""Gradients reach the response through prior, anchor, encoder, sampler and decoder (the end-to-end claim)."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.worldmodel.virtual_patients import generator, transitions
from worldmodel.conditioning import context_vector, render_conditions
from worldmodel.model import WorldModel
from worldmodel.pharmacology import EFFECTS
from worldmodel.preprocessing import FS_HZ, SAMPLES
from worldmodel.renderer import Recipe, Renderer
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS

TRIAL = transitions(batch=1, seed=3)
# A step of the central difference in units of EFFECTS: the warped beats are piecewise linear, so not too small.
STEP = {"qrs_ms": 1.0, "jtpeakc_ms": 2.0, "tpeak_tend_ms": 2.0, "t_amplitude_fraction": 0.02}


@pytest.fixture(scope="module")
def drawing() -> Renderer:
    return WorldModel.load().renderer


def t_wave_lateness(ecg_mv: Tensor) -> Tensor:
    """A soft reading of repolarisation: centre in s of the power between 160 ms after one R and the next P.

    It grows with J-Tpeak and Tpeak-Tend, as the QT interval does, and has a derivative everywhere.
    """
    r_times = TRIAL.r_times_s[0]
    times = torch.arange(SAMPLES) / FS_HZ
    shares = []
    for r, following in pairwise(r_times[3:8]):
        since = times - r
        window = torch.sigmoid((since - 0.16) / 0.01) * torch.sigmoid((following - r - 0.25 - since) / 0.01)
        power = window * ecg_mv[0].pow(2).sum(0)
        shares.append((power * since).sum() / power.sum())
    return torch.stack(shares).mean()


def soft_risk(ecg_mv: Tensor) -> Tensor:
    """From that reading to a number in 0..1, as an interval's risk is: 1 - 2^(-h), h smooth beyond a limit."""
    h = torch.nn.functional.softplus((t_wave_lateness(ecg_mv) - 0.25) / 0.05) ** 2
    return 1.0 - torch.exp2(-h)


def of_response(drawing: Renderer) -> Callable[[Tensor], Tensor]:
    """The decoded ECG as a function of the response alone."""
    noise = torch.randn(1, LATENT_CHANNELS, LATENT_STEPS, generator=generator(1))
    latent = drawing.vae.encode(TRIAL.before)
    unknown = torch.full((1,), float("nan"))

    def ecg(response: Tensor) -> Tensor:
        context = context_vector(
            response, unknown, unknown, unknown, TRIAL.patients.rhythm.irregular, TRIAL.beat.timing.rr_s
        )
        return drawing.render(Recipe(TRIAL.beat, latent, response, TRIAL.r_times_s, noise, context))

    return ecg


def check(functional: Callable[[Tensor], Tensor], rel: float) -> None:
    """The gradient is finite everywhere, and for each effect in STEP it is not zero and agrees with differences."""
    response = torch.zeros(1, 6, requires_grad=True)
    (gradient,) = torch.autograd.grad(functional(response), response)
    assert torch.isfinite(gradient).all()
    with torch.no_grad():
        for name, step in STEP.items():
            ahead = torch.zeros(1, 6)
            ahead[0, EFFECTS.index(name)] = step
            difference = float(functional(ahead) - functional(-ahead)) / (2 * step)
            slope = float(gradient[0, EFFECTS.index(name)])
            assert slope != 0.0
            assert slope == pytest.approx(difference, rel=rel), name


def test_prior_alone() -> None:
    check(lambda a: t_wave_lateness(render_conditions(TRIAL.beat, a, TRIAL.r_times_s)[1]), rel=0.05)


def test_anchor_alone() -> None:
    check(lambda a: t_wave_lateness(render_conditions(TRIAL.beat, a, TRIAL.r_times_s)[0]), rel=0.1)


def test_the_decoded_ecg(drawing: Renderer) -> None:
    ecg = of_response(drawing)
    check(lambda a: t_wave_lateness(ecg(a)), rel=0.1)


def test_a_risk_of_the_decoded_ecg(drawing: Renderer) -> None:
    ecg = of_response(drawing)
    check(lambda a: soft_risk(ecg(a)), rel=0.1)
