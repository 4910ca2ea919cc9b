"""The one pre-processing: rates, lengths, missing leads and wander."""

import numpy as np
import pytest

from worldmodel.delineation.filters import resample
from worldmodel.ecg import LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.preprocessing import DOWER, FS_HZ, SAMPLES, fill_leads, to_model
from worldmodel.virtual import demo_ecg


def test_any_rate_gives_the_same_signal() -> None:
    ecg = demo_ecg()
    at_500 = Ecg(resample(ecg.samples_mv, ecg.fs_hz, 500.0), 500.0, ecg.leads)
    difference = to_model(at_500) - to_model(ecg)
    assert difference[:, 100:-100].abs().max() < 0.03


def test_shape_whatever_the_length() -> None:
    ecg = demo_ecg()
    for seconds in (2.0, 9.5, 10.0):
        assert to_model(ecg.window(0.0, seconds)).shape == (8, SAMPLES)
        assert to_model(ecg.window(0.0, seconds)).isfinite().all()


def test_wander_goes_and_the_baseline_is_zero() -> None:
    ecg = demo_ecg()
    times = np.arange(ecg.samples_mv.shape[1]) / FS_HZ
    wandering = Ecg(ecg.samples_mv + 0.5 + 0.8 * np.sin(2 * np.pi * 0.1 * times), FS_HZ, LEADS)
    assert (to_model(wandering) - to_model(ecg))[:, 250:-250].abs().max() < 0.08
    assert to_model(wandering).median(dim=1).values.abs().max() < 0.01


def test_a_missing_chest_lead_is_what_the_dipole_projects() -> None:
    dipole = np.random.default_rng(0).standard_normal((3, 50))
    eight = DOWER @ dipole
    without = eight.copy()
    without[4] = np.nan
    assert np.allclose(fill_leads(without)[4], eight[4], atol=0.05)
    assert np.array_equal(fill_leads(without)[[0, 1, 2, 3, 5, 6, 7]], eight[[0, 1, 2, 3, 5, 6, 7]])


def test_one_lead_is_not_twelve() -> None:
    eight = np.full((8, 50), np.nan)
    eight[0] = 1.0
    with pytest.raises(NotSimulatableError, match="Fewer than two"):
        fill_leads(eight)
