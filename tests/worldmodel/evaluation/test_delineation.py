"""Matching and statistics: a perfect reading is perfect, a shifted one is shifted, and chance is by record."""

import numpy as np
import pytest

from worldmodel.evaluation.contestants import Reading
from worldmodel.evaluation.delineation import (
    POINTS,
    Score,
    detection,
    error_statistics,
    mae_difference,
    match,
    score,
)
from worldmodel.evaluation.marks import COLUMNS, INTERVALS, MarkedRecord, Marks
from worldmodel.measurement import FIDUCIALS

NAN = np.nan
NO_INTERVALS: dict[str, float | None] = dict.fromkeys(INTERVALS)
# Onset, peak and end in ms after the start of each of four beats, a second apart.
BEAT = {"p": (0, 40, 90), "qrs": (160, 200, 250), "t": (NAN, 450, 540)}


def beats(kind: str) -> np.ndarray:
    return (np.array(BEAT[kind]) + 1000 * np.arange(1, 5)[:, None]) / 1000


def record(*rows: tuple[int, ...]) -> MarkedRecord:
    waves = {kind: beats(kind) for kind in BEAT}
    return MarkedRecord("r", np.zeros((12, 3000)), 500.0, tuple(Marks(r, waves) for r in rows), "sinus")


def reading(shift_ms: float = 0.0) -> Reading:
    """All marks of `record` in every lead, later by shift_ms."""
    marks = np.full((4, 12, len(FIDUCIALS)), NAN)
    for kind, names in COLUMNS.items():
        for place, name in enumerate(names):
            if name is not None:
                marks[:, :, FIDUCIALS.index(name)] = beats(kind)[:, None, place] + shift_ms / 1000
    return Reading(marks, NO_INTERVALS | {"pr_ms": 162.0})


def changed(given: Reading, beat: int, lead: int, **points: float) -> Reading:
    marks = given.marks_s.copy()
    for name, value in points.items():
        marks[beat, lead, FIDUCIALS.index(name)] = value
    return Reading(marks, given.intervals)


def test_the_marks_themselves_are_perfect() -> None:
    scored = score(record((0,), (5,)), reading())
    assert all(counts.tolist() == [8, 0, 0] for counts in scored.counts.values())
    for name in POINTS:
        assert scored.errors_ms[name] == pytest.approx(np.zeros(8), abs=1e-9)
    assert scored.intervals_ms["pr_ms"] == (pytest.approx(160), 162.0)


def test_a_late_reading_is_late_by_as_much_in_every_point() -> None:
    scored = score(record((0,)), reading(shift_ms=12))
    for name in POINTS:
        assert scored.errors_ms[name] == pytest.approx(np.full(4, 12.0))


def test_beyond_the_window_a_wave_is_missed_and_a_false_one_is_found() -> None:
    scored = score(record((0,)), changed(reading(), 1, 0, r_peak=2.2 + 0.151))
    assert scored.counts["qrs"].tolist() == [3, 1, 1]
    assert np.isnan(scored.errors_ms["qrs_on"]).tolist() == [False, True, False, False]


def test_outside_the_marked_span_nothing_is_false() -> None:
    """First and last beats of LUDB are unmarked; a P wave before the first mark may well be there."""
    for at_s, false in ((0.5, 0), (3.7, 1), (5.5, 0)):
        extra = changed(reading(), 0, 0, p_peak=at_s)
        assert score(record((0,)), extra).counts["p"].tolist() == [3, 1, false]


def test_unread_points_of_a_found_wave_are_unread_not_zero() -> None:
    scored = score(record((0,)), changed(reading(), 2, 0, t_end=NAN))
    assert scored.counts["t"].tolist() == [4, 0, 0]
    assert np.isnan(scored.errors_ms["t_end"]).tolist() == [False, False, True, False]


def test_unmarked_points_are_not_asked() -> None:
    marked = record((0,))
    marked.marks[0].waves["t"][1, 2] = NAN
    assert score(marked, reading()).errors_ms["t_end"].size == 3


