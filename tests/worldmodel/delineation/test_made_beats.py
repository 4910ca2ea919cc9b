"""Made beats have their waves where they say: the truth that the marker learns from."""

import numpy as np
import pytest

from worldmodel.delineation.made_beats import GAUSSIAN_END_SD, bump, make_beat
from worldmodel.ecg import LEADS
from worldmodel.measurement import FIDUCIALS

TIMES_MS = np.arange(-400.0, 800.0, 1.0)


def test_a_raised_cosine_is_zero_outside_its_ends_and_one_at_its_peak():
    wave = bump(TIMES_MS, -50.0, 10.0, 90.0, gaussian=False)
    assert wave[(TIMES_MS <= -50) | (TIMES_MS >= 90)].max() == 0.0
    assert TIMES_MS[np.argmax(wave)] == 10.0 and wave.max() == pytest.approx(1.0)


def test_a_gaussian_has_its_ends_where_readers_put_them():
    wave = bump(TIMES_MS, -110.0, 10.0, 58.0, gaussian=True)
    for end in (-110.0, 58.0):
        assert wave[end == TIMES_MS] == pytest.approx(np.exp(-0.5 * GAUSSIAN_END_SD**2), abs=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_marks_are_in_order_and_lie_on_the_waves(seed):
    made = make_beat(TIMES_MS, np.random.default_rng(seed))
    order = [
        FIDUCIALS.index(n)
        for n in ("p_on", "p_peak", "p_off", "qrs_on", "r_peak", "qrs_off", "t_peak", "t_end")
    ]
    assert made.samples_mv.shape == (len(LEADS), TIMES_MS.size)
    for marks in made.marks_ms[:, order]:
        known = marks[np.isfinite(marks)]
        assert (np.diff(known) > 0).all()
    qrs_on, qrs_off = made.marks_ms[0, [FIDUCIALS.index("qrs_on"), FIDUCIALS.index("qrs_off")]]
    speed = np.sqrt((np.gradient(made.samples_mv, axis=1) ** 2).mean(axis=0))
    inside = (qrs_on - 5 <= TIMES_MS) & (qrs_off + 5 >= TIMES_MS)
    near = np.abs(TIMES_MS) < 200
    assert TIMES_MS[near][np.argmax(speed[near])] in TIMES_MS[inside]


def test_the_same_seed_makes_the_same_beat():
    one, other = (make_beat(TIMES_MS, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.samples_mv, other.samples_mv)
    np.testing.assert_array_equal(one.marks_ms, other.marks_ms)
