"""Einthoven's law as a witness of the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT, Ecg
from worldmodel.readers.scale import check_scale, einthoven_residual

LIMB = LEADS[:6]


def limb_mv(seed: int = 0) -> np.ndarray:
    return TWELVE_FROM_EIGHT[:6] @ np.random.default_rng(seed).normal(size=(8, 400))


@given(offset=st.floats(-5, 5), factor=st.floats(0.1, 1000), seed=st.integers(0, 1000))
def test_a_common_scale_and_offsets_leave_the_law_whole(offset, factor, seed):
    samples = factor * limb_mv(seed) + offset * np.arange(6)[:, None]
    assert einthoven_residual(samples, LIMB) == pytest.approx(0.0, abs=1e-9)


@given(factor=st.one_of(st.floats(0.1, 0.7), st.floats(1.25, 10.0)), row=st.integers(0, 5))
def test_a_scale_of_its_own_breaks_it(factor, row):
    samples = limb_mv()
    samples[row] *= factor
    assert einthoven_residual(samples, LIMB) > 0.05


def test_two_limb_leads_prove_nothing():
    assert einthoven_residual(limb_mv()[:2], ("I", "II")) is None


def test_flat_limb_leads_do_not_count_as_broken():
    samples = limb_mv()
    samples[2] = 0.0
    assert einthoven_residual(samples, LIMB) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("factor, unit", [(1e3, "microvolts"), (1e-3, "volts")])
def test_an_impossible_height_is_reported_with_the_likely_unit_and_left_as_it_is(factor, unit):
    samples = TWELVE_FROM_EIGHT @ (0.3 * np.random.default_rng(0).normal(size=(8, 400))) * factor
    checked = check_scale(Ecg(samples, 500.0, LEADS))
    assert unit in checked.warnings[0]
    assert not checked.amplitudes_trusted
    np.testing.assert_array_equal(checked.samples_mv, samples)


def test_a_sound_recording_is_returned_as_it_is():
    ecg = Ecg(TWELVE_FROM_EIGHT @ (0.3 * np.random.default_rng(0).normal(size=(8, 400))), 500.0, LEADS)
    assert check_scale(ecg) is ecg


def test_a_flat_or_empty_recording_is_no_doubt_of_scale():
    for value in (0.0, np.nan):
        ecg = Ecg(np.full((12, 100), value), 500.0, LEADS)
        assert check_scale(ecg) is ecg
