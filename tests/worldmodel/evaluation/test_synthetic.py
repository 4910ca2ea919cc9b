"""Synthetic ECGs: what is called the truth is in the signal."""

import numpy as np
import pytest

from worldmodel.evaluation.marks import record_intervals
from worldmodel.evaluation.synthetic import Wave, draw_beat, synthetic_sets, tangent_end

SETS = {one.name.removeprefix("synthetic, "): one for one in synthetic_sets(3, seed=5)}


def truth(family: str, index: int) -> dict[str, float | None]:
    return record_intervals([marks.waves for marks in SETS[family].read(index).marks])


@pytest.mark.parametrize("family", SETS)
def test_recordings_are_ten_seconds_of_twelve_leads_and_the_same_again(family: str) -> None:
    record, again = SETS[family].read(1), SETS[family].read(1)
    assert record.samples_mv.shape == (12, round(10 * record.fs_hz))
    np.testing.assert_array_equal(record.samples_mv, again.samples_mv)
    assert not np.array_equal(record.samples_mv, SETS[family].read(2).samples_mv)
    np.testing.assert_allclose(record.samples_mv[0] + record.samples_mv[2], record.samples_mv[1], atol=1e-12)


@pytest.mark.parametrize("family", SETS)
def test_the_marks_of_every_beat_give_the_drawn_intervals(family: str) -> None:
    values = truth(family, 0)
    assert 120 <= values["pr_ms"] <= 240
    assert 80 <= values["qrs_ms"] <= 160
    assert values["qrs_ms"] < values["tpeak_ms"] < values["qt_ms"] < 560
    (marks,) = SETS[family].read(0).marks
    assert len(marks.waves["qrs"]) == len(marks.waves["p"]) == len(marks.waves["t"]) >= 6


def test_compact_waves_begin_and_end_where_the_truth_says() -> None:
    wave = Wave(peak=100.0, before=60.0, after=30.0)
    time = np.arange(0.0, 200.0, 0.5)
    drawn = wave.draw(time, None)
    inside = (time > 40) & (time < 130)
    assert (drawn[inside] > 0).all() and not drawn[~inside].any()
    assert time[np.argmax(drawn)] == 100


def test_gaussian_waves_end_where_their_tangent_meets_the_baseline() -> None:
    time = np.arange(0.0, 400.0, 0.05)
    peak, end = tangent_end(Wave(150.0, 100.0, 80.0).draw(time, 2.0), time)
    assert (peak, end) == (pytest.approx(150, abs=0.1), pytest.approx(230, abs=0.1))


def test_between_t_and_p_there_is_nothing_but_noise() -> None:
    record = SETS["compact"].read(0)
    (marks,) = record.marks
    quiet = [
        record.samples_mv[1, round(a * 500) + 1 : round(b * 500)]
        for a, b in zip(marks.waves["t"][:-1, 2], marks.waves["p"][1:, 0], strict=True)
    ]
    rest, whole = np.concatenate(quiet), record.samples_mv[1]
    assert rest.size > 50
    assert rest.std() == pytest.approx(whole.std() / 10, rel=0.25)


def test_both_conventions_speak_of_the_same_recordings() -> None:
    two, three = "gaussian, 2 SD", "gaussian, 3 SD"
    np.testing.assert_array_equal(SETS[two].read(0).samples_mv, SETS[three].read(0).samples_mv)
    assert truth(three, 0)["qt_ms"] > truth(two, 0)["qt_ms"] + 20
    assert truth(three, 0)["r_tpeak_ms"] == pytest.approx(truth(two, 0)["r_tpeak_ms"])


def test_clean_beats_are_all_the_same_and_without_noise() -> None:
    record = SETS["fda-like"].read(0)
    (marks,) = record.marks
    assert record.fs_hz == 1000
    assert np.ptp(np.diff(marks.waves["qrs"][:, 0])) == pytest.approx(0, abs=1e-9)
    assert np.abs(np.diff(record.samples_mv[1], 4)).max() < 0.05  # noise at 20 dB would give ten times that


def test_drawn_beats_fit_into_their_cycle() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        beat = draw_beat(rng)
        assert 545 <= beat.rr <= 1200 and 120 <= beat.pr <= 220 and 80 <= beat.qrs <= 130
        assert beat.rr - beat.qt - beat.pr > 40
