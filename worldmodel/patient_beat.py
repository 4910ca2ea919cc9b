"""From a measurement to what the renderer draws from: the patient's median beat, its landmarks, the rhythm."""

import numpy as np
import torch

from worldmodel.anchor import level_ends
from worldmodel.beat import BeatTiming
from worldmodel.conditioning import PatientBeat
from worldmodel.errors import NotSimulatableError
from worldmodel.grid import Rhythm
from worldmodel.leads import eight_leads
from worldmodel.measurement import Measurement, MedianBeat

FIBRILLATION_CV = 0.2  # RR variation in atrial fibrillation where too few beats were seen to tell
SINUS_CV = 0.03


def take_rhythm(measured: Measurement) -> Rhythm:
    """Rate, its variation, fibrillation, and when the first beat falls. Raises NotSimulatableError."""
    rr_ms = measured.intervals.rr_ms
    if rr_ms is None:
        raise NotSimulatableError(
            "The heart rate is not measurable, because "
            + measured.not_measurable.get("rr_ms", "no beats were found").rstrip(".")
            + ".",
            "Give a recording of at least a few beats.",
        )
    irregular = measured.rhythm.label == "atrial_fibrillation"
    intervals = np.diff(measured.r_peaks_s)
    cv = float(np.std(intervals) / np.mean(intervals)) if len(intervals) >= 4 else 0.0
    # Ectopic beats are not variability: a robust range holds the CV to what the trial has seen.
    cv = (
        float(np.clip(cv, 0.1, 0.3))
        if irregular and cv
        else FIBRILLATION_CV
        if irregular
        else min(cv, 2 * SINUS_CV)
    )
    first = measured.r_peaks_s[0] if measured.r_peaks_s else 0.0
    rr_s = rr_ms / 1000.0
    return Rhythm(
        torch.tensor([rr_s]),
        torch.tensor([cv * rr_s]),
        torch.tensor([irregular]),
        torch.tensor([float(first)]),
    )


def take_beat(measured: Measurement) -> PatientBeat:
    """The median beat with its ends on the baseline, (1, 8, time), and its landmarks. Raises NotSimulatableError."""
    beat = measured.median_beat
    if beat is None:
        reason = next(iter(measured.not_measurable.values()), "no beat was found")
        raise NotSimulatableError(
            f"There is no median beat to simulate from, because {reason.rstrip('.')}.", "Check the recording."
        )
    timing = _timing(beat, measured)
    eight = eight_leads(beat.samples_mv, beat.fs_hz)
    mv = torch.from_numpy(np.ascontiguousarray(eight, dtype=np.float32))[None]
    return PatientBeat(level_ends(mv, beat.fs_hz, beat.r_index, timing), beat.fs_hz, beat.r_index, timing)


def _timing(beat: MedianBeat, measured: Measurement) -> BeatTiming:
    """Landmarks of the median beat; without a P wave its place is formal and nothing is rendered there.

    T ends by the tangent: so do the waves of prior and virtual trial, and the trial's Tpeak-Tend before the dose
    (69 ms in the median, where readers of LUDB see 90) shows that its effects are those of a tangent's end, too.
    """
    needed = {
        "QRS onset": beat.qrs_on_ms,
        "QRS offset": beat.qrs_off_ms,
        "T peak": beat.t_peak_ms,
        "T end": beat.t_end_tangent_ms,
    }
    lacking = [name for name, value in needed.items() if value is None]
    if lacking:
        reason = measured.not_measurable.get("qt_ms", "they are not distinct on this recording")
        raise NotSimulatableError(
            f"{', '.join(lacking)} not measurable, because {reason.rstrip('.')}.",
            "Give a recording with a clear T wave.",
        )
    qrs_on, qrs_off, t_peak, t_end = (float(value) for value in needed.values() if value is not None)
    has_p = beat.p_on_ms is not None and beat.p_off_ms is not None
    p_on, p_off = (
        (float(beat.p_on_ms or 0), float(beat.p_off_ms or 0)) if has_p else (qrs_on - 160.0, qrs_on - 60.0)
    )
    landmarks = torch.tensor([[p_on, min(p_off, qrs_on - 2.0), qrs_on, 0.0, qrs_off, t_peak, t_end]])
    rr_s = (measured.intervals.rr_ms or 1000.0) / 1000.0
    return BeatTiming(landmarks, torch.tensor([rr_s]), torch.tensor([has_p]))
