"""Findings that the safety rules lean on: limits, bundle branches, delta wave, pause."""

import numpy as np
import pytest

from worldmodel.delineation.disorder import suspect_fibrillation
from worldmodel.delineation.ectopy import beat_findings
from worldmodel.delineation.findings import conduction_findings, interval_findings
from worldmodel.delineation.measure import measure, measure_batch
from worldmodel.ecg import LEADS, TWELVE_FROM_EIGHT
from worldmodel.measurement import Intervals, MedianBeat, Rhythm


def names(findings):
    return {finding.name for finding in findings}


def wide_beat(v1: tuple[float, float], side: tuple[float, float], avf: float = 0.3) -> MedianBeat:
    """A QRS of 140 ms: height of its first two thirds and of its last third, in V1 and in I and V6."""
    samples = np.zeros((12, 300))
    for lead, (early, late) in (("V1", v1), ("I", side), ("V6", side), ("aVF", (avf, avf))):
        samples[LEADS.index(lead), 100:147] = early
        samples[LEADS.index(lead), 147:170] = late
    return MedianBeat(samples, 500.0, 130, qrs_on_ms=-62.0, qrs_off_ms=78.0)


@pytest.mark.parametrize(
    "intervals, expected",
    [
        (Intervals(hr_bpm=45.0), {"bradycardia"}),
        (Intervals(hr_bpm=120.0), {"tachycardia"}),
        (Intervals(hr_bpm=75.0, pr_ms=190.0, qrs_ms=100.0, qtcf_ms=430.0), set()),
        (Intervals(pr_ms=230.0), {"av_block_1"}),
        (Intervals(qrs_ms=130.0), {"wide_qrs"}),
        (Intervals(qtcf_ms=510.0), {"long_qt"}),
        (Intervals(hr_bpm=70.0, qtcf_ms=320.0), {"short_qt"}),
        (Intervals(hr_bpm=130.0, qtcf_ms=320.0), {"tachycardia"}),
        (Intervals(), set()),
    ],
)
def test_limits(intervals, expected):
    assert names(interval_findings(intervals)) == expected


def test_confidence_grows_beyond_the_limit():
    just, far = (interval_findings(Intervals(qtcf_ms=qtc))[0].confidence for qtc in (461.0, 520.0))
    assert 0.5 <= just < 0.6 < far <= 0.95


def test_bundle_branches_are_told_apart():
    wide = Intervals(qrs_ms=140.0)
    right = wide_beat(v1=(-0.2, 0.8), side=(0.6, -0.4))
    left = wide_beat(v1=(-0.9, -0.6), side=(0.5, 0.7))
    assert names(conduction_findings(wide, right)) == {"rbbb"}
    assert names(conduction_findings(wide, left)) == {"lbbb"}


def test_rbbb_with_a_left_axis_is_bifascicular():
    beat = wide_beat(v1=(-0.2, 0.8), side=(0.6, -0.1), avf=-1.2)
    assert names(conduction_findings(Intervals(qrs_ms=140.0), beat)) == {"rbbb", "bifascicular"}


def test_a_narrow_qrs_is_no_bundle_branch_block():
    right = wide_beat(v1=(-0.2, 0.8), side=(0.6, -0.4))
    assert names(conduction_findings(Intervals(qrs_ms=112.0), right)) == set()


def test_a_left_axis_with_q_in_avl_and_s_in_the_inferior_leads_is_an_anterior_hemiblock():
    samples = np.zeros((12, 300))
    for lead, (early, late) in (
        ("I", (0.2, 0.5)),
        ("aVL", (-0.1, 0.7)),
        ("II", (0.2, -0.5)),
        ("III", (0.2, -0.9)),
        ("aVF", (0.2, -0.7)),
    ):
        samples[LEADS.index(lead), 100:112] = early
        samples[LEADS.index(lead), 112:146] = late
    beat = MedianBeat(samples, 500.0, 120, qrs_on_ms=-42.0, qrs_off_ms=52.0)
    assert names(conduction_findings(Intervals(qrs_ms=94.0), beat)) == {"left_anterior_hemiblock"}


def test_without_v1_no_bundle_branch_is_named():
    beat = wide_beat(v1=(np.nan, np.nan), side=(0.6, -0.4))
    assert names(conduction_findings(Intervals(qrs_ms=140.0), beat)) == set()


