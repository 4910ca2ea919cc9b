"""What encoding and decoding alone do to the intervals of real recordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from worldmodel.delineation.measure import measure_batch
from worldmodel.ecg import LEADS, Ecg, standard_twelve
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model, to_twelve
from worldmodel.vae import Vae

INTERVALS = ("qt_ms", "qt_tangent_ms", "pr_ms", "qrs_ms", "tpeak_tend_ms", "jtpeak_ms")
WINDOW_S = SAMPLES / FS_HZ


@dataclass(frozen=True)
class FidelityRow:
    """One interval over recordings in sinus rhythm: decoded less original, ms."""

    interval: str
    recordings: int
    bias_ms: float | None
    sd_ms: float | None
    median_abs_ms: float | None


def evaluate_fidelity(
    vae: Vae, ecgs: Sequence[Ecg], progress: Callable[[float], None] | None = None
) -> tuple[list[FidelityRow], int]:
    """A row for each interval, and how many recordings were in sinus rhythm and complete.

    The first ten seconds are measured as recorded, and again after pre-processing, encoder and decoder.
    """
    errors: dict[str, list[float]] = {name: [] for name in INTERVALS}
    used = 0
    for i, ecg in enumerate(ecgs):
        if progress is not None:
            progress((i + 1) / len(ecgs))
        twelve = standard_twelve(ecg.window(0.0, WINDOW_S))
        (original,) = measure_batch(twelve.samples_mv[None], twelve.fs_hz)
        whole = not twelve.missing_leads and original.quality.verdict != "unusable"
        if original.rhythm.label != "sinus" or not whole:
            continue
        used += 1
        with torch.inference_mode():
            eight = vae.decode(vae.encode(to_model(twelve)[None]))
        (decoded,) = measure_batch(to_twelve(eight).numpy().reshape(1, len(LEADS), SAMPLES), FS_HZ)
        for name in INTERVALS:
            then, now = getattr(original.intervals, name), getattr(decoded.intervals, name)
            if then is not None and now is not None:
                errors[name].append(now - then)
    return [_row(name, np.array(values)) for name, values in errors.items()], used


def _row(name: str, errors: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> FidelityRow:
    if not errors.size:
        return FidelityRow(name, 0, None, None, None)
    return FidelityRow(
        name, errors.size, float(errors.mean()), float(errors.std()), float(np.median(np.abs(errors)))
    )
