"""Measuring: recordings in, a Measurement for each out; never an exception, whatever the samples.

lead states -> 500 Hz -> QRS complexes -> beats and their median -> waves -> rhythm -> intervals, findings
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.delineation.atrial import flutter_score, p_likeness
from worldmodel.delineation.beats import Beats, build_beats, place_r, remove_wander, wave_shifts
from worldmodel.delineation.filters import FS_HZ, fill_gaps, remove_mains, resample, smooth
from worldmodel.delineation.findings import find_all
from worldmodel.delineation.intervals import intervals_between, intervals_of, reasons
from worldmodel.delineation.marker import STEPS, Marker, mark_beats, shipped_marker
from worldmodel.delineation.pacing import spike_height_mv
from worldmodel.delineation.qrs import find_beats, qrs_energy
from worldmodel.delineation.quality import (
    LeadState,
    judge_leads,
    judge_recording,
    quiet_leads,
    without_spikes,
)
from worldmodel.delineation.rhythm import Evidence, classify, may_flutter, usual_rr_ms, why_no_p
from worldmodel.delineation.waves import Marked, Waves, find_waves, lead_fiducials
from worldmodel.delineation.window import WINDOW_S, best_start_s
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg, standard_twelve
from worldmodel.measurement import FIDUCIALS, Intervals, Measurement, MedianBeat, Quality, Rhythm

# Beyond this numbers only overflow; far below it no lead is believed any more.
_ABSURD_MV = 1e6
# Recordings filtered together: as many as stay near the processor's cache, so memory is bounded, too.
_CHUNK = 16
_INDEPENDENT = np.array([name in INDEPENDENT_LEADS for name in LEADS])


def measure(ecg: Ecg, window_s: float = WINDOW_S) -> Measurement:
    """Rate, intervals, rhythm, findings and quality; whatever cannot be had comes with its reason.

    Of a longer recording the best `window_s` is measured; r_peaks_s count from the start of the recording.
    """
    start_s = best_start_s(ecg, window_s)
    twelve = standard_twelve(ecg.window(start_s, window_s))
    measured = measure_batch(twelve.samples_mv[None], twelve.fs_hz)[0]
    if not ecg.amplitudes_trusted:
        why = measured.not_measurable | {"t_amplitude_mv": "The scale of the file cannot be true."}
        measured = replace(measured, t_amplitude_mv=None, not_measurable=why)
    return replace(
        measured,
        r_peaks_s=tuple(round(start_s + r, 4) for r in measured.r_peaks_s),
        missing_leads=twelve.missing_leads,
        warnings=ecg.warnings,
    )


def measure_batch(
    samples_mv: NDArray[np.floating], fs_hz: float, markers: Sequence[Marker] | None = None
) -> list[Measurement]:
    """One Measurement for each of samples_mv (batch, 12 leads in standard order, time) in mV.

    NaN where nothing was recorded; any rate and length. markers: others than the shipped one, to evaluate them.
    """
    if len(samples_mv) > _CHUNK:
        chunks = (samples_mv[first : first + _CHUNK] for first in range(0, len(samples_mv), _CHUNK))
        return [measured for chunk in chunks for measured in measure_batch(chunk, fs_hz, markers)]
    found, state = find_all_beats(samples_mv, fs_hz)
    marked = _mark([one for one in found if isinstance(one, Found)], markers or (shipped_marker(),))
    return [
        _measure_one(one, marked.pop(0), state, i) if isinstance(one, Found) else _nothing(one)
        for i, one in enumerate(found)
    ]


@dataclass(frozen=True)
class Found:
    """A recording with beats. x, level: (12, time) at 500 Hz with and without wander; quiet: (12,) leads to use."""

    x: NDArray[np.float64]
    level: NDArray[np.float64]
    quiet: NDArray[np.bool_]
    beats: Beats


def find_all_beats(samples_mv: NDArray[np.floating], fs_hz: float) -> tuple[list[Found | Quality], LeadState]:
    """The beats of each of samples_mv (batch, 12, time) in mV, or what is wrong where there are none; the leads."""
    raw = np.clip(np.asarray(samples_mv, dtype=np.float64), -_ABSURD_MV, _ABSURD_MV)
    if raw.shape[-1] < 2:
        raw = np.full((*raw.shape[:-1], 2), np.nan)
    state = judge_leads(raw)
    x = fill_gaps(without_spikes(np.where(state.ok[..., None], raw, 0.0)))
    x = remove_mains(resample(x, fs_hz))
    energy = qrs_energy(x, state.ok)
    found = [_find(x[i], energy[i], state.ok[i]) for i in range(len(x))]
    return [
        one or judge_recording(state, i, x.shape[-1] / FS_HZ, 0, None) for i, one in enumerate(found)
    ], state


def marker_beats(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Beats (..., time) at 500 Hz from PRE_MS before R on, as the marker takes them: (..., STEPS) at 250 Hz."""
    return np.asarray(smooth(windows, 1.5)[..., : 2 * STEPS : 2])


