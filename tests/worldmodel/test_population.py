"""The fitted population: its file, and that a fit finds what a table holds."""

import json
from pathlib import Path

import pytest
import torch

from tests.worldmodel.datasets_tables import write_table
from worldmodel.datasets.ecgrdvq import read_trial
from worldmodel.errors import DataSetError, WeightsError
from worldmodel.population import (
    fitted_exposure,
    load_population,
    save_population,
    shipped_population,
)
from worldmodel.population_fit import fit_population
from worldmodel.population_model import correlation_root


def test_a_population_survives_its_file(tmp_path: Path) -> None:
    again = load_population(save_population(shipped_population(), tmp_path))
    assert again.drugs == shipped_population().drugs
    assert torch.equal(again.day.period_cov, shipped_population().day.period_cov)
    assert [path.name for path in tmp_path.iterdir()] == ["population.json"]


def test_another_layout_or_half_a_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = save_population(shipped_population(), tmp_path)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "layout": 99}))
    with pytest.raises(WeightsError, match="layout 99") as raised:
        load_population(path)
    assert "train --preset population" in raised.value.hint
    path.write_text(path.read_text()[:100])
    with pytest.raises(WeightsError, match="not a readable population"):
        load_population(path)


def test_a_fitted_drug_at_half_the_dose_has_half_the_exposure_and_another_route_is_not_fitted() -> None:
    half = fitted_exposure("dofetilide", "oral", 250.0, "ug")
    assert half is not None and half.relative_dose == 0.5
    assert fitted_exposure("dofetilide", "iv", 250.0, "ug") is None
    assert fitted_exposure("metoprolol", "oral", 50.0, "mg") is None


def test_covariance_of_the_day_is_one_and_noise_is_only_in_what_is_measured() -> None:
    day = shipped_population().day
    hours = torch.tensor([0.0, 0.0, 3.0], dtype=torch.float64)
    noisy = torch.tensor([False, True, False])
    whole = day.covariance(hours, torch.zeros(3), noisy=noisy).reshape(18, 18)
    assert torch.linalg.eigvalsh(whole).min() > -1e-9
    assert torch.allclose(whole[6:12, 6:12] - whole[:6, :6], day.noise_cov)


def test_the_mean_course_is_that_of_the_knots_and_stays_after_the_last() -> None:
    day = shipped_population().day
    at = day.drift_at(torch.tensor([-0.5, 0.0, float(day.hours[3]), 99.0], dtype=torch.float64))
    assert torch.equal(at[:2], torch.zeros(2, 6))
    assert torch.allclose(at[2], day.drift[3]) and torch.allclose(at[3], day.drift[-1])


def test_a_fit_finds_the_effect_of_a_made_trial(tmp_path: Path) -> None:
    trial = read_trial(write_table(tmp_path / "table.csv", (1, 2, 3, 4)))
    seen: list[float] = []
    drug = fit_population(trial, rounds=25, progress=seen.append).drugs["dofetilide"]
    assert seen[-1] == 1.0
    assert 10.0 < drug.exposure.effects.mean["jtpeakc_ms"] < 45.0
    assert abs(drug.exposure.effects.mean["pr_ms"]) < 4.0
    assert 1.0 < drug.cmax_ng_ml < 5.0


def test_arms_that_are_not_known_are_refused(tmp_path: Path) -> None:
    trial = read_trial(write_table(tmp_path / "table.csv", EXTRT="Aspirin"))
    with pytest.raises(DataSetError, match="aspirin"):
        fit_population(trial, rounds=1)


def test_correlations_are_correlations() -> None:
    root = correlation_root(torch.linspace(-2, 2, 15, dtype=torch.float64))
    assert torch.allclose((root @ root.T).diagonal(), torch.ones(6, dtype=torch.float64))
