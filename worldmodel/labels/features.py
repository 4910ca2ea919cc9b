"""What the label model looks at: some numbers of a measured ECG, each within -3 ... 3.

All of it is what the delineator says anyway: rhythm and findings with their confidence, rate, PR and QRS about their
limits, and of the median beat where its last forces point, ST and Q. A PR that does not exist, as in fibrillation,
counts as far below its limit: none is passed there. What could not be measured, or lacks a lead, is NaN.
"""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.axes import frontal_axis_deg, qrs_of
from worldmodel.ecg import LEADS
from worldmodel.measurement import Measurement, MedianBeat

_ROW = {name: row for row, name in enumerate(LEADS)}
_REGIONS = (("II", "III", "aVF"), ("V1", "V2", "V3", "V4"), ("I", "aVL", "V5", "V6"))
_MOST = 3.0


def features_of(measured: Measurement) -> dict[str, float] | None:
    """By name; None where the recording has no beat or no rate, so that nothing can be said."""
    beat, hr, qrs_ms = measured.median_beat, measured.intervals.hr_bpm, measured.intervals.qrs_ms
    qrs = qrs_of(beat) if beat is not None else None
    if beat is None or hr is None or qrs is None:
        return None
    sure = {finding.name: finding.confidence for finding in measured.findings}
    rhythm = {measured.rhythm.label: measured.rhythm.confidence}
    said = {
        "sinus": rhythm.get("sinus", 0.0),
        "fibrillation": rhythm.get("atrial_fibrillation", 0.0),
        "flutter": rhythm.get("atrial_flutter", 0.0),
        "paced": rhythm.get("paced", 0.0),
        "ectopy": sure.get("ventricular_ectopic_beats", 0.0),
        "block_2_or_3": sure.get("av_block_2_or_3", 0.0),
        "preexcitation": sure.get("preexcitation", 0.0),
        "right_block": sure.get("rbbb", 0.0),
        "left_block": sure.get("lbbb", 0.0),
    }
    values = {
        **{name: _MOST * confidence for name, confidence in said.items()},
        "fast": (hr - 100.0) / 10.0,
        "slow": (60.0 - hr) / 10.0,
        "long_pr": _long_pr(measured),
        "wide": np.nan if qrs_ms is None else (qrs_ms - 115.0) / 15.0,
        **_last_forces(qrs),
        **_ischaemia(beat, qrs),
    }
    return {name: float(np.clip(value, -_MOST, _MOST)) for name, value in values.items()}


def _long_pr(measured: Measurement) -> float:
    if measured.intervals.pr_ms is not None:
        return (measured.intervals.pr_ms - 200.0) / 20.0
    return np.nan if measured.rhythm.label in ("sinus", "unknown") else -_MOST


def _last_forces(qrs: NDArray[np.float64]) -> dict[str, float]:
    """late_v1: mean of the last third of the QRS in V1 over its height there, up in right block. axis_left: how far
    the QRS axis lies beyond -30 degrees, in steps of 30."""
    last = qrs[:, -(qrs.shape[1] // 3) :].mean(axis=1) / np.maximum(np.ptp(qrs, axis=1), 0.1)
    axis = frontal_axis_deg(qrs)
    return {
        "late_v1": 5.0 * float(last[_ROW["V1"]]),
        "axis_left": np.nan if axis is None else (-30.0 - axis) / 30.0,
    }


def _ischaemia(beat: MedianBeat, qrs: NDArray[np.float64]) -> dict[str, float]:
    """st_up: 40 ms after the QRS, in mm, the second highest lead of the highest region; q: depth of the Q wave over
    the lead's height, likewise in two leads of one region."""
    assert beat.qrs_off_ms is not None
    at = beat.r_index + round((beat.qrs_off_ms + 40.0) * beat.fs_hz / 1000.0)
    st_mm = 10.0 * beat.samples_mv[:, min(at, beat.samples_mv.shape[1] - 1)]
    first = np.minimum.accumulate(qrs, axis=1)[np.arange(len(LEADS)), qrs.argmax(axis=1)]
    return {"st_up": _in_two(st_mm), "q": 3.0 * _in_two(-first / np.maximum(np.ptp(qrs, axis=1), 0.1))}


def _in_two(by_lead: NDArray[np.float64]) -> float:
    """The most that two leads of one region share; NaN where a lead is missing, as its region may be the one."""
    if np.isnan(by_lead).any():
        return np.nan
    return max(float(np.sort(by_lead[[_ROW[lead] for lead in region]])[-2]) for region in _REGIONS)
