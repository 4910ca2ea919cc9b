"""Recordings of the made data set, as MIMIC-IV-ECG stores them: WFDB, aVF before aVL, and the machine's own row."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from worldmodel.datasets.made_headers import row_of
from worldmodel.datasets.made_people import COUNTS_PER_MV, RECORDED_HZ
from worldmodel.ecg import LEADS
from worldmodel.pharmacology import EFFECTS

if TYPE_CHECKING:
    from worldmodel.datasets.made_chart import Visit

STORED_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
NOT_RECORDED = np.iinfo(np.int16).min  # WFDB's sign for it in format 16, read as NaN
NO_TIME, NO_AXIS, NO_RR = 29_999, 32_767, 65_535
_QRS_ONSET = 400


def write_recording(stem: Path, counts: NDArray[np.int16], defect: str = "") -> None:
    """A header and its signals; counts: (12, time) in the order of LEADS. defect: gap, flat or cut, planted."""
    stored = counts[[LEADS.index(name) for name in STORED_ORDER]].copy()
    if defect == "gap":
        stored[8, 1000:1700] = NOT_RECORDED
    if defect == "flat":
        stored[9] = 0
    stem.parent.mkdir(parents=True, exist_ok=True)
    content = stored.T.astype("<i2").tobytes()
    stem.with_suffix(".dat").write_bytes(content[: len(content) // 3] if defect == "cut" else content)
    sums = stored.sum(axis=1, dtype=np.int64).astype(np.int16)
    lines = [f"{stem.name} 12 {RECORDED_HZ:g} {stored.shape[1]} 09:00:00 01/01/2150"]
    lines += [
        f"{stem.name}.dat 16 {COUNTS_PER_MV:g}(0)/mV 16 0 {row[0]} {total} 0 {name}"
        for name, row, total in zip(STORED_ORDER, stored, sums, strict=True)
    ]
    stem.with_suffix(".hea").write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine_row(visit: "Visit", study: int, time: str) -> list[object]:
    """The machine's measurements, with sentinels where it saw no P wave and now and then where it saw nothing."""
    person, blind = visit.person, visit.number % 13 == 5
    strength = person.strength if study == visit.study_after else 0.0
    hr_bpm = person.hr_bpm + strength * visit.drug.effects[EFFECTS.index("hr_bpm")]
    qtcf_ms = person.qtcf_ms + strength * visit.drug.qtcf_change_ms
    qt_ms, has_p = qtcf_ms * (60.0 / hr_bpm) ** (1.0 / 3.0), person.pr_ms is not None
    pr_ms = (person.pr_ms or 0.0) + strength * visit.drug.effects[EFFECTS.index("pr_ms")]
    rhythm = "Sinus rhythm" if has_p else "Atrial fibrillation"
    reports = {"report_0": rhythm}
    if visit.number % 9 == 4:  # report_0 is not always the rhythm, and a line may follow an empty one
        reports = {"report_0": "--- Warning: Data quality may affect interpretation ---", "report_2": rhythm}
    return row_of(
        "machine_measurements",
        subject_id=visit.subject,
        study_id=study,
        cart_id=6_848_296,
        ecg_time=time,
        bandwidth="0.005-150 Hz",
        filtering="60 Hz notch Baseline filter",
        rr_interval=NO_RR if blind else round(60_000.0 / hr_bpm),
        p_onset=round(_QRS_ONSET - pr_ms) if has_p else NO_TIME,
        p_end=_QRS_ONSET - 40 if has_p else NO_TIME,
        qrs_onset=_QRS_ONSET,
        qrs_end=_QRS_ONSET + 94,
        t_end=NO_TIME if blind else round(_QRS_ONSET + qt_ms),
        p_axis=51 if has_p else NO_AXIS,
        qrs_axis=23,
        t_axis=-32_768 if blind else 40,
        **reports,
    )
