"""Which leads can be measured, and what the whole recording is worth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS
from worldmodel.measurement import Quality

# No surface ECG comes near; what does is an artefact or another unit.
IMPOSSIBLE_MV = 50.0
_FLAT_MV = 0.005


@dataclass(frozen=True)
class LeadState:
    """Per recording and lead, each (batch, lead) of bool; `ok` are the leads that are measured."""

    missing: NDArray[np.bool_]
    gappy: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    impossible: NDArray[np.bool_]

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
    spread = np.percentile(np.abs(coarse - np.median(coarse, axis=-1, keepdims=True)), 99, axis=-1)
    standing = x[..., 1:] == x[..., :-1]
    at_rail = standing & ((x[..., 1:] == high) | (x[..., 1:] == low))
    missing = recorded == 0
    flat = ~missing & (np.maximum(spread, 0.1 * (high - low)[..., 0]) < _FLAT_MV)
    return LeadState(
        missing=missing,
        gappy=~missing & (recorded < 0.9),
        flat=flat,
        saturated=~missing
        & ~flat
        & (at_rail.sum(axis=-1) > 0.05 * x.shape[-1])
        & ((high - low)[..., 0] > 0.5),
        impossible=~missing & (spread > IMPOSSIBLE_MV),
    )


def without_spikes(samples_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row (..., time) around its middle, NaN where it is impossibly far from it."""
    coarse = samples_mv[..., :: max(1, samples_mv.shape[-1] // 1000)]
    centred = samples_mv - np.median(np.where(np.isfinite(coarse), coarse, 0.0), axis=-1, keepdims=True)
    return np.where(np.abs(centred) <= IMPOSSIBLE_MV, centred, np.nan)


def quiet_leads(x: NDArray[np.float64], ok: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The good leads of x (lead, time) at 500 Hz without those that are far noisier than the rest.

    Noise is the median step from one sample to the next, which the few steep samples of a beat do not move.
    """
    step = np.median(np.abs(np.diff(x, axis=-1)), axis=-1)
    return ok & (step <= max(0.02, 5 * float(np.median(step[ok]))))


def judge_recording(
    state: LeadState, index: int, duration_s: float, n_beats: int, noise_share: float | None
) -> Quality:
    """The verdict on one recording of the batch.

    noise_share: RMS of what differs between beats over the RMS of the median beat; None without a beat.
    """
    reasons = _lead_reasons(state, index)
    ok = int(state.ok[index].sum())
    if duration_s < 5.0:
        reasons.append(f"Only {duration_s:.1f} s long.")
    if ok == 0:
        return Quality("unusable", (*reasons, "No lead can be measured."))
    if n_beats == 0 or noise_share is None:
        return Quality("unusable", (*reasons, "No heart beat was found."))
    if noise_share > 0.4:
        reasons.append(f"Beats differ from their median by {noise_share:.0%} of its size: noise or artefact.")
    if noise_share > 1.0:
        return Quality("unusable", tuple(reasons))
    return Quality("usable" if reasons else "good", tuple(reasons))


def _lead_reasons(state: LeadState, index: int) -> list[str]:
    texts = (
        (state.missing, "missing"),
        (state.gappy, "not recorded for over a tenth of the time"),
        (state.flat, "flat"),
        (state.saturated, "saturated"),
        (state.impossible, f"beyond {IMPOSSIBLE_MV:g} mV"),
    )
    return [
        f"{', '.join(names)}: {text}."
        for bad, text in texts
        if (names := [name for name, is_bad in zip(LEADS, bad[index], strict=True) if is_bad])
    ]
