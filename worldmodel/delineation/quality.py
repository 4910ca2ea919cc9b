"""Which leads can be measured, and what the whole recording is worth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.noise import Noise
from worldmodel.delineation.order import median, quantiles
from worldmodel.ecg import LEADS
from worldmodel.measurement import Quality

# No surface ECG comes near; what does is an artefact or another unit.
IMPOSSIBLE_MV = 50.0
_FLAT_MV = 0.005
# From here on a lead's noise is told, though the lead stays in use. Hum: twice the 30 uV peak to peak of noise
# that IEC 60601-2-25 allows the electrocardiograph itself (from memory). Muscle: its peaks, three times the
# RMS, are as tall as a P wave of 0.1 mV. Wander: the trace leaves its row on paper, which is 10 mm high. Jump:
# 5 mm, which no part of a beat that recurs explains. Small: a tenth of what is low voltage in V1 to V6.
_HUM_MV, _MUSCLE_MV, _WANDER_MV, _JUMP_MV, _SMALL_MV = 0.03, 0.035, 1.0, 0.5, 0.1
# A recording shorter than this shows too few beats to tell rhythm from chance.
_SHORT_S = 5.0


@dataclass(frozen=True)
class LeadState:
    """Per recording and lead, each (batch, lead) of bool; `ok` are the leads that are measured."""

    missing: NDArray[np.bool_]
    gappy: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    impossible: NDArray[np.bool_]
    bridged: NDArray[np.bool_]
    clipped: NDArray[np.bool_]

    @property
    def ok(self) -> NDArray[np.bool_]:
        return ~(self.missing | self.gappy | self.flat | self.saturated | self.impossible)


def judge_leads(samples_mv: NDArray[np.float64]) -> LeadState:
    """The state of each lead of samples (batch, lead, time), time > 0; NaN where nothing was recorded."""
    finite = np.isfinite(samples_mv)
    recorded = finite.mean(axis=-1)
    x = np.where(finite, samples_mv, 0.0)
    low, high = x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)
    coarse = x[..., :: max(1, x.shape[-1] // 1000)]
    spread = quantiles(np.abs(coarse - median(coarse, keepdims=True)), 0.99)[0]
    standing = x[..., 1:] == x[..., :-1]
    at_rail = standing & ((x[..., 1:] == high) | (x[..., 1:] == low))
    missing = recorded == 0
    flat = ~missing & (np.maximum(spread, 0.1 * (high - low)[..., 0]) < _FLAT_MV)
    gappy = ~missing & (recorded < 0.9)
    tall = ~missing & ~flat & ((high - low)[..., 0] > 0.5)
    saturated = tall & (at_rail.sum(axis=-1) > 0.05 * x.shape[-1])
    return LeadState(
        missing=missing,
        gappy=gappy,
        flat=flat,
        saturated=saturated,
        impossible=~missing & (spread > IMPOSSIBLE_MV),
        bridged=~missing & ~gappy & (recorded < 1),
        clipped=tall & ~saturated & (_plateaus(at_rail) >= 3),
    )


def _plateaus(at_rail: NDArray[np.bool_]) -> NDArray[np.int_]:
    """How often three samples and more stand at the very highest or lowest value, which peaks of a heart do not."""
    three = at_rail[..., 1:] & at_rail[..., :-1]
    return np.asarray((three[..., 1:] & ~three[..., :-1]).sum(axis=-1))


def without_spikes(samples_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row (..., time) around its middle, NaN where it is impossibly far from it."""
    coarse = samples_mv[..., :: max(1, samples_mv.shape[-1] // 1000)]
    centred = samples_mv - median(np.where(np.isfinite(coarse), coarse, 0.0), keepdims=True)
    return np.where(np.abs(centred) <= IMPOSSIBLE_MV, centred, np.nan)


def quiet_leads(x: NDArray[np.float64], ok: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The good leads of x (lead, time) at 500 Hz without those that are far noisier than the rest.

    Noise is the median step from every eighth sample to the next, which the few steep samples of a beat do not move.
    """
    step = median(np.abs(x[:, 1::8] - x[:, :-1:8]))
    return ok & (step <= max(0.02, 5 * float(median(step[ok]))))


def lead_faults(
    state: LeadState, noise: Noise, index: int, jumps_mv: NDArray[np.float64] | None = None
) -> dict[str, tuple[str, ...]]:
    """What is wrong with which lead of the recording at `index` of the batch.

    jumps_mv: (lead,) as noise.jumps_mv gives them, None where no beats are known. A lead that is not measured
    for one of the first five faults has no other told; the rest leave it in use.
    """
    broken = (
        (state.missing, "missing"),
        (state.gappy, "not recorded for over a tenth of the time"),
        (state.flat, "flat"),
        (state.saturated, "saturated"),
        (state.impossible, f"beyond {IMPOSSIBLE_MV:g} mV"),
    )
    hum = noise.mains_mv[index] > _HUM_MV
    jumps = np.zeros(len(LEADS)) if jumps_mv is None else jumps_mv
    impaired = (
        (state.bridged[index], "short gaps, bridged by straight lines"),
        (state.clipped[index], "peaks cut off"),
        (hum & (noise.mains_hz[index] == 50), "mains hum of 50 Hz, removed"),
        (hum & (noise.mains_hz[index] == 60), "mains hum of 60 Hz, removed"),
        (noise.muscle_mv[index] > _MUSCLE_MV, "muscle noise"),
        (noise.wander_mv[index] > _WANDER_MV, "baseline wander"),
        (jumps > _JUMP_MV, "a sudden jump of the baseline"),
        (noise.swing_mv[index] < _SMALL_MV, "a signal under 0.1 mV"),
    )
    faults = {}
    for row, name in enumerate(LEADS):
        told = tuple(text for bad, text in broken if bad[index, row])
        told = told or tuple(text for bad, text in impaired if bad[row])
        if told:
            faults[name] = told
    return faults


def judge_recording(
    faults: dict[str, tuple[str, ...]],
    ok: int,
    duration_s: float,
    n_beats: int,
    noise_share: float | None,
    electrodes: str | None = None,
) -> Quality:
    """The verdict on one recording.

    faults: of each lead; ok: how many leads are measured. noise_share: RMS of what differs between beats over
    the RMS of the median beat, None without a beat. electrodes: what reversal.suspect_reversal says.
    """
    texts = dict.fromkeys(text for told in faults.values() for text in told)
    reasons = [f"{', '.join(lead for lead in faults if text in faults[lead])}: {text}." for text in texts]
    if electrodes is not None:
        reasons.append(electrodes)
    if duration_s < _SHORT_S:
        reasons.append(f"Only {duration_s:.1f} s long.")
    if ok == 0:
        return Quality("unusable", (*reasons, "No lead can be measured."), faults)
    if n_beats == 0 or noise_share is None:
        return Quality("unusable", (*reasons, "No heart beat was found."), faults)
    if noise_share > 0.4:
        reasons.append(f"Beats differ from their median by {noise_share:.0%} of its size: noise or artefact.")
    if noise_share > 1.0:
        return Quality("unusable", tuple(reasons), faults)
    return Quality("usable" if reasons else "good", tuple(reasons), faults)
