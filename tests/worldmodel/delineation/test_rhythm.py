"""Rhythm labels on made ECGs, and that no PR is given where there can be none."""

import numpy as np
import pytest

from worldmodel.delineation.measure import measure
from worldmodel.delineation.rhythm import usual_rr_ms
from worldmodel.ecg import LEADS, Ecg


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