def _find(x: NDArray[np.float64], energy: NDArray[np.float64], ok: NDArray[np.bool_]) -> Found | None:
    """x (12, time) at 500 Hz without gaps, its QRS energy (time,), its good leads; None without a beat."""
    beats = find_beats(energy) if ok.any() else np.zeros(0, dtype=np.int_)
    if not beats.size:
        return None
    quiet = quiet_leads(x, ok)
    r = place_r(x, beats, quiet)
    level = remove_wander(x, r)
    return Found(x, level, quiet, build_beats(level, r, quiet))


def _mark(found: list[Found], markers: Sequence[Marker]) -> list[list[Marked]]:
    """For each recording the marks of each of its kinds of beats, all by one call of the marker."""
    if not found:
        return []
    medians = marker_beats(np.concatenate([one.beats.medians for one in found]))
    good = np.concatenate([np.tile(one.quiet, (len(one.beats.medians), 1)) for one in found])
    marks = mark_beats(
        markers,
        torch.from_numpy(medians.astype(np.float32)),
        torch.from_numpy(good.astype(np.float32)),
    )
    parts = (part.double().numpy() for part in (marks.marks_ms, marks.spread_ms, marks.p, marks.t))
    rows = iter([Marked(*row) for row in zip(*parts, strict=True)])
    return [[next(rows) for _ in one.beats.medians] for one in found]


def _nothing(quality: Quality) -> Measurement:
    why = reasons(Intervals(), {"beat": quality.reasons[-1]})
    return Measurement(not_measurable=why | {"t_amplitude_mv": quality.reasons[-1]}, quality=quality)


def _measure_one(found: Found, marked: list[Marked], state: LeadState, index: int) -> Measurement:
    """marked: for each kind of beat; the recording is row `index` of the batch that `state` is of."""
    beats, quiet = found.beats, found.quiet
    duration_s = found.x.shape[-1] / FS_HZ
    leads = _independent(quiet)
    rr_ms = np.diff(beats.r) * 1000 / FS_HZ
    known = (beats.median, beats.r_index, marked[0], leads, _rr_after(beats, rr_ms), _noise_mv(beats, leads))
    waves = find_waves(*known)
    if waves.qrs_on is None:  # what was counted as beats may be noise, so neither rate nor rhythm is known
        noisy = judge_recording(state, index, duration_s, beats.r.size, None).reasons[:-1]
        return _nothing(Quality("unusable", (*noisy, waves.why["qrs"])))
    rhythm, no_p = _rhythm(found, rr_ms, waves)
    if no_p is not None:
        waves = find_waves(*known, no_p=no_p)
    rr = usual_rr_ms(rr_ms, rhythm.label)
    lead_marks = _lead_marks(beats, marked, quiet, waves)
    beat = _median_beat(beats, waves, state.ok[index], lead_marks[0])
    intervals = intervals_of(beat, rr)
    t_amplitude = _t_amplitude_mv(beat)
    why = reasons(intervals, waves.why | ({} if rr is not None else {"rr": "A rate needs two beats."}))
    if t_amplitude is None:
        why["t_amplitude_mv"] = waves.why.get("t", waves.why.get("qrs", "No T wave was found."))
    return Measurement(
        intervals=intervals,
        not_measurable=why,
        rhythm=rhythm,
        quality=judge_recording(state, index, duration_s, beats.r.size, _noise_share(beats, leads)),
        findings=find_all(intervals, beat, beats, rr_ms, rhythm),
        r_peaks_s=tuple(float(v) for v in np.round(beats.r / FS_HZ, 4)),
        median_beat=beat,
        beat_marks_s=_beat_marks_s(beats, lead_marks, leads, duration_s),
        lead_intervals=_lead_intervals(lead_marks[0], quiet, rr),
        t_amplitude_mv=t_amplitude,
    )


def _lead_marks(
    beats: Beats, marked: list[Marked], quiet: NDArray[np.bool_], waves: Waves
) -> NDArray[np.float64]:
    """(kind, 12, FIDUCIALS) in ms relative to R. Other kinds than the first have their own P and T, as the marker
    says; none has a P where the rhythm has none."""
    p, t = waves.p_on is not None, waves.t_end is not None
    first = [lead_fiducials(beats.medians[0], beats.r_index, marked[0], quiet, p, t)]
    others = zip(beats.medians[1:], marked[1:], strict=True)
    return np.stack(first + [lead_fiducials(m, beats.r_index, kind, quiet, p, True) for m, kind in others])


