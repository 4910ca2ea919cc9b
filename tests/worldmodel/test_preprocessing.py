"""The one pre-processing: rates, lengths, missing leads and wander."""

from dataclasses import replace

import numpy as np
import pytest

from worldmodel.delineation.filters import resample
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg
from worldmodel.errors import NotSimulatableError
from worldmodel.preprocessing import FS_HZ, SAMPLES, fill_leads, remove_wander, to_model
from worldmodel.virtual import demo_ecg

OF_ITS_OWN = (
    0.75  # correlation: a third of each wave of the made patient is its lead's own, which no other lead knows
)


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


def test_a_complete_recording_is_filtered_and_nothing_else() -> None:
    """What the weights were trained on: VERSION has to rise if this changes."""
    ecg = demo_ecg()
    eight = ecg.samples_mv[[LEADS.index(name) for name in INDEPENDENT_LEADS]]
    assert np.allclose(to_model(ecg).numpy(), remove_wander(eight, FS_HZ), atol=1e-6)


@pytest.mark.parametrize("nothing", [0.0, 0.3, np.nan])
def test_a_lead_that_was_not_connected_is_estimated(nothing: float) -> None:
    ecg = demo_ecg()
    samples = ecg.samples_mv.copy()
    samples[LEADS.index("V4")] = nothing
    made = to_model(replace(ecg, samples_mv=samples))[INDEPENDENT_LEADS.index("V4")].numpy()
    true = to_model(ecg)[INDEPENDENT_LEADS.index("V4")].numpy()
    assert np.corrcoef(made, true)[0, 1] > OF_ITS_OWN


def test_a_short_gap_is_bridged_and_the_lead_kept() -> None:
    ecg = demo_ecg()
    samples = ecg.samples_mv.copy()
    samples[LEADS.index("V4"), 500:600] = np.nan
    made = to_model(replace(ecg, samples_mv=samples))
    assert (made - to_model(ecg))[:, 1000:].abs().max() < 0.02


def test_one_lead_is_enough_and_none_is_not() -> None:
    ecg = demo_ecg()
    assert to_model(Ecg(ecg.samples_mv[:1], ecg.fs_hz, ("I",))).isfinite().all()
    with pytest.raises(NotSimulatableError, match="No lead"):
        to_model(Ecg(np.zeros((2, 2500)), FS_HZ, ("I", "V1")))


def test_the_median_beat_is_filled_by_the_same_model() -> None:
    ecg = demo_ecg()
    eight = ecg.samples_mv[[LEADS.index(name) for name in INDEPENDENT_LEADS]]
    gone = np.where((np.arange(8) == 5)[:, None], np.nan, eight)
    filled = fill_leads(gone, FS_HZ)
    assert np.array_equal(np.delete(filled, 5, axis=0), np.delete(eight, 5, axis=0))
    assert np.corrcoef(filled[5], eight[5])[0, 1] > OF_ITS_OWN
