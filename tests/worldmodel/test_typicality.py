"""How far an ECG lies from the virtual patients: unseen ones are inside, what is wrong is out, and by what is said."""

from pathlib import Path

import numpy as np
import pytest

from tests.worldmodel.virtual_patients import transitions
from worldmodel import typicality
from worldmodel.checkpoint import load_tensors
from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS
from worldmodel.measurement import Intervals, Measurement
from worldmodel.preprocessing import FS_HZ, to_twelve
from worldmodel.typicality import FEATURES, features_of, judge_typicality, measure_typical, typical_patients

UNSEEN = to_twelve(transitions(24, seed=77).before).double().numpy()


def distances(samples_mv: np.ndarray) -> list[float]:
    judged = (judge_typicality(measured) for measured in measure_batch(samples_mv, FS_HZ))
    return [typical.distance for typical in judged if typical is not None]


def test_unseen_virtual_patients_are_typical() -> None:
    found = distances(UNSEEN)
    assert len(found) == len(UNSEEN)
    assert np.mean(np.array(found) > 1) < 0.25 and np.median(found) < 0.9


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_a_wrong_gain_is_far_away(gain: float) -> None:
    found = distances(gain * UNSEEN)
    assert np.median(found) > 1.3
    assert np.median(found) > 1.7 * np.median(distances(UNSEEN))


def test_swapped_chest_leads_are_farther_by_how_leads_go_together() -> None:
    swapped = UNSEEN.copy()
    one, six = LEADS.index("V1"), LEADS.index("V6")
    swapped[:, [one, six]] = swapped[:, [six, one]]
    assert np.median(distances(swapped)) > 1.2 * np.median(distances(UNSEEN))
    column = list(FEATURES).index("incoherence")
    before, after = (
        np.array([features_of(m)[column] for m in measure_batch(x, FS_HZ)]) for x in (UNSEEN, swapped)
    )
    assert np.median(after) > np.median(before) + 0.5


def test_the_farthest_feature_is_named() -> None:
    slow = Measurement(intervals=Intervals(hr_bpm=25.0, qrs_ms=95.0, pr_ms=160.0))
    judged = judge_typicality(slow)
    assert judged is not None and judged.distance > 1 and judged.share > 0.95
    assert judged.farthest == FEATURES["hr_bpm"]


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert judge_typicality(Measurement()) is None
    assert judge_typicality(Measurement(intervals=Intervals(hr_bpm=70.0))) is None


def test_the_table_is_made_from_the_virtual_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typicality, "_PATIENTS", 8)
    monkeypatch.setattr(typicality, "_BATCH", 8)
    tensors, header = load_tensors(measure_typical(tmp_path, 0))
    assert tensors["features"].shape == (8, len(FEATURES)) and header["features"] == list(FEATURES)
    assert typical_patients().shape[1] == len(FEATURES)
