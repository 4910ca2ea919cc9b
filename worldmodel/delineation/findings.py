"""Findings that the mask and the risk ask for, each with a confidence; absence is not proof of absence."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.beats import Beats
from worldmodel.delineation.rhythm import irregularity
from worldmodel.ecg import LEADS
from worldmodel.measurement import Finding, Intervals, MedianBeat, Rhythm

_ROW = {name: row for row, name in enumerate(LEADS)}


def find_all(
    intervals: Intervals, beat: MedianBeat, beats: Beats, rr_ms: NDArray[np.float64], rhythm: Rhythm
) -> tuple[Finding, ...]:
    """Everything there is to find in one measured recording."""
    return (
        *interval_findings(intervals),
        *conduction_findings(intervals, beat),
        *beat_findings(beats, rr_ms),
        *block_findings(intervals, rr_ms, rhythm),
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
    qrs = _qrs_of(beat)
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


def beat_findings(beats: Beats, rr_ms: NDArray[np.float64]) -> list[Finding]:
    """Premature beats of the usual and of another shape, and pauses of 2 s or more."""
    found = []
    if rr_ms.size >= 3:
        early = np.append(False, rr_ms < 0.85 * np.percentile(rr_ms, 60))
        other = beats.likeness < 0.8
        foreign, premature = int((early & other).sum()), int((early & ~other).sum())
        if foreign:
            found.append(
                Finding("ventricular_ectopic_beats", 0.7, f"{foreign} early beat(s) of another shape.")
            )
        if premature and irregularity(rr_ms) < 0.12:
            found.append(
                Finding("atrial_ectopic_beats", 0.6, f"{premature} early beat(s) of the usual shape.")
            )
    if rr_ms.size and rr_ms.max() >= 2000:
        found.append(Finding("pause", 0.9, f"A pause of {rr_ms.max() / 1000:.1f} s."))
    return found


def block_findings(intervals: Intervals, rr_ms: NDArray[np.float64], rhythm: Rhythm) -> list[Finding]:
    """Slow regular beats without a P wave of their own: complete AV block or a junctional rhythm."""
    slow = intervals.hr_bpm is not None and intervals.hr_bpm < 55
    if rhythm.label == "other" and slow and rr_ms.size >= 3 and irregularity(rr_ms) < 0.05:
        text = (
            "Slow regular beats without P waves at a fixed time before them: AV block or a junctional rhythm."
        )
        return [Finding("av_block_2_or_3", 0.5, text)]
    return []


def frontal_axis_deg(qrs: NDArray[np.float64]) -> float | None:
    """QRS axis in the frontal plane from the net areas of I and aVF, in -180..180; None without these leads."""
    lead_i, avf = float(qrs[_ROW["I"]].mean()), float(qrs[_ROW["aVF"]].mean())
    if not np.isfinite(lead_i + avf):
        return None
    return float(np.degrees(np.arctan2(avf * 2 / np.sqrt(3), lead_i)))


def _qrs_of(beat: MedianBeat) -> NDArray[np.float64] | None:
    """(lead, time) of the QRS relative to the level before it."""
    if beat.qrs_on_ms is None or beat.qrs_off_ms is None:
        return None
    first = beat.r_index + round(beat.qrs_on_ms * beat.fs_hz / 1000)
    last = beat.r_index + round(beat.qrs_off_ms * beat.fs_hz / 1000)
    if first < 1 or last - first < 9:
        return None
    return beat.samples_mv[:, first : last + 1] - beat.samples_mv[:, [first]]


def _grade(value: float, limit: float, full: float) -> float:
    """Confidence 0.5 at the limit, 0.95 at `full` and beyond."""
    return round(min(0.95, 0.5 + 0.45 * (value - limit) / (full - limit)), 2)
