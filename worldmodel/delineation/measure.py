"""Measuring: recordings in, a Measurement for each out; never an exception, whatever the samples.

beats and their medians -> marks lead by lead -> waves -> rhythm -> intervals, shape, findings
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.atrial import atrial_cycle, p_likeness, view_diastole
from worldmodel.delineation.filters import FS_HZ
from worldmodel.delineation.findings import find_all
from worldmodel.delineation.found import Found, NoBeats, find_all_beats, no_beats
from worldmodel.delineation.intervals import confidence_of, intervals_of, reasons
from worldmodel.delineation.marker import LeadMarks, Marker, shipped_marker
from worldmodel.delineation.marks import beat_marks_s, lead_intervals, lead_marks_ms, mark_kinds
from worldmodel.delineation.order import median
from worldmodel.delineation.pacing import spike_height_mv
from worldmodel.delineation.quality import judge_recording
from worldmodel.delineation.reversal import suspect_reversal
from worldmodel.delineation.rhythm import Evidence, classify, usual_rr_ms, why_no_p
from worldmodel.delineation.shape import shape_of, variability_of
from worldmodel.delineation.waves import Waves, find_waves
from worldmodel.delineation.window import WINDOW_S, best_start_s
from worldmodel.ecg import Ecg, standard_twelve
from worldmodel.measurement import Intervals, Measurement, MedianBeat, Shape

# Recordings worked on together: as many as stay near the processor's cache, so memory is bounded, too.
_CHUNK = 8
_USUAL = 0.8  # correlation with the dominant QRS from which a beat's T wave is taken to be the usual one
_NO_SCALE = "The amplitudes of the file are not trusted."


def measure(ecg: Ecg, window_s: float = WINDOW_S) -> Measurement:
    """Rate, intervals, rhythm, findings and quality; whatever cannot be had comes with its reason.

    Of a longer recording the best `window_s` is measured; times count from the start of the recording.
    """
    start_s = best_start_s(ecg, window_s)
    twelve = standard_twelve(ecg.window(start_s, window_s))
    measured = measure_batch(twelve.samples_mv[None], twelve.fs_hz)[0]
    if not ecg.amplitudes_trusted:
        shape = replace(measured.shape, t_amplitude_mv=None)
        why = measured.not_measurable | {"t_amplitude_mv": _NO_SCALE}
        verdict = "usable" if measured.quality.verdict == "good" else measured.quality.verdict
        # First, as the last reason of an unusable recording is the one that makes it so.
        doubted = replace(measured.quality, verdict=verdict, reasons=(_NO_SCALE, *measured.quality.reasons))
        measured = replace(measured, shape=shape, not_measurable=why, quality=doubted)
    return replace(
        measured,
        r_peaks_s=tuple(round(start_s + r, 4) for r in measured.r_peaks_s),
        beat_marks_s=measured.beat_marks_s + start_s,
        missing_leads=twelve.missing_leads,
        warnings=ecg.warnings,
    )


def measure_batch(
    samples_mv: NDArray[np.floating], fs_hz: float, marker: Marker | None = None
) -> list[Measurement]:
    """One Measurement for each of samples_mv (batch, 12 leads in standard order, time) in mV.

    NaN where nothing was recorded; any rate and length. marker: another than the shipped one, to evaluate it.
    """
    if len(samples_mv) > _CHUNK:
        chunks = (samples_mv[first : first + _CHUNK] for first in range(0, len(samples_mv), _CHUNK))
        return [measured for chunk in chunks for measured in measure_batch(chunk, fs_hz, marker)]
    found = find_all_beats(samples_mv, fs_hz)
    with_beats = [one for one in found if isinstance(one, Found)]
    marked = iter(mark_kinds(with_beats, marker or shipped_marker()))
    return [_measure_one(one, next(marked)) if isinstance(one, Found) else _nothing(one) for one in found]


def _nothing(nothing: NoBeats) -> Measurement:
    why = reasons(Intervals(), Shape(), {"beat": nothing.quality.reasons[-1]})
    findings = (nothing.finding,) if nothing.finding else ()
    return Measurement(not_measurable=why, quality=nothing.quality, findings=findings)


def _measure_one(found: Found, marked: list[LeadMarks]) -> Measurement:
    """marked: for each kind of beat."""
    beats, ok = found.beats, int(found.ok.sum())
    known = (beats.median, beats.r_index, marked[0], found.leads, found.rr_after_ms, found.noise_mv)
    waves = find_waves(*known)
    if waves.qrs_on is None:  # what was counted as beats may be noise, so neither rate nor rhythm is known
        return _nothing(no_beats(found.x, found.ok, found.faults, waves.why["qrs"]))
    evidence = _evidence(found, waves)
    rhythm = classify(evidence)
    no_p = why_no_p(rhythm, evidence)
    if no_p is not None:
        waves = find_waves(*known, no_p=no_p)
    rr_ms = usual_rr_ms(found.rr_ms, rhythm.label)
    lead_marks = lead_marks_ms(found, marked, waves, no_p is not None)
    marks_s = beat_marks_s(found, lead_marks)
    beat = _median_beat(found, waves, lead_marks[0])
    intervals, shape = intervals_of(beat, rr_ms), shape_of(beat)
    why = waves.why | ({} if rr_ms is not None else {"rr": "A rate needs two beats."})
    swapped = suspect_reversal(beat)
    return Measurement(
        intervals=intervals,
        not_measurable=reasons(intervals, shape, why),
        rhythm=rhythm,
        quality=judge_recording(found.faults, ok, found.duration_s, beats.r.size, found.noise_share, swapped),
        findings=find_all(intervals, beat, beats, found.x.shape[-1], evidence, rhythm),
        r_peaks_s=tuple(float(v) for v in np.round(beats.r / FS_HZ, 4)),
        beat_kinds=tuple(int(kind) for kind in beats.kind),
        median_beat=beat,
        beat_marks_s=marks_s,
        lead_intervals=lead_intervals(found, lead_marks, rr_ms),
        confidence=confidence_of(intervals, waves.spread_ms, waves.certain),
        shape=shape,
        variability=variability_of(beats.r / FS_HZ, beats.dominant, marks_s),
    )


def _evidence(found: Found, waves: Waves) -> Evidence:
    """What the rhythm is read from."""
    assert waves.qrs_on is not None and waves.qrs_off is not None
    beats, rr_ms = found.beats, found.rr_ms
    diastole = view_diastole(
        found.level,
        beats.r,
        beats.likeness > _USUAL,
        found.quiet,
        beats.median,
        beats.r_index,
        (waves.qrs_on, waves.qrs_off),
        waves.t_end,
    )
    cycle = atrial_cycle(diastole, float(median(rr_ms)) if rr_ms.size else None)
    spikes = spike_height_mv(found.x[found.leads], beats.r)
    return Evidence(rr_ms, p_likeness(diastole, beats.dominant), cycle, spikes)


def _median_beat(found: Found, waves: Waves, lead_marks: NDArray[np.float64]) -> MedianBeat:
    beats = found.beats

    def ms(column: float | None) -> float | None:
        return None if column is None else round((column - beats.r_index) * 1000 / FS_HZ, 3)

    return MedianBeat(
        samples_mv=np.where(found.ok[:, None], beats.median, np.nan),
        fs_hz=FS_HZ,
        r_index=beats.r_index,
        p_on_ms=ms(waves.p_on),
        p_peak_ms=ms(waves.p_peak),
        p_off_ms=ms(waves.p_off),
        qrs_on_ms=ms(waves.qrs_on),
        qrs_off_ms=ms(waves.qrs_off),
        t_peak_ms=ms(waves.t_peak),
        t_peak_2_ms=ms(waves.t_peak_2),
        t_end_ms=ms(waves.t_end),
        t_end_tangent_ms=ms(waves.t_end_tangent),
        lead_marks_ms=lead_marks,
    )
