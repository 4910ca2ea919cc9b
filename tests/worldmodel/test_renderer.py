"""The renderer: rows of different patients as one batch, in turns that nobody sees."""

from contextvars import ContextVar
from dataclasses import replace

import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, generator, transitions
from worldmodel import renderer
from worldmodel.conditioning import CONTEXT
from worldmodel.delineation.measure import measure
from worldmodel.denoiser import Denoiser, fourier
from worldmodel.model import WorldModel
from worldmodel.pharmacology import PatientContext
from worldmodel.renderer import Recipe, Renderer
from worldmodel.vae import LATENT_CHANNELS, LATENT_STEPS
from worldmodel.virtual import demo_ecg


@pytest.fixture(scope="module")
def drawing() -> Renderer:
    return WorldModel.load().renderer


@pytest.fixture(scope="module")
def recipe(drawing: Renderer) -> Recipe:
    """Four patients, each with another response."""
    trial = transitions(batch=4, seed=3)
    noise = torch.randn(4, LATENT_CHANNELS, LATENT_STEPS, generator=generator(1))
    latent = drawing.vae.encode(trial.before)
    return Recipe(trial.beat, latent, trial.response, trial.r_times_s, noise, trial.context)


@torch.no_grad()
def test_rows_of_other_patients_do_not_touch_each_other(drawing: Renderer, recipe: Recipe) -> None:
    together = drawing.render(recipe)
    alone = torch.cat([drawing.render(recipe.rows(slice(i, i + 1))) for i in range(4)])
    assert torch.allclose(together, alone, atol=2e-4)
    assert (together[0] - together[1]).abs().max() > 0.1


@torch.no_grad()
def test_turns_change_nothing_and_progress_goes_through_all(
    drawing: Renderer, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = drawing.render(recipe)
    monkeypatch.setitem(renderer.ROWS_AT_ONCE, "cpu", 1)
    seen: list[float] = []
    in_turns = drawing.render(recipe, seen.append)
    assert torch.allclose(together, in_turns, atol=2e-4)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_cores_that_work_apart_leave_gradients_and_threads_as_they_were(
    drawing: Renderer, recipe: Recipe
) -> None:
    threads = torch.get_num_threads()
    with torch.no_grad():
        apart = drawing.render(recipe)
    together = drawing.render(replace(recipe, response=recipe.response.clone().requires_grad_()))
    assert torch.get_num_threads() == threads
    assert together.requires_grad and not apart.requires_grad
    assert torch.allclose(apart, together, atol=2e-4)


@torch.no_grad()
def test_one_patient_serves_every_row(drawing: Renderer, recipe: Recipe) -> None:
    first = recipe.rows(slice(0, 1))
    three = replace(recipe.rows(slice(0, 3)), beat=first.beat, pre_latent=first.pre_latent)
    assert torch.allclose(drawing.render(three)[:1], drawing.render(first), atol=2e-4)


def test_what_is_told_once_is_what_forward_is_told_each_time() -> None:
    """Training calls `forward`, the sampler `tell` and `denoise`: the inlet must be the same whole."""
    torch.manual_seed(0)
    denoiser = Denoiser(CONTEXT)
    torch.nn.init.normal_(denoiser.outlet.weight)
    z, conditions = torch.randn(2, 64, 125), torch.randn(2, 3, 64, 125)
    level = torch.tensor([0.3, 0.9])
    whole = denoiser.inlet(torch.cat([z[:, None], conditions], 1).flatten(1, 2).transpose(1, 2))
    told = denoiser.tell(conditions, torch.zeros(2, CONTEXT))
    h = whole + denoiser.position
    log_snr = torch.log(level / (1 - level))
    condition = denoiser.condition(torch.cat([fourier(log_snr, denoiser.width), torch.zeros(2, CONTEXT)], 1))
    for block in denoiser.blocks:
        h = block(h, condition)
    expected = denoiser.outlet(denoiser.norm(h)).transpose(1, 2) + z * level.sqrt()[:, None, None]
    assert torch.allclose(denoiser.denoise(z, level, told), expected, atol=1e-4)


def test_whoever_follows_the_progress_finds_the_callers_context() -> None:
    """LangGraph finds its stream by a context variable: without it, a turn on another thread ended the demo."""
    following: ContextVar[str] = ContextVar("following")
    following.set("the graph")
    seen: list[str] = []
    ecg = demo_ecg()
    WorldModel.load().simulate(
        ecg,
        measure(ecg),
        [NO_DRUG],
        PatientContext(),
        1,
        0,
        progress=lambda _: seen.append(following.get("nobody")),
    )
    assert set(seen) == {"the graph"}
