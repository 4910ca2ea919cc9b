"""Each artefact is told of in the lead that has it, and a clean recording is called clean."""

from dataclasses import replace

import numpy as np
import pytest

from worldmodel.delineation.measure import measure
from worldmodel.delineation.noise import jumps_mv, measure_noise
from worldmodel.ecg import LEADS

ROW = LEADS.index("V3")
TIME_S = np.arange(5000) / 500.0
NOISE = np.random.default_rng(4).normal(size=5000)


def spoil(ecg, change):
    samples = ecg.samples_mv.copy()
    samples[ROW] = change(samples[ROW])
    return replace(ecg, samples_mv=samples)


def test_a_clean_recording_has_no_faults(heart, make_ecg):
    quality = measure(make_ecg(heart())).quality
    assert (quality.verdict, quality.reasons, quality.leads) == ("good", (), {})


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda x: x + 0.08 * np.sin(2 * np.pi * 50.0 * TIME_S), "mains hum of 50 Hz"),
        (lambda x: x + 0.08 * np.sin(2 * np.pi * 59.9 * TIME_S), "mains hum of 60 Hz"),
        (lambda x: x + 0.08 * NOISE, "muscle noise"),
        (lambda x: x + 1.2 * np.sin(2 * np.pi * 0.3 * TIME_S), "baseline wander"),
        (lambda x: x + 0.9 * (TIME_S > 4.6), "jump"),
        (lambda x: np.clip(x, -0.5, 0.5), "cut off"),
        (lambda x: 0.03 * x, "under 0.1 mV"),
        (lambda x: np.where(abs(TIME_S - 4) < 0.2, np.nan, x), "short gaps"),
        (lambda x: 0 * x, "flat"),
        (lambda x: np.nan * x, "missing"),
        (lambda x: np.clip(4 * x, -0.3, 0.3), "saturated"),
        (lambda x: 1000 * x, "beyond 50 mV"),
    ],
)
def test_each_fault_is_named_in_its_lead_only(heart, make_ecg, change, word):
    quality = measure(spoil(make_ecg(heart()), change)).quality
    assert list(quality.leads) == ["V3"]
    assert word in " ".join(quality.leads["V3"])
    assert any(reason.startswith("V3: ") and word in reason for reason in quality.reasons)
    assert quality.verdict == "usable"


def test_leads_that_share_a_fault_share_a_sentence(heart, make_ecg):
    ecg = make_ecg(heart())
    samples = ecg.samples_mv.copy()
    samples[[6, 9]] = 0.0
    assert measure(replace(ecg, samples_mv=samples)).quality.reasons == ("V1, V4: flat.",)


def test_hum_is_measured_in_millivolts_and_not_taken_for_muscle():
    hum = 0.1 * np.sin(2 * np.pi * 50.1 * TIME_S)[None, None]
    noise = measure_noise(hum, np.zeros_like(hum))
    assert noise.mains_mv[0, 0] == pytest.approx(0.1, rel=0.1)
    assert noise.mains_hz[0, 0] == 50.0
    assert noise.muscle_mv[0, 0] == 0.0


def test_muscle_noise_is_measured_as_its_rms():
    white = 0.05 * np.random.default_rng(1).normal(size=(1, 2, 5000))
    assert measure_noise(white, white).muscle_mv == pytest.approx(0.05, rel=0.15)


def test_a_premature_beat_and_a_steep_t_wave_are_no_jumps(heart, make):
    x = make(heart(hr_bpm=60.0, wander_mv=0.0, noise_mv=0.0))
    x[:, 2120:2220] += 1.2 * np.hanning(100) - 0.5 * np.roll(np.hanning(100), 60)
    assert jumps_mv(x, np.r_[np.arange(420.0, 5000.0, 500.0), 2165.0]).max() < 0.3


def test_nothing_is_measured_of_nothing():
    empty = np.zeros((1, 12, 2))
    noise = measure_noise(empty, empty)
    assert not noise.muscle_mv.any() and not noise.mains_mv.any() and not noise.wander_mv.any()
    assert not jumps_mv(empty[0], np.zeros(0)).any()
