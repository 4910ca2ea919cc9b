"""Findings that the safety rules lean on: limits, bundle branches, delta wave, pause."""

import numpy as np
import pytest

from worldmodel.delineation.findings import conduction_findings, frontal_axis_deg, interval_findings
from worldmodel.delineation.measure import measure
from worldmodel.ecg import LEADS
from worldmodel.measurement import Intervals, MedianBeat


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


def test_without_v1_no_bundle_branch_is_named():
    beat = wide_beat(v1=(np.nan, np.nan), side=(0.6, -0.4))
    assert names(conduction_findings(Intervals(qrs_ms=140.0), beat)) == set()


def test_the_axis_of_equal_i_and_avf_points_down_and_left():
    qrs = np.zeros((12, 20))
    qrs[LEADS.index("I")], qrs[LEADS.index("aVF")] = 1.0, np.sqrt(3) / 2
    assert frontal_axis_deg(qrs) == pytest.approx(45.0)
    qrs[LEADS.index("I")] = np.nan
    assert frontal_axis_deg(qrs) is None


def test_a_pause_is_found(heart, make_ecg):
    beats = (300.0, 1200.0, 2100.0, 3000.0, 5600.0, 6500.0, 7400.0, 8300.0, 9200.0)
    measured = measure(make_ecg(heart(beats_ms=beats)))
    pause = [finding for finding in measured.findings if finding.name == "pause"]
    assert pause and "2.6 s" in pause[0].text


def test_a_normal_ecg_has_no_findings(heart, make_ecg):
    assert measure(make_ecg(heart())).findings == ()
