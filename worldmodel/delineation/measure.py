"""Measuring: recordings in, a Measurement for each out; never an exception, whatever the samples.

lead states -> 500 Hz -> QRS complexes -> beats and their median -> waves -> rhythm -> intervals, findings
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.atrial import atrial_cycle, p_likeness, view_diastole
from worldmodel.delineation.beats import Beats, build_beats, place_r, remove_wander
from worldmodel.delineation.disorder import suspect_fibrillation
from worldmodel.delineation.filters import FS_HZ, fill_gaps, remove_mains, resample
from worldmodel.delineation.findings import find_all
from worldmodel.delineation.intervals import intervals_of, reasons
from worldmodel.delineation.noise import Noise, jumps_mv, measure_noise
from worldmodel.delineation.pacing import spike_height_mv
from worldmodel.delineation.qrs import find_beats, qrs_energy
from worldmodel.delineation.quality import (
    LeadState,
    judge_leads,
    judge_recording,
    lead_faults,
    quiet_leads,
    without_spikes,
)
from worldmodel.delineation.reversal import suspect_reversal
from worldmodel.delineation.rhythm import Evidence, classify, usual_rr_ms, why_no_p
from worldmodel.delineation.waves import Waves, find_waves
from worldmodel.delineation.window import WINDOW_S, best_start_s
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS, Ecg, standard_twelve
from worldmodel.measurement import Finding, Intervals, Measurement, MedianBeat, Quality

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


def measure_batch(samples_mv: NDArray[np.floating], fs_hz: float) -> list[Measurement]:
    """One Measurement for each of samples_mv (batch, 12 leads in standard order, time) in mV.

    NaN where nothing was recorded; any rate and length.
    """
    if len(samples_mv) > _CHUNK:
        chunks = (samples_mv[first : first + _CHUNK] for first in range(0, len(samples_mv), _CHUNK))
        return [measured for chunk in chunks for measured in measure_batch(chunk, fs_hz)]
    raw = np.clip(np.asarray(samples_mv, dtype=np.float64), -_ABSURD_MV, _ABSURD_MV)
    if raw.shape[-1] < 2:
        return [_nothing(Quality("unusable", ("The recording is empty.",))) for _ in raw]
    state = judge_leads(raw)
    x = fill_gaps(without_spikes(np.where(state.ok[..., None], raw, 0.0)))
    with_mains = resample(x, fs_hz)
    x = remove_mains(with_mains)
    noise = measure_noise(with_mains, x)
    energy = qrs_energy(x, state.ok)
    return [_measure_one(x[i], energy[i], state, noise, i) for i in range(raw.shape[0])]


def _nothing(quality: Quality, finding: Finding | None = None) -> Measurement:
    why = reasons(Intervals(), {"beat": quality.reasons[-1]}) | {"t_amplitude_mv": quality.reasons[-1]}
    return Measurement(not_measurable=why, quality=quality, findings=(finding,) if finding else ())


def _measure_one(
    x: NDArray[np.float64], energy: NDArray[np.float64], state: LeadState, noise: Noise, index: int
) -> Measurement:
    """x (12, time) at 500 Hz without gaps, its QRS energy (time,), and its place in the batch."""
    duration_s = x.shape[-1] / FS_HZ
    ok = int(state.ok[index].sum())
    found = find_beats(energy) if ok else np.zeros(0, dtype=np.int_)
    if not found.size:
        quality = judge_recording(lead_faults(state, noise, index), ok, duration_s, 0, None)
        return _nothing(quality, suspect_fibrillation(x, state.ok[index]))
    quiet = quiet_leads(x, state.ok[index])
    r = place_r(remove_wander(x, found), found, quiet)
    level = remove_wander(x, r)
    beats = build_beats(level, r, quiet)
    faults = lead_faults(state, noise, index, jumps_mv(x, beats.r))
    leads = _independent(quiet)
    rr_ms = np.diff(beats.r) * 1000 / FS_HZ
    known = (beats.median[leads], beats.r_index, *_rr_around(beats, rr_ms), _noise_mv(beats, leads))
    waves = find_waves(*known)
    if waves.qrs_on is None:  # what was counted as beats may be noise, so neither rate nor rhythm is known
        noisy = judge_recording(faults, ok, duration_s, r.size, None).reasons[:-1]
        quality = Quality("unusable", (*noisy, waves.why["qrs"]), faults)
        return _nothing(quality, suspect_fibrillation(x, quiet))
    evidence = _evidence(level, x, beats, quiet, rr_ms, waves)
    rhythm = classify(evidence)
    no_p = why_no_p(rhythm, evidence)
    if no_p is not None:
        waves = find_waves(*known, no_p=no_p)
    rr = usual_rr_ms(rr_ms, rhythm.label)
    beat = _median_beat(beats, waves, state.ok[index])
    intervals = intervals_of(beat, rr)
    t_amplitude = _t_amplitude_mv(beat)
    why = reasons(intervals, waves.why | ({} if rr is not None else {"rr": "A rate needs two beats."}))
    if t_amplitude is None:
        why["t_amplitude_mv"] = waves.why.get("t", waves.why.get("qrs", "No T wave was found."))
    return Measurement(
        intervals=intervals,
        not_measurable=why,
        rhythm=rhythm,
        quality=judge_recording(
            faults, ok, duration_s, r.size, _noise_share(beats, leads), suspect_reversal(beat)
        ),
        findings=find_all(intervals, beat, beats, x.shape[-1], evidence, rhythm),
        r_peaks_s=tuple(float(v) for v in np.round(beats.r / FS_HZ, 4)),
        median_beat=beat,
        t_amplitude_mv=t_amplitude,
    )


def _evidence(
    level: NDArray[np.float64],
    raw: NDArray[np.float64],
    beats: Beats,
    quiet: NDArray[np.bool_],
    rr_ms: NDArray[np.float64],
    waves: Waves,
) -> Evidence:
    """What the rhythm is read from."""
    assert waves.qrs_on is not None and waves.qrs_off is not None
    usual = beats.likeness > 0.8
    qrs = (waves.qrs_on, waves.qrs_off)
    diastole = view_diastole(level, beats.r, usual, quiet, beats.median, beats.r_index, qrs, waves.t_end)
    cycle = atrial_cycle(diastole, float(np.median(rr_ms)) if rr_ms.size else None)
    spikes = spike_height_mv(raw[_independent(quiet)], beats.r)
    return Evidence(rr_ms, p_likeness(diastole, beats.dominant), cycle, spikes)


def _rr_around(beats: Beats, rr_ms: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Median RR before and after the dominant beats."""
    before, after = rr_ms[beats.dominant[1:]], rr_ms[beats.dominant[:-1]]
    return (
        float(np.median(before)) if before.size else None,
        float(np.median(after)) if after.size else None,
    )


