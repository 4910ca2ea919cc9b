"""Ablations: a training goes on where it stopped, few samples tell a spread badly, the MSE does not see a drug."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.worldmodel.virtual_patients import NO_DRUG, PROLONG_QT
from worldmodel.conditioning import CONTEXT
from worldmodel.errors import WorldModelError
from worldmodel.evaluation import energy_ablation as energy
from worldmodel.evaluation.blindness import see_differences
from worldmodel.evaluation.prior_mismatch import REGIMES, SCALES, disperse
from worldmodel.evaluation.scoring_ablation import rankings, spread_errors
from worldmodel.model import WorldModel


@pytest.fixture(scope="module")
def model() -> WorldModel:
    return WorldModel.load()


@pytest.fixture(scope="module")
def pairs() -> energy.Pairs:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(4, 4, 64, 125, generator=generator)
    return energy.Pairs(z[:, 0], z[:, 1:], torch.randn(4, CONTEXT, generator=generator))


def test_a_training_that_was_broken_off_goes_on_to_the_same_end(
    pairs: energy.Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "BATCH", 2)
    monkeypatch.setattr(energy, "SAVE_EVERY", 2)
    weighting = energy.WEIGHTINGS[-1]
    whole = energy.train_weighted(pairs, weighting, 4, tmp_path / "whole", 0, lambda _: None)

    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt):
        energy.train_weighted(pairs, weighting, 4, tmp_path / "part", 0, stop)
    steps: list[str] = []
    resumed = energy.train_weighted(pairs, weighting, 4, tmp_path / "part", 0, steps.append)
    assert len(steps) == 1 and "4/4" in steps[0]
    for name, tensor in whole.state_dict().items():
        assert torch.allclose(tensor, resumed.state_dict()[name], atol=1e-6), name
    with pytest.raises(WorldModelError, match="another run"):
        energy.train_weighted(pairs, weighting, 5, tmp_path / "part", 0, lambda _: None)


def test_the_weight_as_written_drowns_the_data(pairs: energy.Pairs) -> None:
    """At a low noise level eq. 28 weighs the energy a thousandfold of the clamped one."""
    assert energy.WEIGHTINGS[-1].largest == pytest.approx(1e5)
    denoiser = energy.Denoiser(CONTEXT)
    rows = torch.arange(4)
    losses = {
        one.name: float(energy._loss(denoiser, pairs, rows, one, torch.Generator().manual_seed(1)).detach())
        for one in energy.WEIGHTINGS
    }
    assert losses["no energy"] < losses["0.05, clamped at 5"] < losses["0.25, clamped at 5"]
    assert losses["0.25, clamped at 5"] < losses["0.25 as written"]


def test_a_drug_effect_is_lost_beside_another_rhythm(model: WorldModel) -> None:
    seen = {row.difference: row for row in see_differences(model.vae, 6, 0)}
    jt, rhythm = seen["J-Tpeakc +10 ms"], seen["another rhythm, same rate"]
    assert jt.is_effect and not rhythm.is_effect
    assert rhythm.latent_mse > 50 * jt.latent_mse and rhythm.signal_mse > 50 * jt.signal_mse


def test_few_samples_tell_a_spread_as_badly_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(400, 10, (30, 60))
    two, twelve = spread_errors(values, values, (3, 12), 0)
    assert two.qtcf == pytest.approx(two.by_theory, rel=0.2) and twelve.qtcf < 0.5 * two.qtcf


def test_lambda_turns_the_order_where_the_better_mean_is_less_sure() -> None:
    sure, unsure = [0.30, 0.31, 0.32], [0.1, 0.3, 0.4]
    before, after = rankings(np.array([[sure, unsure]]), (0.0, 2.0))
    assert before.mean_ranks == (2.0, 1.0) and after.mean_ranks == (1.0, 2.0)
    assert (before.same_first, after.same_first) == (1.0, 0.0)


def test_without_the_prior_no_mistake_in_it_matters(
    model: WorldModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {0.0, 1.0} < set(SCALES)
    monkeypatch.setattr("worldmodel.evaluation.prior_mismatch.SCALES", (1.0, 0.0))
    rows = disperse(model, PROLONG_QT, 1, 2, 0)
    assert len(rows) == len(REGIMES) * 2
    off = [row.pairwise for row in rows if row.scale == 0.0]
    assert off == pytest.approx([off[0]] * 3, rel=1e-4)
    on = [row.pairwise for row in rows if row.scale == 1.0]
    assert len(set(np.round(on, 4))) == 3


def test_pairs_are_of_the_trial(model: WorldModel) -> None:
    pairs = energy.encode_pairs(model.vae, [NO_DRUG], 0, 1)
    assert pairs.target.shape == (energy.CHUNK, 64, 125) and pairs.conditions.shape[1] == 3
