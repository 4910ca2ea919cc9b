"""Rhythm labels on made ECGs, and that no PR is given where there can be none."""

import numpy as np
import pytest

from worldmodel.delineation.atrial import AtrialCycle
from worldmodel.delineation.measure import measure
from worldmodel.delineation.rhythm import Evidence, classify, usual_rr_ms
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, TWELVE_FROM_EIGHT, Ecg


def irregular(seed: int = 5) -> tuple[float, ...]:
    rng = np.random.default_rng(seed)
    return tuple(np.cumsum(np.r_[250.0, rng.uniform(430, 1050, 16)]))


def with_atrial_waves(ecg: Ecg, wave: np.ndarray) -> Ecg:
    samples = ecg.samples_mv.copy()
    for name, share in (("II", 1.0), ("III", 0.9), ("aVF", 0.95), ("V1", 0.8)):
        samples[LEADS.index(name)] += share * wave
    return Ecg(samples, ecg.fs_hz, LEADS)


def test_a_steady_p_wave_is_sinus_rhythm(heart, make_ecg):
    rhythm = measure(make_ecg(heart())).rhythm
    assert rhythm.label == "sinus"
    assert rhythm.confidence > 0.8


def test_irregular_beats_without_p_are_fibrillation(heart, make_ecg):
    ecg = make_ecg(heart(p=False, qt_ms=340.0, beats_ms=irregular()))
    time = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz
    rate = 6.5 + 0.8 * np.sin(2 * np.pi * 0.31 * time) + 0.6 * np.sin(2 * np.pi * 0.17 * time)
    measured = measure(with_atrial_waves(ecg, 0.05 * np.sin(2 * np.pi * np.cumsum(rate) / ecg.fs_hz)))
    assert measured.rhythm.label == "atrial_fibrillation"
    assert measured.intervals.pr_ms is None and measured.intervals.p_ms is None
    assert measured.not_measurable["pr_ms"] == "Atrial fibrillation has no P wave."
    assert measured.intervals.qt_ms == pytest.approx(340.0, abs=20.0)


def test_a_saw_of_300_a_minute_is_flutter(heart, make_ecg):
    ecg = make_ecg(
        heart(p=False, qt_ms=340.0, beats_ms=tuple(300.0 + 200 * np.cumsum([0, *[3, 4, 2, 4, 3] * 4])))
    )
    time = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz
    measured = measure(with_atrial_waves(ecg, 0.15 * (2 * ((5.0 * time) % 1.0) - 1)))
    assert measured.rhythm.label == "atrial_flutter"
    assert measured.not_measurable["pr_ms"] == "Atrial flutter has no P wave."


def test_spikes_before_wide_beats_are_pacing(heart, make_ecg):
    ecg = make_ecg(heart(qrs_ms=160.0, hr_bpm=60.0, qt_ms=440.0))
    samples = ecg.samples_mv.copy()
    onsets = np.arange(-200.0, 10_000.0, 1000.0)[1:]
    samples[:, (onsets / 2).astype(int) - 4] += 0.8
    measured = measure(Ecg(samples, ecg.fs_hz, LEADS))
    assert measured.rhythm.label == "paced"
    assert "paced" in measured.not_measurable["pr_ms"]


def test_regular_beats_without_p_are_neither_sinus_nor_fibrillation(heart, make_ecg):
    measured = measure(make_ecg(heart(p=False, hr_bpm=45.0)))
    assert measured.rhythm.label == "other"
    assert measured.intervals.pr_ms is None and "pr_ms" in measured.not_measurable
    assert "av_block_2_or_3" in {finding.name for finding in measured.findings}


def test_a_premature_beat_changes_neither_rate_nor_intervals(heart, make_ecg):
    steady = tuple(np.arange(200.0, 10_000.0, 800.0))
    early = (*steady[:5], steady[4] + 480.0, *steady[6:])
    ecg = make_ecg(heart(beats_ms=early))
    samples = ecg.samples_mv.copy()
    foreign = slice(round((early[5] - 60) / 2), round((early[5] + 160) / 2))
    samples[:, foreign] = -1.2 * samples[:, foreign][:, ::-1]
    measured = measure(Ecg(samples, ecg.fs_hz, LEADS))
    assert measured.rhythm.label == "sinus"
    assert measured.intervals.hr_bpm == pytest.approx(75.0, abs=0.5)
    assert measured.intervals.qt_ms == pytest.approx(390.0, abs=13.0)
    assert "ventricular_ectopic_beats" in {finding.name for finding in measured.findings}


