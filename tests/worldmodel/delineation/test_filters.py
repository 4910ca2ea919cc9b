"""Resampling and filtering that neither shift nor invent."""

import numpy as np
import pytest

from worldmodel.delineation.filters import (
    FS_HZ,
    block_means,
    fill_gaps,
    filter_bands,
    remove_mains,
    resample,
)


@pytest.mark.parametrize("fs_hz", [100.0, 102.4, 250.0, 257.0, 360.0, 1000.0])
def test_resampling_keeps_every_moment(fs_hz):
    time = np.arange(int(10 * fs_hz)) / fs_hz
    resampled = resample(np.exp(-0.5 * ((time - 4.0) / 0.05) ** 2), fs_hz)
    assert np.argmax(resampled) / FS_HZ == pytest.approx(4.0, abs=0.003)
    assert resampled.max() == pytest.approx(1.0, abs=0.01)


def test_bands_pass_and_stop_without_phase_shift():
    time = np.arange(5000) / FS_HZ
    slow, fast = np.sin(2 * np.pi * 0.3 * time), np.sin(2 * np.pi * 12 * time)
    (band,) = filter_bands((slow + fast)[None], ((3.5, 40.0),))
    inside = slice(1000, 4000)
    assert np.corrcoef(band[0, inside], fast[inside])[0, 1] > 0.999
    assert np.std(band[0, inside] - fast[inside]) < 0.03


def test_gaps_are_bridged_straight_and_the_rest_untouched():
    row = np.array([np.nan, 1.0, np.nan, np.inf, 4.0, np.nan])
    filled = fill_gaps(np.stack([row, np.full(6, np.nan)]))
    np.testing.assert_allclose(filled[0], [1.0, 1.0, 2.0, 3.0, 4.0, 4.0])
    np.testing.assert_array_equal(filled[1], np.zeros(6))


@pytest.mark.parametrize("line_hz", [50.0, 59.95])
def test_mains_go_and_the_beats_stay(line_hz):
    time = np.arange(5000) / FS_HZ
    beats = sum(np.exp(-0.5 * ((time - r) / 0.01) ** 2) for r in np.arange(0.4, 10, 0.83))
    cleaned = remove_mains((beats + 0.2 * np.sin(2 * np.pi * line_hz * time))[None])[0]
    assert np.abs(cleaned - beats)[250:-250].max() < 0.03


def test_a_signal_without_mains_is_returned_untouched():
    noise = np.random.default_rng(0).normal(size=(3, 5000))
    np.testing.assert_array_equal(remove_mains(noise), noise)


def test_means_of_blocks_keep_the_mean_and_end_with_what_is_left():
    samples = np.arange(10.0)
    np.testing.assert_allclose(block_means(samples, 4), [1.5, 5.5, 8.75])
    assert block_means(np.zeros((0, 12, 5000)), 4).shape == (0, 12, 1250)
