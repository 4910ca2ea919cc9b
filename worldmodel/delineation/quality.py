"""Which leads can be measured, and what the whole recording is worth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS
from worldmodel.measurement import Quality

IMPOSSIBLE_MV = 50.0


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
    """The state of each lead of samples (batch, lead, time), NaN where nothing was recorded."""
    if samples_mv.shape[-1] == 0:
        nothing = np.ones(samples_mv.shape[:2], dtype=bool)
        return LeadState(nothing, ~nothing, ~nothing, ~nothing, ~nothing)
    finite = np.isfinite(samples_mv)
    share = finite.mean(axis=-1)
    x = np.where(finite, samples_mv, 0.0)
    low, high = x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)
    span = (high - low)[..., 0]
    middle = np.median(x, axis=-1, keepdims=True)
    at_rail = ((x >= high - 1e-9) | (x <= low + 1e-9)) & (np.diff(x, axis=-1, prepend=np.nan) == 0)
    spread = np.percentile(np.abs(x - middle), 99, axis=-1)
    missing = share == 0
    flat = ~missing & (spread < 0.005)
    return LeadState(
        missing=missing,
        gappy=~missing & (share < 0.9),
        flat=flat,
        saturated=~missing & ~flat & (at_rail.mean(axis=-1) > 0.05) & (span > 0.5),
        impossible=~missing & (spread > IMPOSSIBLE_MV),
    )


def judge_recording(
    state: LeadState, index: int, duration_s: float, n_beats: int, noise_ratio: float | None
) -> Quality:
    """The verdict on one recording of the batch.

    noise_ratio: RMS of what differs between beats over the RMS of the median beat; None without a beat.
    """
    reasons = _lead_reasons(state, index)
    ok = int(state.ok[index].sum())
    if duration_s < 5.0:
        reasons.append(f"Only {duration_s:.1f} s long.")
    if ok == 0:
        return Quality("unusable", (*reasons, "No lead can be measured."))
    if n_beats < 1 or noise_ratio is None:
        return Quality("unusable", (*reasons, "No heart beat was found."))
    if noise_ratio > 0.6:
        reasons.append(f"Beats differ from their median by {noise_ratio:.0%} of its size: noise or artefact.")
    if ok < 2 or noise_ratio > 1.2:
        return Quality("unusable" if noise_ratio > 1.2 else "usable", tuple(reasons))
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
