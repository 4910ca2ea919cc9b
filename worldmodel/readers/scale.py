"""Whether the millivolts of a file can be true: Einthoven's law and plain plausibility."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from worldmodel.ecg import LEADS, LIMB_FROM_I_II, Ecg

# Limb leads of a sound recording agree to rounding; a lead swap or a wrong gain breaks the law by far more.
RESIDUAL_SOUND = 0.05
RESIDUAL_OF_ROUNDING = 0.015
# Peak-to-peak of the typical lead, mV. Beyond these no surface ECG lies.
PLAUSIBLE_MV = (0.05, 12.0)
# The resolutions recorders use, most common first.
_ENOUGH = 20_000  # samples of a lead that show its scale; more of a long recording only cost memory
COUNTS_PER_MV = (1000.0, 200.0, 400.0, 500.0, 250.0, 204.8, 100.0)


@dataclass(frozen=True)
class Encoding:
    """How the file turned counts into mV, per lead: mV = (count - baseline) / counts_per_mv."""

    counts_per_mv: NDArray[np.float64]
    baseline: NDArray[np.float64]

    def counts(self, samples_mv: NDArray[np.float64]) -> NDArray[np.float64]:
        """(lead, time) as the file holds them."""
        return samples_mv * self.counts_per_mv[:, None] + self.baseline[:, None]


def _thinned(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return samples[:, :: max(1, samples.shape[1] // _ENOUGH)]


def einthoven_residual(samples: NDArray[np.float64], leads: tuple[str, ...]) -> float | None:
    """How far the recorded limb leads are from one plane, as a fraction of their size; None below three of them.

    samples: (lead, time). 0 where every limb lead is the combination of I and II that Einthoven and
    Goldberger say; offsets do not count.
    """
    rows = [leads.index(name) for name in LIMB_FROM_I_II if name in leads]
    limb = _thinned(samples)[rows]
    limb = limb[:, np.isfinite(limb).all(axis=0)]
    if len(rows) < 3 or limb.shape[1] < 2:
        return None
    limb = limb - limb.mean(axis=1, keepdims=True)
    alive = np.ptp(limb, axis=1) > 0
    if alive.sum() < 3:
        return None
    basis = np.array([LIMB_FROM_I_II[leads[row]] for row in rows])[alive]
    limb = limb[alive]
    error = limb - basis @ (np.linalg.pinv(basis) @ limb)
    return float(np.sqrt(np.mean(error**2) / np.mean(limb**2)))


def typical_height_mv(samples_mv: NDArray[np.float64]) -> float:
    """Median over leads of the peak-to-peak, outliers left out; NaN where no lead is alive."""
    heights = []
    for row in _thinned(samples_mv):
        finite = row[np.isfinite(row)]
        if finite.size and np.ptp(finite) > 0:
            low, high = np.percentile(finite, (0.2, 99.8))
            heights.append(high - low)
    return float(np.median(heights)) if heights else float("nan")


def check_scale(ecg: Ecg, encoding: Encoding | None = None) -> Ecg:
    """The recording with its doubts spoken: repaired where the limb leads prove the scale, else marked untrusted.

    The repair: where the file's own gains break Einthoven's law and the raw counts obey it, all leads share
    one resolution, and the gains are a per-lead normalisation (as in LUDB 1.0.1).
    """
    residual = einthoven_residual(ecg.samples_mv, ecg.leads)
    repaired = _shared_resolution(ecg, encoding, residual)
    if repaired is not None:
        return repaired
    doubt = _doubt(ecg, encoding, residual)
    if doubt is None:
        return ecg
    warning = f"{doubt} Amplitudes are not trusted."
    return replace(ecg, warnings=(*ecg.warnings, warning), amplitudes_trusted=False)


def _shared_resolution(ecg: Ecg, encoding: Encoding | None, residual: float | None) -> Ecg | None:
    """The raw counts at the likeliest resolution, where they obey the law far better than the file's mV do."""
    if encoding is None or residual is None or residual < RESIDUAL_OF_ROUNDING:
        return None
    counts = encoding.counts(_thinned(ecg.samples_mv))
    of_counts = einthoven_residual(counts, ecg.leads)
    if of_counts is None or of_counts > min(RESIDUAL_SOUND, 0.3 * residual):
        return None
    height = typical_height_mv(counts[[row for row, name in enumerate(ecg.leads) if name in LEADS]])
    for resolution in COUNTS_PER_MV:
        if 0.3 <= height / resolution <= 6.0:
            low, high = encoding.counts_per_mv.min(), encoding.counts_per_mv.max()
            repair = (
                f"The header's gains ({low:g} to {high:g} counts per mV) break Einthoven's law and the raw counts "
                f"obey it, so every lead was taken at {resolution:g} counts per mV, the likely true scale."
            )
            return replace(
                ecg, samples_mv=encoding.counts(ecg.samples_mv) / resolution, warnings=(*ecg.warnings, repair)
            )
    return None


def _doubt(ecg: Ecg, encoding: Encoding | None, residual: float | None) -> str | None:
    if residual is not None and residual > RESIDUAL_SOUND:
        return (
            f"The limb leads disagree with Einthoven's law by {residual:.0%}: a lead is swapped, noisy or wrongly "
            "scaled."
        )
    if residual is None and encoding is not None and encoding.counts_per_mv.size > 2:
        gains = encoding.counts_per_mv
        if np.unique(gains).size == gains.size:
            return "The header gives each lead a gain of its own, and no limb leads are there to confirm it."
    height = typical_height_mv(ecg.samples_mv)
    if np.isfinite(height) and not PLAUSIBLE_MV[0] <= height <= PLAUSIBLE_MV[1]:
        return f"A typical lead spans {height:.3g} mV, which no surface ECG does{_likely_unit(height)}."
    return None


def _likely_unit(height_mv: float) -> str:
    for factor, unit in ((1e3, "microvolts"), (1e-3, "volts"), (1e6, "nanovolts")):
        if 0.3 <= height_mv / factor <= 6.0:
            return f"; the numbers look like {unit}"
    return ""
