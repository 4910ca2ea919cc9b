"""Findings that the mask and the risk ask for, each with a confidence; absence is not proof of absence."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.av_block import block_findings
from worldmodel.delineation.axes import frontal_axis_deg, qrs_of
from worldmodel.delineation.beats import Beats
from worldmodel.delineation.ectopy import beat_findings
from worldmodel.delineation.rhythm import Evidence
from worldmodel.ecg import LEADS
from worldmodel.measurement import Finding, Intervals, MedianBeat, Rhythm

_ROW = {name: row for row, name in enumerate(LEADS)}


def find_all(
    intervals: Intervals, beat: MedianBeat, beats: Beats, length: int, evidence: Evidence, rhythm: Rhythm
) -> tuple[Finding, ...]:
    """Everything there is to find in one measured recording of `length` samples at 500 Hz."""
    conduction = [] if rhythm.label == "paced" else conduction_findings(intervals, beat)
    return (
        *interval_findings(intervals),
        *conduction,
        *beat_findings(beats.r, beats.likeness, length, rhythm),
        *block_findings(intervals, evidence, rhythm),
    )


def interval_findings(intervals: Intervals) -> list[Finding]:
    """Rate, PR, QRS and QTc beyond their limits (QRS and QTc: AHA/ACC/HRS 2009, the sex being unknown here)."""
    hr, pr, qrs, qtc = intervals.hr_bpm, intervals.pr_ms, intervals.qrs_ms, intervals.qtcf_ms
    found = []
    if hr is not None and hr < 60:
        found.append(Finding("bradycardia", _grade(60 - hr, 0, 10), f"Heart rate {hr:.0f}/min."))
    if hr is not None and hr > 100:
        found.append(Finding("tachycardia", _grade(hr, 100, 110), f"Heart rate {hr:.0f}/min."))
    if pr is not None and pr > 200:
        found.append(Finding("av_block_1", _grade(pr, 200, 220), f"PR {pr:.0f} ms."))
    if qrs is not None and qrs >= 120:
        found.append(Finding("wide_qrs", _grade(qrs, 120, 135), f"QRS {qrs:.0f} ms."))
    if qtc is not None and qtc > 460:
        found.append(Finding("long_qt", _grade(qtc, 460, 490), f"QTcF {qtc:.0f} ms."))
    return found


def conduction_findings(intervals: Intervals, beat: MedianBeat) -> list[Finding]:
    """Bundle branch blocks, both fascicles, and a delta wave, from the shape of the QRS in I, aVF, V1, V6."""
    qrs = qrs_of(beat)
    width = intervals.qrs_ms
    if qrs is None or width is None:
        return []
    found = []
    third = qrs.shape[1] // 3
    late_v1, net_v1 = qrs[_ROW["V1"], -third:].mean(), qrs[_ROW["V1"]].mean()
    late_side = qrs[[_ROW["I"], _ROW["V6"]], -third:].mean()  # NaN, and no finding, where either is missing
    if width >= 118 and late_v1 > 0.05 and late_side < 0:
        sure = _grade(width, 118, 135)
        found.append(Finding("rbbb", sure, f"QRS {width:.0f} ms, late forces towards V1."))
        axis = frontal_axis_deg(qrs)
        if axis is not None and (axis < -45 or axis > 120):
            found.append(
                Finding("bifascicular", round(0.9 * sure, 2), f"RBBB with a QRS axis of {axis:.0f}°.")
            )
    if width >= 125 and net_v1 < -0.1 and late_v1 < 0 and late_side > 0.05:
        found.append(Finding("lbbb", _grade(width, 125, 145), f"QRS {width:.0f} ms, all forces to the left."))
    if _has_delta_wave(intervals, beat, qrs):
        text = f"PR {intervals.pr_ms:.0f} ms, QRS {width:.0f} ms with a slow start: a delta wave is possible."
        found.append(Finding("preexcitation", 0.6, text))
    return found


def _has_delta_wave(intervals: Intervals, beat: MedianBeat, qrs: NDArray[np.float64]) -> bool:
    """Short PR without a PR segment, and a wide QRS whose first third moves less than half as fast as the rest."""
    if intervals.pr_ms is None or intervals.qrs_ms is None or beat.p_off_ms is None or beat.qrs_on_ms is None:
        return False
    if intervals.pr_ms > 120 or intervals.qrs_ms < 110 or beat.qrs_on_ms - beat.p_off_ms > 25:
        return False
    speed = np.sqrt(np.nanmean(np.diff(qrs, axis=1) ** 2, axis=0))
    third = speed.size // 3
    return bool(speed[:third].mean() < 0.5 * speed[third : 2 * third].mean())


def _grade(value: float, limit: float, full: float) -> float:
    """Confidence 0.5 at the limit, 0.95 at `full` and beyond."""
    return round(min(0.95, 0.5 + 0.45 * (value - limit) / (full - limit)), 2)
