"""The score is the paper's closed form, and an unknown spread is unknown."""

from math import sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.scoring import Spread, mean_and_spread, mean_and_spread_torch, score, score_torch

risks = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20)


def test_three_equally_spaced_risks() -> None:
    """0.1, 0.2, 0.3: mean 0.2, sample SD 0.1 (with ddof 0 it would be 0.0816), S = 0.2 + 0.6 x 0.1."""
    spread = mean_and_spread([0.1, 0.2, 0.3])
    assert spread.mean == pytest.approx(0.2)
    assert spread.sd == pytest.approx(0.1)
    assert score(spread) == pytest.approx(0.26)


def test_two_risks_differ_by_root_two_sd() -> None:
    assert mean_and_spread([0.0, 0.5]).sd == pytest.approx(0.5 / sqrt(2))


def test_one_sample_has_no_spread() -> None:
    """An SD of 0 would claim certainty from a single draw."""
    assert mean_and_spread([0.4]) == Spread(0.4, None, 1)
    assert score(mean_and_spread([0.4])) == 0.4


def test_no_risks_are_an_error() -> None:
    with pytest.raises(ValueError, match="no risks"):
        mean_and_spread([])


@given(risks, st.floats(0.0, 5.0))
def test_score_never_rewards_spread(values: list[float], lambda_: float) -> None:
    spread = mean_and_spread(values)
    assert score(spread, lambda_) >= spread.mean


@given(risks)
def test_order_of_samples_does_not_matter(values: list[float]) -> None:
    a, b = mean_and_spread(values), mean_and_spread(sorted(values))
    assert (a.mean, a.sd) == (pytest.approx(b.mean), pytest.approx(b.sd, abs=1e-9))


@given(risks)
def test_the_score_on_tensors_is_the_score(values: list[float]) -> None:
    of_tensors = mean_and_spread_torch(torch.tensor(values, dtype=torch.float64))
    spread = mean_and_spread(values)
    assert [x.item() for x in of_tensors] == pytest.approx([spread.mean, spread.sd], abs=1e-9)
    assert score_torch(torch.tensor(values, dtype=torch.float64)).item() == pytest.approx(
        score(spread), abs=1e-9
    )


def test_one_sample_has_no_spread_on_tensors_either() -> None:
    mean, sd = mean_and_spread_torch(torch.tensor([[0.4], [0.2]]))
    assert mean.tolist() == pytest.approx([0.4, 0.2])
    assert sd.isnan().all()
    assert score_torch(torch.tensor([[0.4], [0.2]])).tolist() == pytest.approx([0.4, 0.2])


def test_gradients_of_the_score_are_finite_where_all_samples_agree() -> None:
    """The root of a variance of 0 has an infinite slope, and would make every parameter NaN."""
    samples = torch.tensor([[0.2, 0.2, 0.2], [0.1, 0.2, 0.3]], requires_grad=True)
    score_torch(samples).sum().backward()
    assert samples.grad is not None
    assert samples.grad[0].tolist() == pytest.approx([1 / 3] * 3)
    # dS/dr = 1/K + lambda (r - mean) / ((K - 1) SD)
    assert samples.grad[1].tolist() == pytest.approx([1 / 3 - 0.3, 1 / 3, 1 / 3 + 0.3], abs=1e-5)
