"""The figures of merit say what was put in: a bias, a spread that is too narrow, a stranger's beat."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worldmodel.evaluation.made_comparison import DRUGS, made_comparison
from worldmodel.evaluation import forecast_scores as scores
from worldmodel.evaluation.effects import OURS, effect_rows
from worldmodel.evaluation.unseen import QTCF


def test_the_bias_is_what_was_added_and_chance_in_the_drawn_responses_is_taken_out() -> None:
    compared = made_comparison(lambda change: change + 5.0, patients=40)
    assert scores.rms_bias("qtcf_ms", DRUGS)(compared, OURS) == pytest.approx(5.0, abs=1e-6)
    assert scores.false_effect(~DRUGS)(compared, OURS) == pytest.approx(5.0, abs=1e-6)
    assert scores.rms_bias("pr_ms", DRUGS)(compared, "oracle") == pytest.approx(0.0, abs=1e-6)
    drawn = effect_rows(compared, OURS)
    by_chance = next(row for row in drawn if (row.action, row.interval) == ("drug", "qtcf_ms"))
    assert by_chance.bias is not None and abs(by_chance.bias - 5.0) > 0.01


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_spread_coverage_and_pit_see_a_spread_that_is_wrong(factor: float) -> None:
    def scaled(change: np.ndarray) -> np.ndarray:
        mean = change.mean(axis=2, keepdims=True)
        return mean + factor * (change - mean)

    compared = made_comparison(scaled)
    # Balanced draws vary by (k - 1) / k over all; k is 8.
    assert scores.spread_ratio("qtcf_ms")(compared, OURS) == pytest.approx(factor * np.sqrt(7 / 8), rel=0.06)
    inside = scores.coverage("qtcf_ms", 0.8)(compared, OURS)
    pit = scores.pit_sd("qtcf_ms")(compared, OURS)
    if factor == 1.0:
        assert inside == pytest.approx(80.0, abs=2.5) and pit == pytest.approx(1.0, abs=0.03)
    else:
        assert (inside < 65.0 and pit > 1.1) if factor < 1 else (inside > 88.0 and pit < 0.9)


def test_coverage_needs_several_samples() -> None:
    assert np.isnan(scores.coverage("qtcf_ms", 0.8)(made_comparison(), "oracle"))


def test_nobody_foresees_more_than_the_expected_response_but_by_chance() -> None:
    compared = made_comparison()
    assert scores.of_ceiling(compared, OURS) == pytest.approx(1.0, abs=1e-9)
    assert 0.8 < scores.ceiling(compared) < 0.95
    assert scores.correlation(compared, "oracle") < 0.99


def test_risk_that_falls_where_it_truly_rises_has_the_wrong_sign() -> None:
    right, wrong = made_comparison(), made_comparison(lambda change: -change)
    assert scores.risk_pearson(right, OURS) > 0.8 > -0.8 > scores.risk_pearson(wrong, OURS)
    assert scores.risk_sign(right, OURS) > scores.risk_sign(wrong, OURS)


def test_a_patient_is_recognised_by_the_own_beat_and_not_by_a_strangers() -> None:
    compared = made_comparison(patients=20)
    assert scores.recognised(compared, OURS, DRUGS) == 100.0
    shifted = {OURS: np.roll(compared.beats[OURS], 2, axis=-1)}
    assert scores.recognised(replace(compared, beats=shifted), OURS, DRUGS) == 100.0
    swapped = {OURS: np.roll(compared.beats[OURS], 1, axis=0)}
    assert scores.recognised(replace(compared, beats=swapped), OURS, DRUGS) == 0.0
    unread = {OURS: np.full_like(compared.beats[OURS], np.nan)}
    assert scores.recognised(replace(compared, beats=unread), OURS, DRUGS) == 0.0
    assert np.isnan(scores.recognised(compared, "oracle", DRUGS))


def test_an_estimate_holds_its_value_and_what_was_not_measured_stays_unknown() -> None:
    compared = made_comparison(patients=30)
    value, low, high = scores.estimate(scores.spread_ratio("qtcf_ms"), compared, OURS, 0)
    assert low < value < high
    assert (value, low, high) == scores.estimate(scores.spread_ratio("qtcf_ms"), compared, OURS, 0)
    compared.predicted[OURS][..., QTCF] = np.nan
    assert np.isnan(scores.estimate(scores.correlation, compared, OURS, 0)).all()
