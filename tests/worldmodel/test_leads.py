"""Leads that are not there are estimated from those that are, and how well is told truly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.worldmodel.virtual_patients import transitions
from worldmodel.delineation.measure import measure
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, TWELVE_FROM_EIGHT, Ecg
from worldmodel.errors import NotSimulatableError, WorldModelError
from worldmodel.leads import DELAYS_MS, delay, eight_leads, estimated_leads, shipped_leads
from worldmodel.leads_fitting import fit_leads, lead_moments
from worldmodel.preprocessing import FS_HZ
from worldmodel.virtual import demo_ecg


def twelve(seed: int = 3) -> NDArray[np.float64]:
    return np.asarray(TWELVE_FROM_EIGHT @ transitions(1, seed).before[0].double().numpy())


def without(samples_mv: NDArray[np.float64], *gone: str) -> NDArray[np.float64]:
    left = samples_mv.copy()
    left[[LEADS.index(name) for name in gone]] = np.nan
    return left


def test_leads_that_are_there_stay_as_they_are() -> None:
    samples = twelve()
    rows = [LEADS.index(name) for name in INDEPENDENT_LEADS]
    assert np.array_equal(eight_leads(samples, FS_HZ), samples[rows])
    filled = eight_leads(without(samples, "V3"), FS_HZ)
    kept = [0, 1, 2, 3, 5, 6, 7]
    assert np.array_equal(filled[kept], samples[rows][kept])


@pytest.mark.parametrize("pair", [("III", "aVF"), ("aVR", "aVL"), ("I", "aVF")])
def test_two_limb_leads_give_all_six_exactly(pair: tuple[str, str]) -> None:
    samples = twelve()
    gone = [name for name in LEADS[:6] if name not in pair]
    assert np.allclose(eight_leads(without(samples, *gone), FS_HZ)[:2], samples[:2])


@pytest.mark.parametrize("lead", LEADS[6:])
def test_one_chest_lead_is_estimated_well(lead: str) -> None:
    """Virtual patients, of which the model has seen none."""
    row = INDEPENDENT_LEADS.index(lead)
    r = []
    for seed in range(5):
        samples = twelve(seed)
        r.append(
            np.corrcoef(eight_leads(without(samples, lead), FS_HZ)[row], samples[LEADS.index(lead)])[0, 1]
        )
    assert np.median(r) > 0.85


def test_any_single_lead_gives_twelve() -> None:
    samples = twelve()
    for lead in LEADS:
        eight = eight_leads(without(samples, *(name for name in LEADS if name != lead)), FS_HZ)
        assert eight.shape == (8, samples.shape[1])
        back = (TWELVE_FROM_EIGHT @ eight)[LEADS.index(lead)]
        assert np.corrcoef(back, samples[LEADS.index(lead)])[0, 1] > 0.97, lead


def test_no_lead_is_refused() -> None:
    with pytest.raises(NotSimulatableError, match="No lead"):
        eight_leads(np.full((12, 50), np.nan), FS_HZ)


def test_a_recording_and_its_median_beat_are_filled_alike() -> None:
    """The estimate is one linear filter at any rate, so filling and averaging beats can be done in either order."""
    samples = without(twelve(), "V2", "V3")
    twice = np.repeat(samples, 2, axis=1)
    assert np.allclose(eight_leads(twice, 2 * FS_HZ)[:, ::2], eight_leads(samples, FS_HZ), atol=1e-9)


def test_delays_hold_the_last_value_beyond_the_ends() -> None:
    ramp = np.arange(100.0)[None]
    delayed = delay(ramp, FS_HZ)
    assert delayed.shape == (len(DELAYS_MS), 100)
    steps = [round(ms * FS_HZ / 1000) for ms in DELAYS_MS]
    assert delayed[:, 50].tolist() == [50 + step for step in steps]
    assert delayed.min() == 0 and delayed.max() == 99


def test_more_leads_promise_a_better_estimate() -> None:
    told = shipped_leads().expected_r
    v3 = [told(gone)["V3"] for gone in (("V3",), ("V3", "V4"), LEADS[6:], LEADS[1:], LEADS)]
    assert v3 == sorted(v3, reverse=True)
    assert v3[0] > 0.9 and v3[-1] == 0.0


def test_leads_are_estimated_where_missing_or_flat_but_not_where_derivable() -> None:
    ecg = demo_ecg()
    flat = ecg.samples_mv.copy()
    flat[LEADS.index("V4")] = 0.0
    assert estimated_leads(measure(replace(ecg, samples_mv=flat))) == ("V4",)
    assert estimated_leads(measure(replace(ecg, samples_mv=without(ecg.samples_mv, "III", "V1")))) == ("V1",)
    one = measure(Ecg(ecg.samples_mv[:1], ecg.fs_hz, ("I",)))
    assert estimated_leads(one) == LEADS[1:]


def test_moments_are_learned_from_whole_recordings_only(tmp_path: Path) -> None:
    ecg = demo_ecg()
    moments = lead_moments(ecg)
    assert moments is not None and np.allclose(moments, moments.T)
    eight = [LEADS.index(name) for name in INDEPENDENT_LEADS]
    assert np.diag(moments)[eight].mean() == pytest.approx(1.0)
    assert lead_moments(replace(ecg, samples_mv=without(ecg.samples_mv, "V1"))) is None
    with pytest.raises(WorldModelError, match="1 recordings"):
        fit_leads([ecg], tmp_path)
