"""What the label model looks at: some numbers of a measured ECG, each within -3 ... 3.

All of it is what the delineator says anyway: rhythm and findings with their confidence, rate, PR and QRS about their
limits, and of the median beat where its last forces point, ST and Q. An interval that does not exist, such as PR in
fibrillation, counts as far below its limit: no limit is passed there.
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
    beat, hr = measured.median_beat, measured.intervals.hr_bpm
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
        "long_pr": _beyond(measured.intervals.pr_ms, 200.0, 20.0),
        "wide": _beyond(measured.intervals.qrs_ms, 115.0, 15.0),
        **_last_forces(qrs),
        **_ischaemia(beat, qrs),
    }
    return {name: float(np.clip(value, -_MOST, _MOST)) for name, value in values.items()}


def _beyond(value: float | None, limit: float, scale: float) -> float:
    return -_MOST if value is None else (value - limit) / scale


def _last_forces(qrs: NDArray[np.float64]) -> dict[str, float]:
    """Of the last third of the QRS in V1, V6 and I, over the lead's own height; up to the right in right block, to
    the left in left block. axis_left: how far the QRS axis lies beyond -30 degrees, in steps of 30."""
    last = qrs[:, -(qrs.shape[1] // 3) :].mean(axis=1) / np.maximum(np.ptp(qrs, axis=1), 0.1)
    axis = frontal_axis_deg(qrs)
    values = {
        "late_v1": 5.0 * last[_ROW["V1"]],
        "late_left": 5.0 * 0.5 * (last[_ROW["V6"]] + last[_ROW["I"]]),
        "axis_left": -_MOST if axis is None else (-30.0 - axis) / 30.0,
    }
    return {name: float(np.nan_to_num(value)) for name, value in values.items()}


def _ischaemia(beat: MedianBeat, qrs: NDArray[np.float64]) -> dict[str, float]:
    """st_up: 40 ms after the QRS, in mm, the second highest lead of the highest region; q: depth of the Q wave over
    the lead's height, likewise in two leads of one region."""
    assert beat.qrs_off_ms is not None
    at = beat.r_index + round((beat.qrs_off_ms + 40.0) * beat.fs_hz / 1000.0)
    st_mm = 10.0 * beat.samples_mv[:, min(at, beat.samples_mv.shape[1] - 1)]
    height = np.maximum(np.ptp(qrs, axis=1), 0.1)
    first = np.minimum.accumulate(qrs, axis=1)[np.arange(len(LEADS)), qrs.argmax(axis=1)]
    depth = np.where(np.isfinite(qrs).all(axis=1), -first / height, 0.0)
    return {"st_up": _in_two(st_mm), "q": 3.0 * _in_two(depth)}


def _in_two(by_lead: NDArray[np.float64]) -> float:
    values = np.nan_to_num(by_lead)
    return max(float(np.sort(values[[_ROW[lead] for lead in region]])[-2]) for region in _REGIONS)