def _independent(leads: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of I, II, V1 ... V6, so that the limb plane does not count six times; of other leads, what there is."""
    return leads & _INDEPENDENT if (leads & _INDEPENDENT).any() else leads


def _noise_mv(beats: Beats, leads: NDArray[np.bool_]) -> float:
    """RMS noise of the median beat."""
    return float(np.sqrt((beats.spread[leads] ** 2).mean() / max(1, beats.windows.shape[0])))


def _noise_share(beats: Beats, leads: NDArray[np.bool_]) -> float:
    size = float((beats.median[leads] ** 2).mean())
    return float(np.sqrt((beats.spread[leads] ** 2).mean() / size)) if size > 0 else float("inf")


def _median_beat(beats: Beats, waves: Waves, ok: NDArray[np.bool_]) -> MedianBeat:
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
    )


def _t_amplitude_mv(beat: MedianBeat) -> float | None:
    """Height at the T peak above the level before the QRS, in the lead where it is largest."""
    if beat.t_peak_ms is None or beat.qrs_on_ms is None:
        return None
    peak = beat.r_index + round(beat.t_peak_ms * FS_HZ / 1000)
    start = max(0, beat.r_index + round(beat.qrs_on_ms * FS_HZ / 1000) - 2)
    return round(float(np.nanmax(np.abs(beat.samples_mv[:, peak] - beat.samples_mv[:, start]))), 4)
