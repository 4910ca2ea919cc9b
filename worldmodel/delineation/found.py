"""From samples to beats, for a whole batch: lead states -> 500 Hz -> QRS complexes -> beats and their medians."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from worldmodel.delineation.beats import Beats, build_beats, place_r, remove_wander
from worldmodel.delineation.disorder import suspect_fibrillation
from worldmodel.delineation.filters import FS_HZ, fill_gaps, remove_mains, resample, smooth
from worldmodel.delineation.noise import jumps_mv, measure_noise
from worldmodel.delineation.order import median
from worldmodel.delineation.qrs import find_beats, qrs_energy
from worldmodel.delineation.quality import (
    judge_leads,
    judge_recording,
    lead_faults,
    quiet_leads,
    without_spikes,
)
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS
from worldmodel.measurement import Finding, Quality

# Beyond this numbers only overflow; far below it no lead is believed any more.
_ABSURD_MV = 1e6
# Peaks of noise resemble each other no more than by chance; of LUDB's records the least uniform, half of its beats
# paced, has 45 % alike.
_ENOUGH_BEATS, _ALIKE, _LEAST_ALIKE = 4, 0.7, 0.34
_INDEPENDENT = np.array([name in INDEPENDENT_LEADS for name in LEADS])


@dataclass(frozen=True)
class Found:
    """A recording with beats.

    x, level: (12, time) in mV at 500 Hz, with and without wander. ok: (12,) leads that are recorded, quiet:
    those of them that are measured, leads: those of them that count, so that the limb plane does not count six
    times. faults: what is wrong with which lead.
    """

    x: NDArray[np.float64]
    level: NDArray[np.float64]
    ok: NDArray[np.bool_]
    quiet: NDArray[np.bool_]
    faults: dict[str, tuple[str, ...]]
    beats: Beats

    @property
    def leads(self) -> NDArray[np.bool_]:
        return self.quiet & _INDEPENDENT if (self.quiet & _INDEPENDENT).any() else self.quiet

    @property
    def duration_s(self) -> float:
        return float(self.x.shape[-1] / FS_HZ)

    @property
    def rr_ms(self) -> NDArray[np.float64]:
        """Between successive beats."""
        return np.asarray(np.diff(self.beats.r) * 1000 / FS_HZ)

    @property
    def rr_after_ms(self) -> float | None:
        """Median RR after the dominant beats."""
        after = self.rr_ms[self.beats.dominant[:-1]]
        return float(median(after)) if after.size else None

    @property
    def noise_mv(self) -> float:
        """RMS noise of the median beat."""
        each = (self.beats.spread_mv[self.leads] ** 2).mean()
        return float(np.sqrt(each / max(1, int(self.beats.dominant.sum()))))

    @property
    def noise_share(self) -> float:
        """RMS of what differs between the dominant beats, over that of their median."""
        size = float((self.beats.median[self.leads] ** 2).mean())
        each = float((self.beats.spread_mv[self.leads] ** 2).mean())
        return float(np.sqrt(each / size)) if size > 0 else float("inf")


@dataclass(frozen=True)
class NoBeats:
    """A recording without beats: what is wrong, and what may be there instead."""

    quality: Quality
    finding: Finding | None = None


def find_all_beats(samples_mv: NDArray[np.floating], fs_hz: float) -> list[Found | NoBeats]:
    """The beats of each of samples_mv (batch, 12 leads in standard order, time) in mV at any rate, NaN where nothing
    was recorded."""
    raw = np.clip(np.asarray(samples_mv, dtype=np.float64), -_ABSURD_MV, _ABSURD_MV)
    if raw.shape[-1] < 2:
        return [NoBeats(Quality("unusable", ("The recording is empty.",))) for _ in raw]
    state = judge_leads(raw)
    with_mains = resample(fill_gaps(without_spikes(np.where(state.ok[..., None], raw, 0.0))), fs_hz)
    x = remove_mains(with_mains)
    noise = measure_noise(with_mains, x)
    energy = qrs_energy(x, state.ok)
    found: list[Found | NoBeats] = []
    for i, ok in enumerate(state.ok):
        beats = find_beats(energy[i]) if ok.any() else np.zeros(0, dtype=np.int_)
        if not beats.size:
            found.append(no_beats(x[i], ok, lead_faults(state, noise, i)))
            continue
        quiet = quiet_leads(x[i], ok)
        r = place_r(x[i], beats, quiet)
        level = remove_wander(x[i], r)
        built = build_beats(level, r, quiet)
        faults = lead_faults(state, noise, i, jumps_mv(x[i], built.r))
        if r.size >= _ENOUGH_BEATS and (built.likeness > _ALIKE).mean() < _LEAST_ALIKE:
            found.append(
                no_beats(x[i], ok, faults, "The beats do not resemble each other: they may be noise.")
            )
            continue
        found.append(Found(x[i], level, ok, quiet, faults, built))
    return found


def no_beats(
    x: NDArray[np.float64], ok: NDArray[np.bool_], faults: dict[str, tuple[str, ...]], why: str | None = None
) -> NoBeats:
    """What is to be said of x (12, time) at 500 Hz without beats; why: where something was taken for beats at first."""
    quality = judge_recording(faults, int(ok.sum()), x.shape[-1] / FS_HZ, 0, None)
    if why is not None:
        quality = replace(quality, reasons=(*quality.reasons[:-1], why))
    return NoBeats(quality, suspect_fibrillation(x, ok))


def marker_beats(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Beats (..., time) at 500 Hz as `Beats` has them, at the marker's rate."""
    return np.asarray(smooth(windows, 1.5)[..., :-1:2])
