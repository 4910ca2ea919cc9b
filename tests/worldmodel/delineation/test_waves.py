"""Pooling of the leads' marks, QRS bounds by velocity, and the peak and the tangent's end of T."""

import numpy as np
import pytest

from worldmodel.delineation.marker import MARKED, LeadMarks
from worldmodel.delineation.velocity import qrs_bounds, spatial_velocity, stands_out
from worldmodel.delineation.waves import find_waves, in_order
from worldmodel.measurement import FIDUCIALS

R = 200  # column of the R peak, 500 samples per second
TIME = np.arange(600)
EVERY = np.ones(12, dtype=bool)
MARKS_MS = {
    "p_on": -180,
    "p_peak": -130,
    "p_off": -80,
    "qrs_on": -40,
    "qrs_off": 40,
    "t_peak": 240,
    "t_end": 320,
}


def beat(humps: tuple[tuple[int, float], ...] = ((R + 120, 0.3),), p_mv: float = 0.1) -> np.ndarray:
    """(12, 600): P, a QRS of 80 ms about R, and T humps (column, height)."""
    x = p_mv * np.exp(-0.5 * ((TIME - R + 65) / 10.0) ** 2)
    x += np.where(np.abs(TIME - R) < 20, 0.5 + 0.5 * np.cos(np.pi * (TIME - R) / 20), 0.0)
    for at, height in humps:
        x += height * np.exp(-0.5 * ((TIME - at) / 16.0) ** 2)
    return np.linspace(0.5, 1.5, 12)[:, None] * x


def marked(p: float = 1.0, t: float = 1.0, **moved: float) -> LeadMarks:
    marks = np.tile([float(moved.get(name, MARKS_MS[name])) for name in MARKED], (12, 1))
    return LeadMarks(marks, np.full_like(marks, 5.0), np.ones_like(marks), np.full(12, p), np.full(12, t))


def waves(x: np.ndarray, marks: LeadMarks, **how):
    return find_waves(x, R, marks, EVERY, how.get("rr_after_ms", 900.0), 0.005, how.get("no_p"))


def test_bounds_by_velocity_are_those_of_the_complex_and_gain_moves_none():
    small, large = (qrs_bounds(spatial_velocity(gain * beat()), R) for gain in (0.2, 5.0))
    assert small == pytest.approx(large, abs=1e-6)
    assert small == pytest.approx((R - 20, R + 20), abs=3.0)


def test_noise_has_no_complex():
    noise = np.random.default_rng(0).normal(size=(12, 600))
    assert not stands_out(spatial_velocity(noise), R)
    assert stands_out(spatial_velocity(beat()), R)
    assert waves(noise, marked()).why == {"qrs": "The QRS complex does not rise above the noise."}


def test_one_lead_that_is_wrong_does_not_move_the_beat():
    marks = marked()
    marks.marks_ms[5] += 60.0
    whole, spoiled = waves(beat(), marked()), waves(beat(), marks)
    for name in ("p_on", "qrs_on", "qrs_off", "t_end"):
        assert getattr(spoiled, name) == pytest.approx(getattr(whole, name), abs=1.0)


def test_a_bound_by_velocity_far_from_the_marks_is_not_believed():
    far = waves(beat(), marked(qrs_on=-120.0))
    assert far.qrs_on == pytest.approx(R - 60.0, abs=0.1)


def test_the_peak_of_t_is_the_hump_at_the_marks_and_the_other_is_the_second():
    two = ((R + 120, 0.3), (R + 170, 0.28))
    first, second = (waves(beat(two), marked(t_peak=ms, t_end=440)) for ms in (240.0, 340.0))
    assert (first.t_peak, first.t_peak_2) == pytest.approx((R + 120, R + 170), abs=1.5)
    assert (second.t_peak, second.t_peak_2) == pytest.approx((R + 170, R + 120), abs=1.5)
    assert waves(beat(), marked()).t_peak_2 is None


def test_the_tangent_ends_two_sd_after_the_peak_of_a_gaussian():
    assert waves(beat(), marked()).t_end_tangent == pytest.approx(R + 120 + 2 * 16, abs=3.0)


@pytest.mark.parametrize(
    ("x", "marks", "how", "wave"),
    [
        (beat(p_mv=0.0), marked(), {}, "p"),
        (beat(), marked(p=0.1), {}, "p"),
        (beat(), marked(), {"no_p": "Fibrillation."}, "p"),
        (beat(((R + 120, 0.005),)), marked(), {}, "t"),
        (beat(), marked(t=0.1), {}, "t"),
        (beat(), marked(), {"rr_after_ms": 330.0}, "t"),
    ],
    ids=[
        "no P",
        "marker sees no P",
        "rhythm without P",
        "flat T",
        "marker sees no T",
        "T into the next beat",
    ],
)
def test_a_wave_that_is_not_there_has_a_reason(x, marks, how, wave):
    found = waves(x, marks, **how)
    names = ("p_on", "p_peak", "p_off") if wave == "p" else ("t_peak", "t_end", "t_end_tangent")
    assert [getattr(found, name) for name in names] == [None] * 3
    assert found.why[wave]
    assert set(found.why) == {wave}


@pytest.mark.parametrize(
    ("name", "ms", "lost"),
    [
        ("p_peak", -190.0, "p"),
        ("p_off", -140.0, "p"),
        ("qrs_off", -50.0, "qrs"),
        ("t_end", 230.0, "t"),
        ("t_peak", 30.0, "t"),
    ],
)
def test_marks_that_do_not_follow_each_other_take_their_wave_out(name, ms, lost):
    right = np.array([-180.0, -130, -80, -40, 0, 40, 240, np.nan, 320])
    np.testing.assert_array_equal(in_order(right), right)
    wrong = right.copy()
    wrong[FIDUCIALS.index(name)] = ms
    of_wave = {"p": slice(0, 3), "qrs": slice(3, 6), "t": slice(6, 9)}[lost]
    assert np.isnan(in_order(wrong)[of_wave]).all()
    assert np.isfinite(np.delete(in_order(wrong), [*range(9)[of_wave], 7])).all()


def test_p_ends_where_the_qrs_begins_at_the_latest():
    marks = np.array([-180.0, -130, -30, -40, 0, 40, 240, np.nan, 320])
    assert in_order(marks)[FIDUCIALS.index("p_off")] == -40.0
