"""The score is the paper's closed form, and an unknown spread is unknown."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.scoring import Spread, mean_and_spread, score

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
