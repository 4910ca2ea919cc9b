"""Evaluating the world model: the table is whole, and persistence stands beside it."""

import json

import pytest

from tools.evaluate import ARMS, evaluate_worldmodel


def test_every_arm_has_every_interval_and_persistence_is_the_true_change() -> None:
    result = evaluate_worldmodel(patients=2, k=1, seed=3)
    assert {(row.action, row.hours) for row in result.effects} == set(ARMS)
    assert len(result.effects) == 6 * len(ARMS)
    json.loads(json.dumps(result.model_dump(mode="json"), allow_nan=False))
    (qtc,) = (line for line in result.summary if line.interval == "qtcf_ms")
    true = [
        row.true_mean for row in result.effects if row.interval == "qtcf_ms" and row.true_mean is not None
    ]
    rms = (sum(value**2 for value in true) / len(true)) ** 0.5
    assert qtc.rms_bias_of_persistence == pytest.approx(rms, abs=0.1)
