"""Form of T, and variability, of beats whose form is known."""

import numpy as np
import pytest

from worldmodel.delineation.shape import shape_of, variability_of
from worldmodel.measurement import FIDUCIALS, MedianBeat

TIMES_MS = np.arange(-400.0, 800.0, 2.0)


def beat_with_t(t_wave: np.ndarray, peak_ms: float, end_ms: float) -> MedianBeat:
    weights = np.linspace(0.2, 1.0, 12)[:, None]
    return MedianBeat(
        weights * t_wave, 500.0, 200, qrs_on_ms=-40.0, qrs_off_ms=50.0, t_peak_ms=peak_ms, t_end_ms=end_ms
    )


def test_a_gaussian_t_is_flat_by_a_third_and_symmetric():
    shape = shape_of(beat_with_t(np.exp(-0.5 * ((TIMES_MS - 250) / 35) ** 2), 250.0, 390.0))
    assert shape.t_flatness == pytest.approx(1 / 3, abs=0.03)
    assert shape.t_asymmetry == pytest.approx(0.0, abs=0.02)
    assert shape.t_amplitude_mv == pytest.approx(1.0, abs=0.01)


def test_a_plateau_is_flatter_than_a_triangle_and_that_than_a_gaussian():
    triangle = np.clip(1 - np.abs(TIMES_MS - 250) / 90, 0, None)
    plateau = ((TIMES_MS > 170) & (TIMES_MS < 330)).astype(float)
    flat = [shape_of(beat_with_t(wave, 250.0, 350.0)).t_flatness for wave in (triangle, plateau)]
    assert flat[0] == pytest.approx(5 / 12, abs=0.03)
    assert flat[1] == pytest.approx(5 / 9, abs=0.05)


def test_a_steep_fall_is_asymmetric():
    width = np.where(TIMES_MS < 280, 60.0, 20.0)
    shape = shape_of(beat_with_t(np.exp(-0.5 * ((TIMES_MS - 280) / width) ** 2), 280.0, 350.0))
    assert shape.t_asymmetry > 0.15


def test_without_a_t_there_is_no_form():
    shape = shape_of(MedianBeat(np.zeros((12, 600)), 500.0, 200, qrs_on_ms=-40.0, qrs_off_ms=40.0))
    assert (shape.t_amplitude_mv, shape.t_flatness, shape.t_asymmetry, shape.t_axis_deg) == (None,) * 4


def test_variability_counts_usual_neighbours_only():
    r_s = np.array([0.0, 1.0, 2.02, 3.0, 3.4, 5.0, 6.0])
    usual = np.array([True, True, True, True, False, True, True])
    marks = np.full((7, 12, len(FIDUCIALS)), np.nan)
    marks[..., FIDUCIALS.index("qrs_on")] = r_s[:, None]
    marks[..., FIDUCIALS.index("t_end")] = (r_s + np.array([0.40, 0.41, 0.40, 0.39, 0.8, 0.40, 0.40]))[
        :, None
    ]
    seen = variability_of(r_s, usual, marks)
    rr = np.array([1000.0, 1020.0, 980.0, 1000.0])
    assert seen.rr_sd_ms == pytest.approx(rr.std(ddof=1), abs=0.01)
    assert seen.rmssd_ms == pytest.approx(np.sqrt((20.0**2 + 40.0**2) / 2), abs=0.01)
    assert seen.qt_sd_ms == pytest.approx(np.array([400, 410, 400, 390, 400, 400.0]).std(ddof=1), abs=0.01)
    assert variability_of(r_s[:1], usual[:1], marks[:1]).rr_sd_ms is None