def _beat_marks_s(
    beats: Beats, lead_marks: NDArray[np.float64], leads: NDArray[np.bool_], duration_s: float
) -> NDArray[np.float64]:
    """(beat, 12, FIDUCIALS) in seconds: the marks of each beat's kind laid on it, P and T where this beat has them."""
    marks = lead_marks[beats.kind]
    for wave, margin_ms in (("p", 20.0), ("t", 60.0)):
        columns = [number for number, name in enumerate(FIDUCIALS) if name.startswith(wave)]
        span_ms = lead_marks[0][:, columns]
        if np.isfinite(span_ms).any():
            start, end = np.nanmin(span_ms) - margin_ms, np.nanmax(span_ms) + margin_ms
            start, end = (beats.r_index + at * FS_HZ / 1000 for at in (start, end))
            shifts = wave_shifts(beats, leads, start, min(end, beats.end))
            marks[..., columns] += shifts[:, None, None] * 1000 / FS_HZ
    marks += beats.r[:, None, None] * 1000 / FS_HZ
    marks /= 1000
    marks[(marks < 0) | (marks > duration_s)] = np.nan
    return marks


def _lead_intervals(
    lead_marks: NDArray[np.float64], quiet: NDArray[np.bool_], rr_ms: float | None
) -> dict[str, Intervals]:
    return {
        LEADS[row]: intervals_between(dict(zip(FIDUCIALS, lead_marks[row], strict=True)), rr_ms)
        for row in np.flatnonzero(quiet)
    }


def _rhythm(found: Found, rr_ms: NDArray[np.float64], waves: Waves) -> tuple[Rhythm, str | None]:
    """The rhythm, and why there is no P wave if there is none in such a rhythm."""
    beats, leads = found.beats, _independent(found.quiet)
    likeness = p_likeness(beats.usual[:, leads], waves)
    flutter = 0.0
    if may_flutter(rr_ms, likeness) and waves.qrs_on is not None and waves.qrs_off is not None:
        before, after = beats.r_index - waves.qrs_on, waves.qrs_off - beats.r_index
        flutter = flutter_score(found.level, beats.r, found.quiet, int(before) + 4, int(after) + 6)
    rhythm = classify(Evidence(rr_ms, likeness, flutter, spike_height_mv(found.x[leads], beats.r)))
    return rhythm, why_no_p(rhythm, likeness)


def _rr_after(beats: Beats, rr_ms: NDArray[np.float64]) -> float | None:
    """Median RR after the dominant beats."""
    after = rr_ms[beats.dominant[:-1]]
    return float(np.median(after)) if after.size else None


def _independent(leads: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of I, II, V1 ... V6, so that the limb plane does not count six times; of other leads, what there is."""
    return leads & _INDEPENDENT if (leads & _INDEPENDENT).any() else leads


def _noise_mv(beats: Beats, leads: NDArray[np.bool_]) -> float:
    """RMS noise of the median beat."""
    return float(np.sqrt((beats.spread[leads] ** 2).mean() / max(1, int(beats.dominant.sum()))))


def _noise_share(beats: Beats, leads: NDArray[np.bool_]) -> float:
    size = float((beats.median[leads] ** 2).mean())
    return float(np.sqrt((beats.spread[leads] ** 2).mean() / size)) if size > 0 else float("inf")


def _median_beat(
    beats: Beats, waves: Waves, ok: NDArray[np.bool_], lead_marks_ms: NDArray[np.float64]
) -> MedianBeat:
    def ms(column: float | None) -> float | None:
        return None if column is None else round((column - beats.r_index) * 1000 / FS_HZ, 3)

    return MedianBeat(
        samples_mv=np.where(ok[:, None], beats.median, np.nan),
        fs_hz=FS_HZ,
        r_index=beats.r_index,
        p_on_ms=ms(waves.p_on),
        p_off_ms=ms(waves.p_off),
        qrs_on_ms=ms(waves.qrs_on),
        qrs_off_ms=ms(waves.qrs_off),
        t_peak_ms=ms(waves.t_peak),
        t_end_ms=ms(waves.t_end),
        lead_marks_ms=lead_marks_ms,
    )


def _t_amplitude_mv(beat: MedianBeat) -> float | None:
    """Height at the T peak above the level before the QRS, in the lead where it is largest."""
    if beat.t_peak_ms is None or beat.qrs_on_ms is None:
        return None
    peak = beat.r_index + round(beat.t_peak_ms * FS_HZ / 1000)
    start = max(0, beat.r_index + round(beat.qrs_on_ms * FS_HZ / 1000) - 2)
    return round(float(np.nanmax(np.abs(beat.samples_mv[:, peak] - beat.samples_mv[:, start]))), 4)
