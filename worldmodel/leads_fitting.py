"""How leads go together, learned from real recordings: the second moments that `leads.py` conditions on."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.checkpoint import save_tensors
from worldmodel.delineation.measure import measure
from worldmodel.ecg import TWELVE_FROM_EIGHT, Ecg
from worldmodel.errors import WorldModelError
from worldmodel.leads import DELAYS_MS, SHIPPED, delay, estimated_leads
from worldmodel.preprocessing import FS_HZ, SAMPLES, to_model

BEAT_S = (-0.25, 0.5)  # around R: where there is something to learn from
FEWEST = 10


def lead_moments(ecg: Ecg) -> NDArray[np.float64] | None:
    """The moments of one recording, as in `LeadModel`; None where leads are missing or flat, or no beat is found."""
    measured = measure(ecg)
    if estimated_leads(measured) or len(measured.r_peaks_s) < 3:
        return None
    start_s = max(0.0, measured.r_peaks_s[0] + BEAT_S[0])
    eight = to_model(ecg, start_s).double().numpy()
    since = start_s + np.arange(SAMPLES)[:, None] / FS_HZ - np.array(measured.r_peaks_s)
    beats = ((since > BEAT_S[0]) & (since < BEAT_S[1])).any(axis=1)
    stacked = delay(TWELVE_FROM_EIGHT @ eight, FS_HZ)[:, beats]
    power = (eight[:, beats] ** 2).mean()
    return np.asarray(stacked @ stacked.T / beats.sum() / power)


def fit_leads(ecgs: Iterable[Ecg], out: Path) -> Path:
    """Write `leads.safetensors`, the mean moments of the complete recordings, to the folder; its path is returned.

    Raises WorldModelError where there are fewer than ten.
    """
    moments = [one for one in map(lead_moments, ecgs) if one is not None]
    if len(moments) < FEWEST:
        raise WorldModelError(
            f"{len(moments)} recordings with twelve good leads are too few to learn how leads go together.",
            "Name a folder of at least ten, better a hundred.",
        )
    header = {"recordings": len(moments), "delays_ms": DELAYS_MS}
    mean = torch.from_numpy(np.mean(moments, axis=0)).float()
    path = out / SHIPPED.name
    save_tensors(path, {"moments": mean}, header)
    return path
