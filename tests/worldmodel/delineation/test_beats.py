"""Kinds of beats and the waves of single beats."""

import numpy as np
import pytest

from worldmodel.delineation.beats import build_beats, complete, wave_shifts
from worldmodel.ecg import LEADS

EVERY = np.ones(len(LEADS), dtype=bool)


def strip(r: list[int], late: dict[int, int], odd: tuple[int, ...] = ()) -> np.ndarray:
    """(12, 6000) at 500 Hz: QRS at r, T 150 samples later, that of beats in `late` later still; `odd` are wide."""
    time = np.arange(6000)
    x = np.zeros(6000)
    for number, at in enumerate(r):
        width = 18.0 if number in odd else 5.0
        x += (-1 if number in odd else 1) * np.exp(-0.5 * ((time - at) / width) ** 2)
        x += 0.3 * np.exp(-0.5 * ((time - at - 150 - late.get(number, 0)) / 20.0) ** 2)
    return np.linspace(0.5, 1.5, 12)[:, None] * x


def test_beats_of_one_shape_are_of_one_kind_and_others_apart():
    r = [600, 1100, 1600, 2100, 2420, 3100, 3600, 3900, 4600, 5100]
    beats = build_beats(strip(r, {}, odd=(4, 7)), np.array(r), EVERY)
    assert beats.kind.tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0, 0]
    np.testing.assert_allclose(beats.r[beats.dominant], np.array(r)[beats.dominant], atol=0.2)


def test_an_early_beat_of_the_usual_shape_is_a_kind_of_its_own():
    r = [600, 1100, 1600, 2100, 2400, 3100, 3600, 4100, 4600, 5100]
    beats = build_beats(strip(r, {}), np.array(r), EVERY)
    assert beats.kind[4] == 1 and (np.delete(beats.kind, 4) == 0).all()


@pytest.mark.parametrize("by", [-9, 4, 12])
def test_a_late_wave_is_found_late(by):
    r = [600, 1100, 1600, 2100, 2600, 3100, 3600]
    beats = build_beats(strip(r, {3: by}), np.array(r), EVERY)
    shifts = wave_shifts(beats, EVERY, beats.r_index + 90, beats.r_index + 210)
    assert shifts[3] == pytest.approx(by, abs=1.0)
    assert np.abs(np.delete(shifts, 3)).max() < 1.0


def test_a_wave_that_is_not_there_has_no_shift():
    r = [600, 1100, 1600, 2100, 2600, 3100, 3600]
    x = strip(r, {})
    x[:, 2150:2400] = 0.001 * np.random.default_rng(0).normal(size=(12, 250))
    beats = build_beats(x, np.array(r), EVERY)
    assert wave_shifts(beats, EVERY, beats.r_index + 90, beats.r_index + 210)[3] == 0.0


def test_a_cut_beat_is_held_constant_where_whole_ones_are_too_few():
    windows = np.arange(2 * 12 * 5, dtype=float).reshape(2, 12, 5)
    windows[0, :, :2] = np.nan
    filled = complete(windows)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[0, :, 0], filled[0, :, 2])
