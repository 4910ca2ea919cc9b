"""Fitting beats of real recordings as waves in lead space: what ships is the parameters, never a sample.

The places of the waves are given, by the landmarks that were measured, so the heights are linear and their fit has
one answer. Only the steepness of T is searched for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from worldmodel.anchor import level_ends
from worldmodel.beat import BeatTiming
from worldmodel.checkpoint import save_tensors
from worldmodel.delineation.measure import measure
from worldmodel.ecg import INDEPENDENT_LEADS, LEADS
from worldmodel.errors import EcgFileError, WorldModelError
from worldmodel.measurement import Measurement, MedianBeat
from worldmodel.readers import read_ecg
from worldmodel.virtual.noise_fit import noise_levels
from worldmodel.virtual.waves import COMPONENTS, DELTA, FITTED_QRS, QRS, ST, P, T, Waves, place_waves

CLASSES = ("narrow", "rbbb", "lbbb", "wide", "paced")
RISES = (0.18, 0.22, 0.26, 0.30, 0.35, 0.40, 0.46)  # of J-Tpeak, width of T's left flank
RIDGE = 2e-4
LEAST_SHARE, MOST_RMS_MV = 0.97, 0.05  # a fit that is worse is left out
LEAST_RECORDINGS = 5
BEFORE_MS, AFTER_MS = 30.0, 120.0  # of what is fitted, before P and after T


@dataclass(frozen=True)
class Fitted:
    """One beat as waves: mv (COMPONENTS, 8), landmarks_ms (7,), and how well: RMS in mV, share of the variance."""

    mv: Tensor
    rise: float
    landmarks_ms: Tensor
    rr_s: float
    has_p: bool
    kind: int
    rms_mv: float
    share: float


def layout(rise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places, widths (batch, COMPONENTS) and T's left widths of fitted waves; rise: (batch,) of T's main left flank.

    P: three; QRS: FITTED_QRS side by side, and room for a delta wave; ST: four up to the peak of T; T: the main
    wave, one on either side of its peak for notches and two phases, its tail, and U.
    """
    batch = rise.shape[0]
    place = torch.cat(
        [
            torch.tensor([0.28, 0.5, 0.72]),
            torch.linspace(0.05, 0.95, FITTED_QRS),
            torch.tensor([0.16]),
            torch.tensor([0.06, 0.28, 0.5, 0.72]),
            torch.tensor([0.0, -0.45, 0.35, 0.8, 2.2]),
        ]
    )
    width = torch.zeros(COMPONENTS)
    width[P], width[QRS], width[DELTA], width[ST] = 0.15, 0.065, 0.11, 0.13
    width[T] = torch.tensor([0.5, 0.35, 0.3, 0.25, 0.5])
    t_left = torch.tensor([0.0, 0.10, 0.10, 0.10, 0.14]).repeat(batch, 1)
    t_left[:, 0] = rise
    return place.repeat(batch, 1), width.repeat(batch, 1), t_left


def fit_beat(beat: MedianBeat, measured: Measurement) -> Fitted | None:
    """The waves of a median beat; None where a lead or a landmark that is needed is lacking."""
    eight = beat.samples_mv[[LEADS.index(name) for name in INDEPENDENT_LEADS]]
    marks = (beat.qrs_on_ms, beat.qrs_off_ms, beat.t_peak_ms, beat.t_end_tangent_ms)
    if np.isnan(eight).any() or (np.abs(eight).max(axis=1) < 0.02).any() or None in marks:
        return None
    qrs_on, qrs_off, t_peak, t_end = (float(mark) for mark in marks if mark is not None)
    has_p = beat.p_on_ms is not None and beat.p_off_ms is not None
    p_on, p_off = (
        (float(beat.p_on_ms or 0), float(beat.p_off_ms or 0)) if has_p else (qrs_on - 160, qrs_on - 60)
    )
    landmarks = torch.tensor([p_on, min(p_off, qrs_on - 2.0), qrs_on, 0.0, qrs_off, t_peak, t_end])
    if not bool((landmarks.diff() > 0).all()):
        return None
    timing = BeatTiming(
        landmarks[None], torch.tensor([(measured.intervals.rr_ms or 1000) / 1000]), torch.tensor([has_p])
    )
    mv = level_ends(torch.from_numpy(eight).float()[None], beat.fs_hz, beat.r_index, timing)[0]
    at_ms = (torch.arange(mv.shape[1]) - beat.r_index) * 1000 / beat.fs_hz
    inside = (at_ms > (p_on if has_p else qrs_on) - BEFORE_MS) & (at_ms < t_end + AFTER_MS)
    mv, at_ms = mv[:, inside], at_ms[inside]
    best: tuple[float, float, Tensor] | None = None
    for rise in RISES:
        basis = _basis(timing, rise, at_ms)
        basis[:, DELTA] = 0.0
        gram = basis.T @ basis + RIDGE * len(at_ms) * torch.eye(COMPONENTS)
        heights = torch.linalg.solve(gram, basis.T @ mv.T)
        rms = float((mv.T - basis @ heights).square().mean().sqrt())
        if best is None or rms < best[0]:
            best = (rms, rise, heights)
    assert best is not None
    rms, rise, heights = best
    heights[DELTA] = 0.0
    share = 1 - rms**2 / float((mv - mv.mean(dim=1, keepdim=True)).square().mean())
    return Fitted(heights, rise, landmarks, float(timing.rr_s), has_p, _class_of(measured), rms, share)