def test_of_leads_that_share_their_marks_the_nearest_point_counts_and_either_finds_the_wave() -> None:
    read = changed(changed(reading(), 0, 1, qrs_on=1.140, r_peak=1.2), 0, 6, qrs_on=1.165, r_peak=NAN)
    read = changed(changed(read, 1, 1, qrs_on=2.150), 1, 6, qrs_on=2.163)
    scored = score(record((1, 6)), read)
    assert scored.counts["qrs"].tolist() == [4, 0, 0]
    assert scored.errors_ms["qrs_on"] == pytest.approx([-20, 3, 0, 0], abs=1e-6)


def test_marks_of_all_leads_together_give_intervals_only() -> None:
    scored = score(record(()), reading())
    assert all(not counts.any() for counts in scored.counts.values())
    assert all(errors.size == 0 for errors in scored.errors_ms.values())
    assert scored.intervals_ms["qt_ms"] == (pytest.approx(380), None)


def test_nothing_read_is_everything_missed() -> None:
    nothing = Reading(np.full((0, 12, len(FIDUCIALS)), NAN), NO_INTERVALS)
    scored = score(record((0,)), nothing)
    assert all(counts.tolist() == [0, 4, 0] for counts in scored.counts.values())
    assert all(np.isnan(errors).all() and errors.size == 4 for errors in scored.errors_ms.values())


def test_matching_is_one_to_one_and_nearest_first() -> None:
    """The second mark's nearest detection is nearer to the first mark: it may not serve both."""
    assert match(np.array([1.0, 1.1]), np.array([1.02]), 0.15).tolist() == [0, -1]
    assert match(np.array([1.0, 1.1]), np.array([1.06, 0.9]), 0.15).tolist() == [1, 0]
    assert match(np.array([NAN, 1.0]), np.array([1.0]), 0.15).tolist() == [-1, 0]
    assert match(np.array([1.0]), np.zeros(0), 0.15).tolist() == [-1]


def test_sensitivity_and_predictive_value() -> None:
    counts = [np.array([8, 2, 0]), np.array([10, 0, 10])]
    values = detection(counts, seed=0)
    assert values["sensitivity"].value == pytest.approx(0.9)
    assert values["ppv"].value == pytest.approx(18 / 28)
    assert values["f1"].value == pytest.approx(36 / 48)
    assert values["f1"].low <= values["f1"].value <= values["f1"].high
    assert detection([np.zeros(3, dtype=int)], seed=0)["ppv"] is None


def test_statistics_of_errors() -> None:
    values = error_statistics([np.array([-3.0, 1.0, NAN]), np.array([5.0])], seed=0)
    assert {name: one.value for name, one in values.items()} == pytest.approx(
        {"mean": 1.0, "sd": np.sqrt(32 / 3), "mae": 3.0, "median_abs": 3.0, "median": 1.0}
    )
    assert set(error_statistics([np.array([NAN])], seed=0).values()) == {None}


def test_chance_is_by_record_not_by_beat() -> None:
    """Five records of a hundred equal beats each know their mean no better than five beats do."""
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 10, 5)
    clustered = error_statistics([np.full(100, c) for c in centres], seed=0)["mean"]
    single = error_statistics([np.array([c]) for c in centres], seed=0)["mean"]
    assert (clustered.low, clustered.high) == pytest.approx((single.low, single.high))
    again = error_statistics([np.full(100, c) for c in centres], seed=0)["mean"]
    other = error_statistics([np.full(100, c) for c in centres], seed=1)["mean"]
    assert clustered == again and clustered != other


def test_errors_are_compared_on_the_marks_that_both_have_read() -> None:
    ours, theirs = [np.array([2.0, -4.0, 100.0])], [np.array([-6.0, 2.0, NAN])]
    marks, values = mae_difference(ours, theirs, seed=0)
    assert marks == 2
    assert {k: v.value for k, v in values.items()} == {"ours": 3.0, "theirs": 4.0, "difference": -1.0}
    assert mae_difference([np.array([NAN])], [np.array([1.0])], seed=0)[0] == 0


def test_a_score_knows_leads_that_were_not_delineated() -> None:
    failed: Score = score(record((0,)), Reading(reading().marks_s, NO_INTERVALS, failed_leads=3))
    assert failed.failed_leads == 3