def test_a_pause_is_found(heart, make_ecg):
    beats = (300.0, 1200.0, 2100.0, 3000.0, 5600.0, 6500.0, 7400.0, 8300.0, 9200.0)
    measured = measure(make_ecg(heart(beats_ms=beats)))
    pause = [finding for finding in measured.findings if finding.name == "pause"]
    assert pause and "2.6 s" in pause[0].text


def test_a_normal_ecg_has_no_findings(heart, make_ecg):
    assert measure(make_ecg(heart())).findings == ()


SINUS = Rhythm("sinus", 0.9)


def beats_at(rr_ms, likeness, rhythm=SINUS):
    r = np.cumsum([150.0, *(np.array(rr_ms) / 2)])
    return {
        found.name: found.text for found in beat_findings(r, np.array(likeness), int(r[-1]) + 200, rhythm)
    }


def test_early_beats_of_another_shape_are_counted():
    found = beats_at([800, 800, 500, 1100, 800, 520, 1080, 800], [1, 1, 1, 0.3, 1, 1, 0.4, 1, 1])
    assert found == {"ventricular_ectopic_beats": "2 beats early and of another shape."}


def test_a_couplet_is_told_with_its_length():
    found = beats_at([800, 800, 500, 480, 1200, 800, 800], [1, 1, 1, 0.3, 0.2, 1, 1, 1])
    assert found == {"ventricular_ectopic_beats": "2 beats early and of another shape, up to 2 in a row."}


def test_the_beat_after_an_interpolated_one_is_not_early():
    found = beats_at([900, 900, 440, 480, 900, 900], [1, 1, 1, 0.3, 1, 1, 1])
    assert set(found) == {"ventricular_ectopic_beats"}


def test_a_beat_the_recording_cuts_in_two_is_not_of_another_shape():
    r = np.array([20.0, 420.0, 820.0, 1220.0, 1620.0, 1990.0])
    assert beat_findings(r, np.array([0.1, 1, 1, 1, 1, 0.2]), 2000, SINUS) == []


def test_in_fibrillation_short_intervals_are_not_early_beats():
    rr = [500, 900, 480, 700, 1000, 450, 820]
    assert beats_at(rr, [1.0] * 8, Rhythm("atrial_fibrillation", 0.9)) == {}
    assert "ventricular_ectopic_beats" in beats_at(
        rr, [1, 1, 1, 0.2, 1, 1, 1, 1], Rhythm("atrial_fibrillation", 0.9)
    )


def fibrillation(seed: int) -> np.ndarray:
    """(12, 5000): in each lead a wave of 4 to 6.5 Hz that wanders in rate and size."""
    rng = np.random.default_rng(seed)
    time = np.arange(5000) / 500
    eight = np.empty((8, 5000))
    for lead in eight:
        rate = rng.uniform(4, 6.5) + 0.6 * np.cumsum(rng.normal(size=5000)) / 70
        size = 0.5 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * time + rng.uniform(0, 6))
        lead[:] = size * np.sin(2 * np.pi * np.cumsum(rate) / 500 + rng.uniform(0, 6))
    return np.asarray(TWELVE_FROM_EIGHT @ (eight + 0.01 * rng.normal(size=eight.shape)))


@pytest.mark.parametrize("seed", range(4))
def test_waves_without_beats_are_a_suspicion_of_ventricular_fibrillation(seed):
    (measured,) = measure_batch(fibrillation(seed)[None], 500.0)
    assert names(measured.findings) == {"ventricular_fibrillation"}
    assert measured.rhythm.label == "unknown"
    assert measured.quality.verdict == "unusable"


def test_beats_noise_and_silence_are_no_fibrillation(heart, make):
    every = np.ones(12, dtype=bool)
    noise = 0.3 * np.random.default_rng(0).normal(size=(12, 5000))
    for x in (
        make(heart()),
        make(heart(hr_bpm=160.0, qt_ms=250.0)),
        noise,
        np.zeros((12, 5000)),
        noise[:, :3],
    ):
        assert suspect_fibrillation(x, every) is None
    assert suspect_fibrillation(noise, ~every) is None
