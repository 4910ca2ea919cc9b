"""Training the label model: it learns, holds on to its prior where little teaches, and owns up to what it cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from worldmodel.errors import WorldModelError
from worldmodel.labels import training
from worldmodel.labels.definition import NAMES
from worldmodel.labels.model import COLUMNS, LOOKED_AT, load_labels, probability
from worldmodel.labels.sources import sample_virtual

SLOW = 1 + COLUMNS.index("slow")


def slow_rows(n: int, seed: int = 0) -> np.ndarray:
    rows = np.zeros((n, 1 + len(COLUMNS)))
    rows[:, 0] = 1.0
    rows[:, SLOW] = np.random.default_rng(seed).uniform(-3, 3, n)
    return rows


def test_the_truth_of_a_logistic_model_is_found_again() -> None:
    rows = slow_rows(4000)
    true = np.zeros(1 + len(COLUMNS))
    true[0], true[SLOW] = -1.0, 2.0
    labels = (np.random.default_rng(1).random(4000) < probability(true, rows)).astype(float)
    found = training.fit("Bradycardia", rows, labels, np.ones(4000, bool))
    assert found == pytest.approx(true, abs=0.2)


def test_one_recording_hardly_moves_the_weights_from_their_prior() -> None:
    found = training.fit("Bradycardia", slow_rows(1), np.ones(1), np.ones(1, bool))
    assert found[SLOW] == pytest.approx(LOOKED_AT["Bradycardia"]["slow"], abs=0.3)


def test_virtual_recordings_count_for_half_of_the_real_ones_however_many_they_are() -> None:
    """Real ones say that slow is brady, virtual ones the opposite."""
    rows = np.concatenate([slow_rows(200), slow_rows(4000, 1)])
    real = np.arange(4200) < 200
    labels = np.where((rows[:, SLOW] > 0) == real, 1.0, 0.0)
    assert training.fit("Bradycardia", rows, labels, real)[SLOW] > 0
    assert training.fit("Bradycardia", rows, labels, np.ones(4200, bool))[SLOW] < 0


def test_folds_share_the_positives_and_leave_virtual_ones_to_training() -> None:
    labels = np.array([1.0] * 10 + [0.0] * 40)
    real = np.arange(50) < 45
    folds = training._folds(labels, [str(n) for n in range(50)], real)
    assert [int((labels[folds == fold]).sum()) for fold in range(5)] == [2] * 5
    assert set(folds[~real]) == {-1}


def test_a_whole_training(tmp_path: Path, monkeypatch) -> None:
    """On virtual recordings that pass for real ones; what none of them teaches is not judged."""
    as_real = [replace(one, origin="test") for one in sample_virtual(40, seed=2)]
    monkeypatch.setattr(training, "read_labelled", lambda _: iter(as_real))
    monkeypatch.setattr(training, "VIRTUAL_PATIENTS", 8)
    path = training.train_labels(tmp_path, tmp_path / "out", 0, lambda _: None)
    model = load_labels(path)
    judged = {name for name, row in zip(NAMES, model.weights, strict=True) if np.isfinite(row).all()}
    assert {"Sinus rhythm", "Atrial fibrillation"} <= judged
    assert judged == set(NAMES) - set(model.why)
    assert "Infarction" in model.why
    card = (tmp_path / "out" / "LABELS_CARD.md").read_text("utf-8")
    assert "40 of test, 8 of virtual trial" in card
    assert "| Atrial fibrillation |" in card


def test_too_few_recordings_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(training, "read_labelled", lambda _: iter(()))
    with pytest.raises(WorldModelError, match="too few"):
        training.train_labels(tmp_path, tmp_path / "out", 0, lambda _: None)
