"""Intervals of made ECGs with known boundaries, and what `measure` owes its callers."""

from dataclasses import replace

import numpy as np
import pytest

from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import Ecg

# Boundaries are read where an eye sees them, which is a little inside a cosine's foot, the more the wider it is.
TOLERANCE_MS = {"pr_ms": 8.0, "qrs_ms": 8.0, "qt_ms": 8.0}


@pytest.mark.parametrize("fs_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"hr_bpm": 48.0},
        {"hr_bpm": 125.0, "qt_ms": 300.0},
        {"pr_ms": 250.0},
        {"qrs_ms": 130.0},
        {"qt_ms": 500.0},
    ],
    ids=["usual", "slow", "fast", "long PR", "wide QRS", "long QT"],
)
def test_intervals_are_near_the_drawn_ones(heart, make_ecg, fs_hz, change):
    drawn = replace(heart(), fs_hz=fs_hz, **change)
    measured = measure(make_ecg(drawn)).intervals
    assert measured.hr_bpm == pytest.approx(drawn.hr_bpm, abs=0.3)
    for name, tolerance in TOLERANCE_MS.items():
        assert getattr(measured, name) == pytest.approx(getattr(drawn, name), abs=tolerance), name


@pytest.mark.parametrize(
    "name, by_ms, within_ms", [("pr_ms", 30.0, 2.0), ("qrs_ms", 20.0, 4.0), ("qt_ms", 45.0, 2.0)]
)
def test_a_change_is_measured_as_that_change(heart, make, name, by_ms, within_ms):
    """What the whole project stands on: post-dose minus pre-dose, in noise of its own each time."""
    changes = []
    for seed in range(6):
        before = heart(seed=seed, noise_mv=0.015)
        after = replace(before, seed=seed + 100, **{name: getattr(before, name) + by_ms})
        first, second = measure_batch(np.stack([make(before), make(after)]), 500.0)
        changes.append(getattr(second.intervals, name) - getattr(first.intervals, name))
    assert np.mean(changes) == pytest.approx(by_ms, abs=within_ms)
    assert np.std(changes) < 4.0


def test_amplitude_moves_no_boundary(heart, make):
    drawn = make(heart(noise_mv=0.002))
    small, large = measure_batch(np.stack([0.5 * drawn, 2.0 * drawn]), 500.0)
    for name in TOLERANCE_MS:
        assert getattr(small.intervals, name) == pytest.approx(getattr(large.intervals, name), abs=1.5)
    assert large.shape.t_amplitude_mv == pytest.approx(4 * small.shape.t_amplitude_mv, rel=0.05)


def test_the_batch_measures_as_one_by_one(heart, make):
    batch = np.stack([make(heart(seed=seed, hr_bpm=60.0 + 10 * seed)) for seed in range(3)])
    together = measure_batch(batch, 500.0)
    alone = [measure_batch(one[None], 500.0)[0] for one in batch]
    assert [m.intervals for m in together] == [m.intervals for m in alone]


def test_corrected_intervals_follow_their_formulas(heart, make_ecg):
    i = measure(make_ecg(heart(hr_bpm=80.0))).intervals
    rr_s = i.rr_ms / 1000
    assert i.qtcf_ms == pytest.approx(i.qt_ms / rr_s ** (1 / 3), abs=0.05)
    assert i.qtcb_ms == pytest.approx(i.qt_ms / rr_s**0.5, abs=0.05)
    assert i.jtpeakc_ms == pytest.approx(i.jtpeak_ms / rr_s**0.58, abs=0.05)
    assert i.qrs_ms + i.jtpeak_ms + i.tpeak_tend_ms == pytest.approx(i.qt_ms, abs=0.05)


def test_the_median_beat_has_its_waves_where_it_says(heart, make_ecg):
    beat = measure(make_ecg(heart(noise_mv=0.002))).median_beat
    order = [
        getattr(beat, f"{name}_ms") for name in ("p_on", "p_off", "qrs_on", "qrs_off", "t_peak", "t_end")
    ]
    assert order == sorted(order)
    size = np.sqrt((beat.samples_mv**2).mean(axis=0))
    assert abs(int(np.argmax(size)) - beat.r_index) <= 2
    t_peak = beat.r_index + round(beat.t_peak_ms * beat.fs_hz / 1000)
    assert size[t_peak] == pytest.approx(size[beat.r_index + 60 :].max(), rel=0.02)


def test_of_a_long_recording_the_clean_part_is_measured(heart, make_ecg):
    ecg = make_ecg(heart(duration_s=40.0))
    noisy = ecg.samples_mv.copy()
    noisy[:, :12_000] += 0.3 * np.random.default_rng(1).normal(size=(12, 12_000))
    measured = measure(replace(ecg, samples_mv=noisy))
    assert min(measured.r_peaks_s) >= 23.9
    assert measured.quality.verdict == "good"
    assert measured.intervals.qt_ms == pytest.approx(390.0, abs=13.0)


def test_two_leads_of_two_seconds_are_answered(heart, make_ecg):
    ecg = make_ecg(heart(duration_s=2.4))
    two = Ecg(ecg.samples_mv[[0, 6]], ecg.fs_hz, ("I", "V1"))
    measured = measure(two)
    assert measured.intervals.qrs_ms == pytest.approx(90.0, abs=10.0)
    assert measured.missing_leads == ("II", "III", "aVR", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
    assert measured.quality.verdict == "usable"
    assert any("2.4 s" in reason for reason in measured.quality.reasons)


def test_one_beat_has_a_qrs_and_no_rate(heart, make_ecg):
    ecg = make_ecg(heart(duration_s=1.1, beats_ms=(400.0,)))
    measured = measure(ecg)
    assert measured.intervals.qrs_ms == pytest.approx(90.0, abs=8.0)
    assert measured.intervals.qt_ms == pytest.approx(390.0, abs=14.0)
    assert measured.intervals.hr_bpm is None and measured.intervals.qtcf_ms is None
    assert (
        measured.not_measurable["hr_bpm"] == measured.not_measurable["qtcf_ms"] == "A rate needs two beats."
    )


def test_amplitudes_of_an_impossible_scale_are_not_given(heart, make_ecg):
    measured = measure(replace(make_ecg(heart()), amplitudes_trusted=False, warnings=("The gain is odd.",)))
    assert measured.shape.t_amplitude_mv is None
    assert "not trusted" in measured.not_measurable["t_amplitude_mv"]
    assert measured.quality.verdict == "usable"
    assert "not trusted" in measured.quality.reasons[0]
    assert measured.warnings == ("The gain is odd.",)
    assert measured.intervals.qt_ms is not None


@pytest.mark.parametrize("slope", [0, 1, 2], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("seed", range(4))
def test_pure_noise_is_unusable_and_has_neither_rate_nor_rhythm(slope, seed) -> None:
    """Peaks of noise come at random, as the beats of atrial fibrillation do."""
    frequency = np.maximum(np.fft.rfftfreq(5000, 1 / 500.0), 0.1)
    white = np.fft.rfft(np.random.default_rng(seed).normal(size=(1, 12, 5000)))
    noise = np.fft.irfft(white * frequency ** (-slope / 2), 5000)
    (measured,) = measure_batch(0.2 * noise / noise.std(), 500.0)
    assert measured.quality.verdict == "unusable"
    assert measured.rhythm.label == "unknown"
    assert measured.intervals.hr_bpm is None and "hr_bpm" in measured.not_measurable
    assert measured.findings == ()
