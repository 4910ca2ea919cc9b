"""Figures of a label, against cases that can be counted by hand."""

import numpy as np
import pytest

from worldmodel.labels.figures import auroc, figures_of, joined, reliability

TRUTH = np.array([1.0, 0.0, 1.0, 0.0])


def test_auroc_counts_pairs_and_half_of_ties() -> None:
    """Of four pairs 0.9 wins two, 0.4 wins one and ties one."""
    assert auroc(TRUTH, np.array([0.9, 0.4, 0.4, 0.1])) == pytest.approx(3.5 / 4)
    assert auroc(TRUTH, np.full(4, 0.3)) == 0.5
    assert np.isnan(auroc(np.zeros(3), np.ones(3)))


def test_brier_beside_that_of_the_share() -> None:
    figures = figures_of(TRUTH, np.array([0.9, 0.1, 0.9, 0.1]), np.full(4, 0.5))
    assert (figures.brier, figures.brier_of_share) == (pytest.approx(0.01), pytest.approx(0.25))
    assert (figures.positives, figures.negatives, figures.expected) == (2, 2, pytest.approx(2.0))


def test_bins_hold_what_was_said_and_what_was_found() -> None:
    bins = reliability(TRUTH, np.array([1.0, 0.0, 0.6, 0.7]))
    assert [n for n, _, _ in bins] == [1, 0, 0, 2, 1]
    assert bins[3][1:] == (pytest.approx(0.65), pytest.approx(0.5))


def test_joined_bins_are_weighed_by_their_number() -> None:
    a = figures_of(TRUTH, np.array([1.0, 0.0, 0.6, 0.7]), np.full(4, 0.5))
    b = figures_of(TRUTH[:1], np.array([0.75]), np.full(1, 0.5))
    assert joined([a, b])[3] == (3, pytest.approx(2.05 / 3), pytest.approx(2 / 3))