def _basis(timing: BeatTiming, rise: float, at_ms: Tensor) -> Tensor:
    """Each wave at height 1, (time, COMPONENTS)."""
    no_spike = torch.zeros(1, 8), torch.zeros(1, dtype=torch.bool)
    unit = torch.eye(COMPONENTS)[None]
    placed = place_waves(timing, Waves(*layout(torch.tensor([rise])), unit, *no_spike))
    return placed.drawn(slice(0, COMPONENTS), at_ms)[0]


def _class_of(measured: Measurement) -> int:
    """By the findings of the delineator, which are those of the measured median beat."""
    found = {finding.name for finding in measured.findings}
    wide = (measured.intervals.qrs_ms or 0.0) >= 120
    if measured.rhythm.label == "paced":
        return CLASSES.index("paced")
    for name in ("rbbb", "lbbb"):
        if name in found:
            return CLASSES.index(name)
    return CLASSES.index("wide" if wide else "narrow")


def fit_morphologies(files: Iterable[Path], out: Path, report: Callable[[str], None]) -> Path:
    """Fit every recording, and the noise beside the beats; write `out`/morphologies.safetensors, return its path.

    A recording that cannot be read or fitted is left out, and the report says so. Raises WorldModelError where
    fewer than LEAST_RECORDINGS remain.
    """
    fitted: list[Fitted] = []
    noise: list[Tensor] = []
    for number, path in enumerate(sorted(files), 1):
        why = None
        try:
            ecg = read_ecg(path)
        except EcgFileError as error:
            report(f"{number} {path.name}: left out. {error.message}")
            continue
        measured = measure(ecg)
        one = fit_beat(measured.median_beat, measured) if measured.median_beat is not None else None
        if one is None:
            why = "a lead or a landmark is lacking"
        elif one.share < LEAST_SHARE or one.rms_mv > MOST_RMS_MV:
            why = f"the fit is poor, RMS {1000 * one.rms_mv:.0f} uV, {100 * one.share:.1f} % of the variance"
        else:
            fitted.append(one)
            levels = noise_levels(ecg, measured)
            noise += [levels] if levels is not None else []
        report(f"{number} {path.name}: " + (f"left out, {why}." if why else _quality(fitted[-1])))
    if len(fitted) < LEAST_RECORDINGS:
        raise WorldModelError(
            f"Only {len(fitted)} recordings could be fitted, and {LEAST_RECORDINGS} are the least.",
            "Name folders of 12-lead recordings with --data.",
        )
    rms = 1000 * np.median([one.rms_mv for one in fitted])
    share = 100 * np.median([one.share for one in fitted])
    kinds = ", ".join(f"{sum(f.kind == n for f in fitted)} {name}" for n, name in enumerate(CLASSES))
    report(f"{len(fitted)} fitted ({kinds}): RMS {rms:.1f} uV, {share:.2f} % of the variance in the median")
    return save_morphologies(fitted, torch.stack(noise), out)


def _quality(one: Fitted) -> str:
    return f"{CLASSES[one.kind]}, RMS {1000 * one.rms_mv:.1f} uV, {100 * one.share:.2f} % of the variance"


def save_morphologies(fitted: list[Fitted], noise: Tensor, out: Path) -> Path:
    """noise: (recording, 8, bands) levels in mV."""
    # In order of a fitted height, so that neither the file nor the order tells which recording a row is of.
    fitted = sorted(fitted, key=lambda one: float(one.mv[T.start].abs().sum()))
    log = noise.clamp(min=1e-5).log()
    of_recording = log.mean(dim=1)
    path = out / "morphologies.safetensors"
    tensors = {
        "mv": torch.stack([one.mv for one in fitted]).half(),
        "rise": torch.tensor([one.rise for one in fitted]),
        "landmarks_ms": torch.stack([one.landmarks_ms for one in fitted]).half(),
        "rr_s": torch.tensor([one.rr_s for one in fitted]),
        "has_p": torch.tensor([one.has_p for one in fitted]),
        "kind": torch.tensor([one.kind for one in fitted]),
        "noise_mean": of_recording.mean(dim=0),
        "noise_cov": of_recording.T.cov() + 1e-4 * torch.eye(log.shape[2]),
        "noise_lead_sd": (log - of_recording[:, None]).std(dim=(0, 1)),
    }
    save_tensors(path, tensors, {"recordings": len(fitted), "classes": list(CLASSES)})
    return path
