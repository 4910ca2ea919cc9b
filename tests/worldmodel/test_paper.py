"""The paper's single stage: its shapes, its prior, its jointly learned projection, and that it trains and loads."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT, generator, transitions
from worldmodel import training_run
from worldmodel.checkpoint import load_tensors
from worldmodel.delineation.measure import measure
from worldmodel.diffusion import training_loss
from worldmodel.ecg import LEADS
from worldmodel.errors import WeightsError
from worldmodel.paper import PaperModel
from worldmodel.paper import train as paper_training
from worldmodel.paper.episodes import Episodes, sample_episodes
from worldmodel.paper.networks import PaperDenoiser, PaperVae, build_paper_networks
from worldmodel.paper.prior import mean_effects, prior_trace
from worldmodel.paper.signal import PAPER_FS_HZ, thin, widen
from worldmodel.pharmacology import EFFECTS, PatientContext
from worldmodel.virtual import demo_ecg

ACTIONS = [NO_DRUG, PROLONG_QT]


@pytest.fixture(scope="module")
def episodes() -> Episodes:
    return sample_episodes(8, ACTIONS, mean_effects(ACTIONS), generator(1))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("paper")
    return paper_training.train_paper(ACTIONS, "paper-tiny", out, 0, False, lambda _: None, "cpu")


def small_denoiser() -> PaperDenoiser:
    torch.manual_seed(0)
    return PaperDenoiser("clean", width=32, depth=1, heads=2)


def test_thinning_and_widening_keep_what_lies_below_40_hz() -> None:
    t = torch.arange(2500) / 250.0
    x = torch.stack([torch.sin(2 * math.pi * f * t + f) for f in (0.7, 3.1, 38.0)])
    thinned = thin(x)
    assert thinned.shape == (3, 1024)
    at = torch.arange(1024) / PAPER_FS_HZ
    inside = slice(30, -30)
    assert torch.allclose(thinned[1, inside], torch.sin(2 * math.pi * 3.1 * at + 3.1)[inside], atol=5e-3)
    assert torch.allclose(widen(thinned)[:, 60:-60], x[:, 60:-60], atol=0.02)


def test_episodes_have_the_papers_shapes(episodes: Episodes) -> None:
    assert episodes.before.shape == episodes.after.shape == (8, 12, 1024)
    assert episodes.trace.shape == (8, 1024)
    assert all(torch.isfinite(x).all() for x in vars(episodes).values())
    vae = PaperVae(16)
    z = vae.encode(episodes.before)
    assert z.shape == (8, 4, 128)
    assert vae.decode(z).shape == episodes.before.shape


def test_the_action_map_gives_the_mean_effect() -> None:
    """39 ms of J-Tpeak and 40 of Tpeak-Tend near the peak of exposure; nothing for no drug."""
    none, prolonged = mean_effects(ACTIONS)[:, 0]
    jtpeak, tpeak_tend = EFFECTS.index("jtpeakc_ms"), EFFECTS.index("tpeak_tend_ms")
    assert none.abs().max() < 0.1
    assert 33.0 < float(prolonged[jtpeak]) < 41.0
    assert 33.0 < float(prolonged[tpeak_tend]) < 42.0


def test_the_prior_beats_at_the_mean_rate_from_the_first_r_peak() -> None:
    trial = transitions(batch=4, seed=2)
    first = torch.tensor([0.3, 0.4, 0.5, 0.6])
    trace = prior_trace(trial.beat, torch.zeros(4, 6), first)
    power = torch.fft.rfft(trace[:, :1000] - trace.mean(dim=1, keepdim=True), n=65_536).abs()
    for row in range(4):
        rate_hz = 1 / float(trial.beat.timing.rr_s[row])
        near = round(rate_hz / PAPER_FS_HZ * 65_536)
        window = power[row, near - 150 : near + 151]
        assert abs(int(window.argmax()) - 150) < 15


def test_the_prior_differs_between_actions_and_so_does_its_projection() -> None:
    beat = transitions(batch=4, seed=2).beat
    none, prolonged = mean_effects(ACTIONS)[:, 0]
    first = torch.full((4,), 0.4)
    traces = [prior_trace(beat, effect.expand(4, -1), first) for effect in (none, prolonged)]
    assert (traces[0] - traces[1]).abs().amax(dim=1).min() > 0.02
    denoiser = small_denoiser()
    before, after = (denoiser.z_epk(trace) for trace in traces)
    assert before.shape == (4, 4, 128)
    assert (before - after).abs().amax(dim=(1, 2)).min() > 1e-3


def energy_loss(
    denoiser: PaperDenoiser, episodes: Episodes, z: Tensor, z_epk: Tensor, weight: float
) -> Tensor:
    loss, _ = training_loss(
        lambda noisy, a: denoiser(noisy, a, z, z_epk, episodes.context),
        z,
        lambda clean: clean,
        z_epk,
        weight,
        "clamped",
        generator(3),
    )
    return loss


def test_the_energy_reaches_the_projection(episodes: Episodes) -> None:
    """It is learned along with the denoiser, the paper's way: so following the model can empty the energy."""
    denoiser, z = small_denoiser(), torch.randn(8, 4, 128, generator=generator(2))
    gradients = []
    for weight in (0.0, 0.25):
        denoiser.zero_grad()
        energy_loss(denoiser, episodes, z, denoiser.z_epk(episodes.trace), weight).backward()
        gradient = denoiser.projection.weight.grad
        assert gradient is not None
        gradients.append(gradient.clone())
    assert (gradients[0] - gradients[1]).abs().max() > 1e-3


def test_training_lowers_the_loss(episodes: Episodes) -> None:
    denoiser, z = small_denoiser(), torch.randn(8, 4, 128, generator=generator(2))
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = energy_loss(denoiser, episodes, z, denoiser.z_epk(episodes.trace), 0.25)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_trained_weights_load_and_simulate_at_our_rate(weights: Path) -> None:
    model = PaperModel.load(weights, stride=100)
    ecg = demo_ecg()
    measured, actions = measure(ecg), [NO_DRUG, PROLONG_QT]
    one, again, other = (
        model.simulate(ecg, measured, actions, PatientContext(), 2, seed) for seed in (1, 1, 2)
    )
    assert one.samples_mv.shape == (2, 2, len(LEADS), 2500)
    assert np.isfinite(one.samples_mv).all()
    assert np.array_equal(one.samples_mv, again.samples_mv)
    assert not np.array_equal(one.samples_mv, other.samples_mv)
    assert len(one.support) == 2 and model.info.name == "ecgwm-paper-tiny"


def test_a_resumed_run_keeps_its_weights(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_run, "SAVE_EVERY_S", 0.0)
    before, _ = load_tensors(weights)
    again = paper_training.train_paper(ACTIONS, "paper-tiny", weights.parent, 0, True, lambda _: None, "cpu")
    after, _ = load_tensors(again)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_weights_of_the_other_model_or_of_other_leads_are_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="two-stage model"):
        PaperModel.load(Path(training_run.__file__).parent / "weights" / "small.safetensors")
    _, header = load_tensors(weights)
    mimic = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"]
    with pytest.raises(WeightsError, match="another order"):
        build_paper_networks(header | {"leads": mimic})


def test_the_presets_carry_the_papers_settings() -> None:
    paper = paper_training.PAPER_PRESETS["paper"]
    assert (paper.batch, paper.epochs, paper.learning_rate, paper.energy_lambda) == (64, 200, 5e-4, 0.25)
    assert paper_training.PAPER_PRESETS["paper-as-written"].weighting == "as written"
