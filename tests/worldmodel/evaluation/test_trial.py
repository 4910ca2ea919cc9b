"""Predictions of a crossover trial: what they may look at, what they are scored by."""

from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.datasets_tables import write_table
from worldmodel.datasets.ecgrdvq import Trial, read_trial
from worldmodel.evaluation.trial import INTERVALS, Predictions, changes, intervals_of, mean_effects, score

QTCF = INTERVALS.index("qtcf_ms")


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return read_trial(write_table(tmp_path / "table.csv"))


def test_qtcf_of_the_six_values_is_that_of_the_table(trial: Trial) -> None:
    assert np.allclose(intervals_of(trial.values)[..., QTCF], trial.qtcf_ms)


def test_the_mean_effect_of_others_does_not_know_the_subject(trial: Trial) -> None:
    before = mean_effects(trial)
    trial.values[0, 1, 2] += 40.0
    after = mean_effects(trial)
    assert np.array_equal(before[0], after[0], equal_nan=True)
    assert not np.array_equal(before[1], after[1], equal_nan=True)


def test_scores_of_known_errors(trial: Trial) -> None:
    """Off by 2 ms everywhere, with intervals that hold the truth at 90 % and not at 80 %."""
    mean = changes(trial) + 2.0
    quantiles = np.stack([mean - 3.0, mean - 1.0, mean + 1.0, mean + 3.0])
    for one in score(trial, Predictions(mean, quantiles), changes(trial) + 5.0, after_h=1.0):
        assert one.pairs == 3 * 2 * 2
        assert (one.mae, one.bias, one.of_mean_effect) == pytest.approx((2.0, 2.0, 5.0))
        assert (one.coverage_80, one.coverage_90) == (0.0, 1.0)
    qtcf = score(trial, Predictions(mean, quantiles), changes(trial))[QTCF]
    assert qtcf.of_persistence == pytest.approx(38.0 * (0.3 + 1.0 + 0.6) / 6)