def test_the_usual_rr_ignores_one_pause_except_in_fibrillation():
    rr = np.array([800.0] * 9 + [1600.0])
    assert usual_rr_ms(rr, "sinus") == 800.0
    assert usual_rr_ms(rr, "atrial_fibrillation") == 880.0
    assert usual_rr_ms(np.array([]), "sinus") is None


NO_CYCLE = AtrialCycle(flutter=0.0, flutter_ms=200.0, fast=0.0, fixed=0.0, p=0.0, pp_ms=500.0)


def with_p_at(ecg: Ecg, onsets_ms: np.ndarray) -> Ecg:
    """P waves of 100 ms at these moments, whatever the ventricles do."""
    time = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz * 1000
    wave = np.zeros(time.size)
    for onset in onsets_ms:
        inside = (time > onset) & (time < onset + 100)
        wave[inside] += 0.5 - 0.5 * np.cos(2 * np.pi * (time[inside] - onset) / 100)
    heights = np.array([0.06, 0.12, 0.04, 0.05, 0.06, 0.06, 0.05, 0.05])
    assert len(heights) == len(INDEPENDENT_LEADS)
    return Ecg(ecg.samples_mv + TWELVE_FROM_EIGHT @ np.outer(heights, wave), ecg.fs_hz, LEADS)


def names(measured) -> set[str]:
    return {finding.name for finding in measured.findings if finding.confidence >= 0.5}


def test_a_run_of_p_waves_beside_slow_beats_is_complete_block(heart, make_ecg):
    ecg = make_ecg(heart(p=False, hr_bpm=38.0, qt_ms=440.0))
    measured = measure(with_p_at(ecg, np.arange(90.0, 10_000.0, 760.0)))
    assert measured.rhythm.label == "other"
    assert "av_block_2_or_3" in names(measured)
    assert measured.intervals.pr_ms is None and measured.not_measurable["pr_ms"]


def test_every_second_p_wave_without_a_beat_is_block_with_a_pr(heart, make_ecg):
    onsets = np.arange(60.0, 10_000.0, 720.0)
    ecg = make_ecg(heart(p=False, beats_ms=tuple(onsets[::2] + 170), qt_ms=420.0))
    measured = measure(with_p_at(ecg, onsets))
    assert measured.rhythm.label == "sinus"
    assert "av_block_2_or_3" in names(measured)
    assert measured.intervals.pr_ms == pytest.approx(170, abs=10)


def test_wenckebach_is_not_fibrillation(heart, make_ecg):
    """PR grows until a beat fails: irregular beats without a fixed PR, but P waves at a rate of their own."""
    onsets = np.arange(60.0, 10_000.0, 780.0)
    pr = np.array([160.0, 230.0, 270.0])
    beats = tuple(onset + pr[i % 4] for i, onset in enumerate(onsets) if i % 4 < 3)
    measured = measure(with_p_at(make_ecg(heart(p=False, beats_ms=beats, qt_ms=380.0)), onsets))
    assert measured.rhythm.label != "atrial_fibrillation"
    assert "av_block_2_or_3" in names(measured)


@pytest.mark.parametrize("swing", [0.1, 0.18])
def test_breathing_makes_neither_fibrillation_nor_early_beats(heart, make_ecg, swing):
    beats = [200.0]
    while beats[-1] < 10_500:
        beats.append(beats[-1] + 900 * (1 + swing * np.sin(2 * np.pi * 0.22 * beats[-1] / 1000)))
    measured = measure(make_ecg(heart(beats_ms=tuple(beats), qt_ms=370.0)))
    assert measured.rhythm.label == "sinus"
    assert "atrial_ectopic_beats" not in names(measured)
    assert measured.intervals.pr_ms == pytest.approx(160, abs=8)


def test_atrial_bigeminy_is_sinus_rhythm_with_early_beats(heart, make_ecg):
    beats = tuple(200.0 + np.cumsum([0.0, *([480.0, 1080.0] * 6)]))
    measured = measure(make_ecg(heart(beats_ms=beats, qt_ms=360.0)))
    assert measured.rhythm.label == "sinus"
    assert {"atrial_ectopic_beats", "bigeminy"} <= names(measured)
    assert "av_block_2_or_3" not in names(measured)


