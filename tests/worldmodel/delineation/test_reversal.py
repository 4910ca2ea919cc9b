"""Swapped limb electrodes are suspected, and what only looks a little like it is not."""

from dataclasses import replace

import numpy as np
import pytest

from worldmodel.delineation.axes import axes_deg, frontal_axis_deg
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS, LIMB_FROM_I_II


def limb(ecg, lead_i, lead_ii):
    """The recording with other leads I and II, and what follows from them."""
    samples = ecg.samples_mv.copy()
    for name, weights in LIMB_FROM_I_II.items():
        samples[LEADS.index(name)] = np.array(weights) @ np.stack([lead_i, lead_ii])
    return replace(ecg, samples_mv=samples)


@pytest.fixture
def swapped(heart, make_ecg):
    def swap(pair):
        ecg = make_ecg(heart())
        lead_i, lead_ii, lead_iii = (ecg.lead(name) for name in ("I", "II", "III"))
        leads = {
            "none": (lead_i, lead_ii),
            "arms": (-lead_i, lead_iii),
            "right arm and left leg": (-lead_iii, -lead_ii),
            "right arm and right leg": (-lead_iii, 0.02 * lead_ii),
            "left arm and left leg": (lead_ii, lead_i),
        }
        return limb(ecg, *leads[pair])

    return swap


@pytest.mark.parametrize(
    "pair, words",
    [
        ("arms", "arm electrodes are swapped"),
        ("right arm and left leg", "right arm and left leg are swapped"),
        ("right arm and right leg", "right arm and right leg are swapped"),
    ],
)
def test_a_swap_is_told_as_possible(swapped, pair, words):
    quality = measure(swapped(pair)).quality
    assert quality.verdict == "usable"
    (reason,) = (reason for reason in quality.reasons if "swapped" in reason)
    assert words in reason and "possibly" in reason


@pytest.mark.parametrize("pair", ["none", "left arm and left leg"])
def test_no_swap_is_told_where_none_can_be_seen(swapped, pair):
    assert not any("swapped" in reason for reason in measure(swapped(pair)).quality.reasons)


@pytest.mark.parametrize("gone", [(), ("V6",)])
def test_all_leads_turned_over_are_told(heart, make_ecg, gone):
    """The wires or the file have it upside down: every wave, in limbs and chest alike."""
    ecg = make_ecg(heart())
    samples = -ecg.samples_mv
    samples[[LEADS.index(name) for name in gone]] = np.nan
    quality = measure(replace(ecg, samples_mv=samples)).quality
    assert quality.verdict == "usable"
    assert any("possibly the polarity of all leads is reversed" in reason for reason in quality.reasons)


@pytest.mark.parametrize("upright", ["p", "qrs and t", "t", "chest"])
def test_what_is_only_partly_turned_over_is_not(heart, make_ecg, upright):
    """A low atrial focus, an inverted T, and swaps of limb electrodes leave something upright."""
    ecg = make_ecg(heart(noise_mv=0.002))
    p = make_ecg(heart(noise_mv=0.002)).samples_mv - make_ecg(heart(p=False, noise_mv=0.002)).samples_mv
    time_ms = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz * 1000
    samples = -ecg.samples_mv
    if upright == "p":
        samples += 2 * p
    elif upright == "qrs and t":
        samples = ecg.samples_mv - 2 * p
    elif upright == "t":
        r_s = measure(ecg).r_peaks_s
        after_r = np.min([np.where(time_ms >= 1000 * r, time_ms - 1000 * r, np.inf) for r in r_s], axis=0)
        samples = np.where((after_r > 100) & (after_r < 420), -samples, samples)
    else:
        samples[6:] *= -1
    reasons = measure(replace(ecg, samples_mv=samples)).quality.reasons
    assert not any("reversed" in reason for reason in reasons)


def test_a_right_axis_alone_is_no_swap(heart, make_ecg):
    """QRS inverted in I with an upright P, as in right ventricular hypertrophy."""
    ecg = make_ecg(heart())
    p_only = make_ecg(heart(seed=0)).samples_mv - make_ecg(heart(seed=0, p=False)).samples_mv
    lead_i = -ecg.lead("I") + 2 * p_only[0]
    assert not any(
        "swapped" in reason for reason in measure(limb(ecg, lead_i, ecg.lead("II"))).quality.reasons
    )


def test_without_p_waves_nothing_is_said(heart, make_ecg):
    ecg = make_ecg(heart(p=False, hr_bpm=50.0))
    turned = limb(ecg, -ecg.lead("I"), ecg.lead("III"))
    assert not any("swapped" in reason for reason in measure(turned).quality.reasons)


@pytest.mark.parametrize("degrees", [-120.0, -30.0, 0.0, 60.0, 150.0])
def test_the_axis_is_where_the_dipole_points(degrees):
    wave = np.zeros((12, 40))
    angle = np.radians(degrees)
    wave[LEADS.index("I")] = np.cos(angle)
    wave[LEADS.index("aVF")] = np.sin(angle) * np.sqrt(3) / 2
    assert frontal_axis_deg(wave) == pytest.approx(degrees)


def test_an_axis_needs_both_leads_and_something_left():
    wave = np.zeros((12, 40))
    assert frontal_axis_deg(wave) is None
    wave[LEADS.index("I")] = np.nan
    assert frontal_axis_deg(wave) is None


def test_axes_of_a_made_beat_follow_its_heights(heart, make_ecg):
    """P 0.06 and 0.12 mV, T 0.2 and 0.3 mV in I and II: aVF is II - I/2."""
    p, qrs, t = axes_deg(measure(make_ecg(heart(noise_mv=0.002))).median_beat)
    assert p == pytest.approx(np.degrees(np.arctan2(0.09 * 2 / np.sqrt(3), 0.06)), abs=5)
    assert t == pytest.approx(np.degrees(np.arctan2(0.2 * 2 / np.sqrt(3), 0.2)), abs=5)
    assert 30 < qrs < 75
