"""Measuring: a batch of recordings in, a Measurement for each out; never an exception."""

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.atrial import flutter_score, p_coherence
from worldmodel.delineation.beats import Beats, build_beats, place_r, remove_wander
from worldmodel.delineation.filters import FS_HZ, fill_gaps, filter_bands, resample
from worldmodel.delineation.findings import interval_findings
from worldmodel.delineation.intervals import intervals_of, reasons
from worldmodel.delineation.qrs import find_beats, qrs_energy
from worldmodel.delineation.quality import LeadState, judge_leads, judge_recording
from worldmodel.delineation.rhythm import Evidence, classify
from worldmodel.delineation.waves import Waves, find_waves
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg, standard_twelve
from worldmodel.measurement import Intervals, Measurement, MedianBeat, Quality, Rhythm

_INDEPENDENT = np.array([name in INDEPENDENT_LEADS for name in LEADS])


def measure(ecg: Ecg, window_s: float = 10.0) -> Measurement:
    """Rate, intervals, rhythm, findings and quality of one recording; whatever cannot be had comes with its reason."""
    from dataclasses import replace

    twelve = standard_twelve(ecg)
    if twelve.duration_s > window_s:
        twelve = twelve.window((twelve.duration_s - window_s) / 2, window_s)
    measured = measure_batch(twelve.samples_mv[None], twelve.fs_hz)[0]
    why = dict(measured.not_measurable)
    if not ecg.amplitudes_trusted:
        why["t_amplitude_mv"] = "The scale of the file cannot be true."
    return replace(
        measured,
        missing_leads=twelve.missing_leads,
        warnings=twelve.warnings,
        t_amplitude_mv=measured.t_amplitude_mv if ecg.amplitudes_trusted else None,
        not_measurable=why,
    )


def measure_batch(samples_mv: NDArray[np.floating], fs_hz: float) -> list[Measurement]:
    """One Measurement for each of samples_mv (batch, 12 standard leads, time) in mV; NaN rows are missing leads."""
    raw = np.asarray(samples_mv, dtype=np.float64)
    state = judge_leads(raw)
    if raw.shape[-1] < 2:
        return [_nothing("The recording is empty.") for _ in range(raw.shape[0])]
    usable = np.where(state.ok[..., None], raw, 0.0)
    x = resample(fill_gaps(usable), fs_hz)
    energy = qrs_energy(x, state.ok)
    clean = filter_bands(x, ((0.0, 100.0),))[0]
    return [_measure_one(clean[i], energy[i], state, i) for i in range(raw.shape[0])]


def _nothing(reason: str) -> Measurement:
    empty = Intervals()
    return Measurement(
        intervals=empty,
        not_measurable=reasons(empty, {"beat": reason}),
        quality=Quality("unusable", (reason,)),
    )


def _measure_one(
    x: NDArray[np.float64], energy: NDArray[np.float64], state: LeadState, index: int
) -> Measurement:
    ok = state.ok[index]
    duration_s = x.shape[-1] / FS_HZ
    found = find_beats(energy) if ok.any() else np.zeros(0, dtype=np.int_)
    if not found.size:
        quality = judge_recording(state, index, duration_s, 0, None)
        empty = Intervals()
        return Measurement(not_measurable=reasons(empty, {"beat": quality.reasons[-1]}), quality=quality)
    level = remove_wander(x, found)
    r = place_r(level, found, ok)
    level = remove_wander(x, r)
    beats = build_beats(level, r, ok)
    rr_ms = np.diff(beats.r) * 1000 / FS_HZ
    rr = float(np.mean(rr_ms)) if rr_ms.size else None
    leads = _wave_leads(ok)
    waves = find_waves(beats.median[leads], beats.r_index, rr, _noise(beats, ok))
    p_locked = p_coherence(beats.windows[:, leads], waves)
    flutter = 0.0
    if waves.qrs_on is not None and waves.qrs_off is not None:
        flutter = flutter_score(
            level, beats.r, ok, int(beats.r_index - waves.qrs_on) + 4, int(waves.qrs_off - beats.r_index) + 6
        )
    rhythm = classify(Evidence(rr_ms, p_locked, flutter))
    why = dict(waves.why)
    if rr is None:
        why["rr"] = "A rate needs two beats."
    beat = _median_beat(beats, waves, ok, rhythm, p_locked)
    if rhythm.label in ("atrial_fibrillation", "atrial_flutter"):
        why["p"] = "Atrial fibrillation has no P wave."
    intervals = intervals_of(beat, rr)
    not_measurable = reasons(intervals, why)
    t_amplitude = _t_amplitude(beat)
    if t_amplitude is None:
        not_measurable["t_amplitude_mv"] = why.get("t", "No T wave was found.")
    return Measurement(
        intervals=intervals,
        not_measurable=not_measurable,
        rhythm=rhythm,
        quality=judge_recording(state, index, duration_s, r.size, _noise_ratio(beats, ok)),
        findings=tuple(interval_findings(intervals)),
        r_peaks_s=tuple(float(v) for v in beats.r / FS_HZ),
        median_beat=beat,
        t_amplitude_mv=t_amplitude,
    )


def _wave_leads(ok: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The independent good leads, so that the limb plane does not count six times; else whatever is good."""
    return ok & _INDEPENDENT if (ok & _INDEPENDENT).any() else ok


def _noise(beats: Beats, ok: NDArray[np.bool_]) -> float:
    """RMS noise of the median beat in mV."""
    n = max(1, int(beats.dominant.sum()))
    return float(np.sqrt((beats.spread[ok] ** 2).mean() / n))


def _noise_ratio(beats: Beats, ok: NDArray[np.bool_]) -> float:
    size = float(np.sqrt((beats.median[ok] ** 2).mean()))
    return float(np.sqrt((beats.spread[ok] ** 2).mean()) / size) if size > 0 else float("inf")


def _median_beat(beats: Beats, waves: Waves, ok: NDArray[np.bool_], rhythm: Rhythm, p_locked) -> MedianBeat:
    def ms(column: float | None) -> float | None:
        return None if column is None else round((column - beats.r_index) * 1000 / FS_HZ, 3)

    no_p = rhythm.label in ("atrial_fibrillation", "atrial_flutter") or (
        p_locked is not None and p_locked < 0.5
    )
    return MedianBeat(
        samples_mv=np.where(ok[:, None], beats.median, np.nan),
        fs_hz=FS_HZ,
        r_index=beats.r_index,
        p_on_ms=None if no_p else ms(waves.p_on),
        p_off_ms=None if no_p else ms(waves.p_off),
        qrs_on_ms=ms(waves.qrs_on),
        qrs_off_ms=ms(waves.qrs_off),
        t_peak_ms=ms(waves.t_peak),
        t_end_ms=ms(waves.t_end),
    )


def _t_amplitude(beat: MedianBeat) -> float | None:
    """Height of the T peak in the lead where it is largest, mV."""
    if beat.t_peak_ms is None:
        return None
    column = beat.r_index + round(beat.t_peak_ms * FS_HZ / 1000)
    return round(float(np.nanmax(np.abs(beat.samples_mv[:, column]))), 4)