def test_many_early_beats_at_random_leave_sinus_rhythm(heart, make_ecg):
    rng = np.random.default_rng(2)
    rr = np.where(rng.random(16) < 0.35, rng.uniform(430, 520, 16), rng.normal(740, 15, 16))
    measured = measure(make_ecg(heart(beats_ms=tuple(np.cumsum([200.0, *rr])), qt_ms=350.0)))
    assert measured.rhythm.label == "sinus"
    assert measured.intervals.pr_ms is not None


def test_flutter_with_every_second_wave_conducted_is_flutter(heart, make_ecg):
    """At 150/min, with waves on both sides of each QRS that look the same in all leads."""
    ecg = make_ecg(heart(p=False, hr_bpm=150.0, qt_ms=280.0))
    time = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz
    measured = measure(with_atrial_waves(ecg, 0.2 * (2 * ((5.0 * time + 0.3) % 1.0) - 1)))
    assert measured.rhythm.label == "atrial_flutter"
    assert measured.intervals.pr_ms is None


@pytest.mark.parametrize("hr_bpm, qt_ms", [(105.0, 330.0), (125.0, 300.0), (145.0, 270.0)])
def test_sinus_tachycardia_is_not_flutter(heart, make_ecg, hr_bpm, qt_ms):
    measured = measure(make_ecg(heart(hr_bpm=hr_bpm, qt_ms=qt_ms, pr_ms=130.0, p_ms=85.0)))
    assert measured.rhythm.label == "sinus"
    assert "tachycardia" in names(measured)


def test_fibrillation_under_regular_beats_has_no_pr_and_is_not_called_anything_sure(heart, make_ecg):
    ecg = make_ecg(heart(p=False, hr_bpm=42.0, qt_ms=440.0))
    time = np.arange(ecg.samples_mv.shape[1]) / ecg.fs_hz
    rate = 6.7 + 0.9 * np.sin(2 * np.pi * 0.31 * time) + 0.7 * np.sin(2 * np.pi * 0.17 * time)
    measured = measure(with_atrial_waves(ecg, 0.05 * np.sin(2 * np.pi * np.cumsum(rate) / ecg.fs_hz)))
    assert measured.intervals.pr_ms is None
    assert measured.rhythm.confidence < 0.5 or measured.rhythm.label == "atrial_fibrillation"
    assert measured.rhythm.label != "sinus"


def test_the_step_a_recorder_leaves_of_a_spike_is_pacing(heart, make_ecg):
    """The spike is cut off; what is left is a step out of rest that is held for some milliseconds."""
    ecg = make_ecg(heart(p=False, qrs_ms=160.0, hr_bpm=60.0, qt_ms=440.0, noise_mv=0.002))
    samples = ecg.samples_mv.copy()
    for onset in np.arange(800.0, 10_000.0, 1000.0):
        at = int(onset / 2) - 10
        samples[:, at : at + 12] += 0.25 * np.linspace(1, 0, 12) ** 0.3
    assert measure(Ecg(samples, ecg.fs_hz, LEADS)).rhythm.label == "paced"


def test_the_label_of_flutter_needs_beats_at_multiples_of_its_cycle():
    """Coarse fibrillation has waves almost as regular, but its beats fall anywhere."""
    waves = AtrialCycle(flutter=0.8, flutter_ms=220.0, fast=0.8, fixed=0.0, p=0.0, pp_ms=500.0)
    multiples = 220.0 * np.array([2, 4, 3, 2, 4, 4, 3, 2, 3, 4])
    anywhere = np.array([720.0, 600, 1010, 825, 505, 668, 780, 940, 560, 1010])
    assert classify(Evidence(multiples, 0.8, waves, 0.0)).label == "atrial_flutter"
    assert classify(Evidence(anywhere, 0.8, waves, 0.0)).label == "atrial_fibrillation"


def test_beats_without_p_waves_are_named_with_little_confidence():
    steady = np.full(8, 1400.0)
    rhythm = classify(Evidence(steady, 0.0, NO_CYCLE, 0.0))
    assert rhythm.label == "other" and rhythm.confidence < 0.5
    assert classify(Evidence(np.zeros(0), None, NO_CYCLE, 0.0)).label == "unknown"
