"""Evaluating the delineator: the truth scores full marks, goals are judged, and both columns are told apart."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tools.errors import MissingInputError
from tools.evaluate_delineation import TANGENT, evaluate_delineation
from worldmodel.errors import EcgFileError
from worldmodel.evaluation import annotated_sets, contestants
from worldmodel.evaluation.annotated_sets import AnnotatedSet
from worldmodel.evaluation.contestants import PeerError, Reading
from worldmodel.evaluation.marks import COLUMNS, MarkedRecord, Marks, record_intervals
from worldmodel.evaluation.synthetic import synthetic_sets
from worldmodel.measurement import FIDUCIALS


def oracle(records: Sequence[MarkedRecord], late_ms: float = 0.0) -> list[Reading]:
    """Reads what is marked, with every end of T later."""
    readings = []
    for record in records:
        waves = {kind: points.copy() for kind, points in record.marks[0].waves.items()}
        waves["t"][:, 2] += late_ms / 1000
        marks = np.full((len(waves["qrs"]), 12, len(FIDUCIALS)), np.nan)
        for kind, names in COLUMNS.items():
            for place, name in enumerate(names):
                if name is not None:
                    marks[:, :, FIDUCIALS.index(name)] = waves[kind][:, None, place]
        sure = {} if late_ms else {"pr_ms": 0.8, "qt_ms": 0.9}
        readings.append(Reading(marks, record_intervals([waves]), confidence=sure))
    return readings


class LatePeer:
    """NeuroKit2's place: 10 ms late, or breaking off."""

    version = "9.9"

    def __init__(self, python: str) -> None:
        self.python = python

    def __enter__(self) -> "LatePeer":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, records: Sequence[MarkedRecord]) -> list[Reading]:
        if self.python == "breaks":
            raise PeerError("NeuroKit2 ended without an answer: killed.", "")
        return oracle(records, late_ms=10)


@pytest.fixture(autouse=True)
def contest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "ours", oracle)
    monkeypatch.setattr(contestants, "NeuroKit", LatePeer)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any folder is a set of four recordings with marks in leads I and V6; one has no P, one cannot be read."""
    made = synthetic_sets(4, seed=9)[0]

    def read(index: int) -> MarkedRecord:
        if index == 3:
            raise EcgFileError("rec 3 is damaged.", "")
        record = made.read(index)
        waves = record.marks[0].waves
        rhythm = "no_p" if index == 2 else "sinus"
        return replace(record, marks=(Marks((0,), waves), Marks((11,), waves)), rhythm=rhythm)

    def find(folder: Path, annotator: str | None) -> AnnotatedSet:
        return AnnotatedSet(folder.name, "made", made.keys, read, complete=annotator is None)

    monkeypatch.setattr(annotated_sets, "find_set", find)


def evaluate(folders=(), annotator=None, neurokit=None, synthetic=0, most=None, seed=0, progress=None):
    return evaluate_delineation(
        [Path(f) for f in folders], annotator, neurokit, synthetic, most, seed, progress
    )


def test_without_anything_to_evaluate_on_it_says_so() -> None:
    with pytest.raises(MissingInputError) as refused:
        evaluate()
    assert "--data" in refused.value.hint


def test_the_truth_reaches_every_goal_and_a_late_t_only_those_without_it() -> None:
    result = evaluate(synthetic=3, neurokit="python")
    assert [one.name for one in result.sets][-1] == "synthetic, fda-like"
    for one in result.sets:
        rows = {(row.delineator, row.interval): row for row in one.intervals}
        assert all(row.reached is not False for (name, _), row in rows.items() if name == "ours")
        late = rows["NeuroKit2", "qt_tangent_ms" if one.name in TANGENT else "qt_ms"]
        assert late.bias_ms.value == pytest.approx(10) and late.reached is False
        assert (late.asked, late.answered) == (3, 3)
        assert not one.points  # the truth is of all leads together
    assert result.neurokit.version == "9.9" and result.neurokit.why_not is None


@pytest.mark.usefixtures("marked")
def test_waves_points_and_intervals_of_a_marked_set() -> None:
    seen: list[float] = []
    result = evaluate(["one"], neurokit="python", progress=seen.append)
    (one,) = result.sets
    assert (one.records, one.sinus_records, one.unreadable) == (3, 2, ("rec 3 is damaged.",))
    assert result.warnings == ("one: rec 3 is damaged.",)
    assert seen == [1.0]
    assert all(row.f1.value == 1 and row.false == 0 for row in one.detection)
    by = {(row.delineator, row.point): row for row in one.points}
    assert len(by) == 14
    assert by["ours", "t_end"].mae_ms.value == 0 and by["ours", "t_end"].within_tolerance
    assert by["NeuroKit2", "t_end"].mean_ms.value == pytest.approx(10)
    assert by["ours", "t_peak"].tolerance_sd_ms is None
    (t_end,) = (row for row in one.compared if row.point == "t_end")
    assert t_end.difference_ms.value == pytest.approx(-10) and t_end.marks == by["ours", "t_end"].marks
    assert {row.asked for row in one.intervals} == {2}
    assert [(row.records, row.null) for row in one.no_pr] == [(1, 0), (1, 0)]
    json.loads(json.dumps(result.model_dump(mode="json"), allow_nan=False))


@pytest.mark.usefixtures("marked")
def test_where_not_every_beat_is_marked_false_detections_are_unknown() -> None:
    (one,) = evaluate(["one"], annotator="q1c").sets
    assert all(row.ppv is None and row.f1 is None and row.false is None for row in one.detection)
    assert all(row.sensitivity.value == 1 for row in one.detection)


@pytest.mark.usefixtures("marked")
def test_several_sets_are_pooled_beside_each_other() -> None:
    result = evaluate(["one", "two"], synthetic=1)
    assert [one.name for one in result.sets][:3] == ["one", "two", "all annotated sets"]
    one, _, both = result.sets[:3]
    assert both.records == 2 * one.records
    assert both.detection[0].marks == 2 * one.detection[0].marks
    assert result.neurokit.version is None and "pip install neurokit2" in result.neurokit.why_not


@pytest.mark.usefixtures("marked")
def test_a_peer_that_breaks_off_leaves_our_numbers() -> None:
    result = evaluate(["one"], neurokit="breaks")
    (one,) = result.sets
    assert {row.delineator for row in one.points} == {"ours"}
    assert any("killed" in line for line in result.warnings)


@pytest.mark.usefixtures("marked")
def test_the_same_seed_draws_the_same_records_and_gives_the_same_numbers() -> None:
    first, again = (evaluate(["one"], most=2, seed=4).model_dump() for _ in range(2))
    assert first == again
    assert first["sets"][0]["records"] + len(first["sets"][0]["unreadable"]) == 2


@pytest.mark.usefixtures("marked")
def test_whether_confidence_is_kept_is_told_of_those_who_state_it() -> None:
    (one,) = evaluate(["one"], neurokit="python").sets
    kept = {(row.delineator, row.interval): row.confidence for row in one.intervals}
    assert kept["ours", "pr_ms"] is not None
    assert (kept["ours", "pr_ms"].mean, kept["ours", "pr_ms"].within) == (0.8, 1.0)
    assert kept["ours", "qrs_ms"] is None and kept["NeuroKit2", "pr_ms"] is None
