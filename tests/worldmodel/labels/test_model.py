"""The shipped label model: what it says of ECGs anyone would judge the same way, and when it says nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from worldmodel.checkpoint import save_tensors
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import WeightsError
from worldmodel.labels.definition import NAMES
from worldmodel.labels.model import judge_labels, load_labels, shipped_labels
from worldmodel.labels.pooling import label_risk
from worldmodel.readers import read_ecg
from worldmodel.virtual import demo_ecg

DATA = Path(os.environ.get("ECGWM_DATA", Path(__file__).parents[3].parent / "shared/data"))


def test_rapid_fibrillation() -> None:
    scores = judge_labels(measure(demo_ecg()))
    p = scores.probabilities
    assert tuple(p) == NAMES
    assert p["Atrial fibrillation"] > 0.7
    assert p["Tachycardia"] > 0.8
    assert p["Sinus rhythm"] < 0.2
    assert p["Electronic pacemaker"] < 0.1
    assert 0.2 < label_risk(scores) < 1.0


def test_what_nothing_taught_is_none_with_its_reason() -> None:
    scores = judge_labels(measure(demo_ecg()))
    assert scores.probabilities["Ventricular tachycardia"] is None
    assert scores.why["Ventricular tachycardia"]
    assert {name for name, p in scores.probabilities.items() if p is None} == set(scores.why)


def test_a_recording_without_beats_is_not_judged() -> None:
    scores = judge_labels(measure(Ecg(np.zeros((12, 5000)), 500.0, LEADS)))
    assert set(scores.probabilities.values()) == {None}
    assert label_risk(scores) is None


def test_without_their_leads_labels_are_not_judged_and_others_are() -> None:
    """No V1, no word on right bundle branch block; a region that was not recorded may be the infarct's."""
    whole = demo_ecg()
    scores = judge_labels(measure(Ecg(whole.samples_mv[:2], whole.fs_hz, whole.leads[:2])))
    assert scores.probabilities["Atrial fibrillation"] > 0.5
    assert scores.probabilities["Right bundle branch block"] is None
    assert "late_v1" in scores.why["Right bundle branch block"]
    assert scores.probabilities["Infarction"] is None
    assert {name for name, p in scores.probabilities.items() if p is None} == set(scores.why)


def test_weights_of_other_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.safetensors"
    save_tensors(path, {"weights": torch.zeros(3, 2)}, {"labels": ["a"], "columns": [], "why": {}})
    with pytest.raises(WeightsError, match="labels of this version"):
        load_labels(path)


def test_the_weights_are_small_and_each_label_has_weights_or_a_reason() -> None:
    model = shipped_labels()
    judged = np.isfinite(model.weights).all(axis=1)
    assert set(np.array(NAMES)[~judged]) == set(model.why)
    assert judged.sum() >= 13


@pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside the project")
@pytest.mark.parametrize(
    "record, label, present",
    [
        ("ludb/data/35", "Atrial flutter", True),
        ("ludb/data/51", "Atrial fibrillation", True),
        ("ludb/data/111", "Electronic pacemaker", True),
        ("cinc2021/HR06002", "Bradycardia", True),
        ("cinc2021/HR06004", "Sinus rhythm", True),
        ("cinc2021/HR06004", "Tachycardia", False),
    ],
)
def test_real_recordings_of_which_there_is_no_doubt(record: str, label: str, present: bool) -> None:
    assert (judge_labels(measure(read_ecg(DATA / record))).probabilities[label] > 0.5) is present
