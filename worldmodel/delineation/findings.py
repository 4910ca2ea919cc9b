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
    # At high rates the formula itself falls short; the limit is that of the short QT syndrome (ESC 2015,
    # from memory).
    if qtc is not None and qtc < 340 and hr is not None and hr < 100:
        found.append(Finding("short_qt", _grade(340 - qtc, 0, 20), f"QTcF {qtc:.0f} ms."))
    return found


def conduction_findings(intervals: Intervals, beat: MedianBeat) -> list[Finding]:
    """Bundle branch blocks, blocked fascicles, and a delta wave, from the shape of the QRS.

    After the AHA/ACC/HRS recommendations of 2009 (doi:10.1161/CIRCULATIONAHA.108.191095): a right block shows
    late forces towards V1 and away from I and V6, a left block late forces towards I or V6, away from V1, and
    an R peak 60 ms and more after the onset; both from 120 ms on, with a few ms for the error of measuring.
    Incomplete blocks are narrower and not named.
    """
    qrs = qrs_of(beat)
    width = intervals.qrs_ms
    if qrs is None or width is None:
        return []
    found = []
    axis = frontal_axis_deg(qrs)
    third = qrs.shape[1] // 3
    late = qrs[:, -third:].mean(axis=1)  # NaN, and no finding, where a lead is missing
    v1, lead_i, v6 = _ROW["V1"], _ROW["I"], _ROW["V6"]
    if width >= 118 and late[v1] > 0.05 and late[[lead_i, v6]].mean() < 0:
        sure = _grade(width, 118, 135)
        found.append(Finding("rbbb", sure, f"QRS {width:.0f} ms, late forces towards V1."))
        if axis is not None and (axis < -45 or axis > 120):
            text = f"RBBB with a QRS axis of {axis:.0f}°."
            found.append(Finding("bifascicular", round(0.9 * sure, 2), text))
    to_the_left = max(late[lead_i], late[v6]) > 0.05 and min(late[lead_i], qrs[lead_i].mean()) > -0.05
    if width >= 122 and late[v1] < 0 and qrs[v1].mean() < -0.1 and to_the_left and _late_r_peak(qrs, beat):
        found.append(Finding("lbbb", _grade(width, 122, 142), f"QRS {width:.0f} ms, all forces to the left."))
    if width < 120 and axis is not None and -90 <= axis <= -45 and _is_left_anterior(qrs):
        text = f"QRS axis of {axis:.0f}° with qR in aVL and rS in II and III."
        found.append(Finding("left_anterior_hemiblock", 0.7, text))
    if _has_delta_wave(intervals, beat, qrs):
        text = f"PR {intervals.pr_ms:.0f} ms, QRS {width:.0f} ms with a slow start: a delta wave is possible."
        found.append(Finding("preexcitation", 0.6, text))
    return found


def _late_r_peak(qrs: NDArray[np.float64], beat: MedianBeat) -> bool:
    """60 ms or more from the onset to the R peak in I, V5 or V6, less the 4 ms an onset may be off."""
    rows = [_ROW[name] for name in ("I", "V5", "V6") if np.isfinite(qrs[_ROW[name]]).all()]
    return bool(rows) and qrs[rows].argmax(axis=1).max() * 1000 / beat.fs_hz >= 56


def _is_left_anterior(qrs: NDArray[np.float64]) -> bool:
    """qR in aVL, rS in II and III."""
    avl = qrs[_ROW["aVL"]]
    q = avl[: int(avl.argmax()) + 1].min()
    inferior = qrs[[_ROW["II"], _ROW["III"]]]
    return bool(q < 0 and avl.max() > -avl.min() and (inferior.mean(axis=1) < 0).all())


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
