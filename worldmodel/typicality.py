"""How far an ECG lies from the virtual patients that the weights were trained on, by what is measured of it.

The Mahalanobis distance over sizes, rate, intervals and how the leads go together, compared with the distances of
the virtual patients themselves, of whom a table ships. What was not measured is left out on both sides.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.checkpoint import load_tensors, save_tensors
from worldmodel.leads import eight_leads, estimated_leads, shipped_leads
from worldmodel.measurement import Measurement, MedianBeat

SHIPPED = Path(__file__).parent / "weights" / "typical.safetensors"
# All in logarithms, in which they are closer to normal; in words as they follow "most of all by".
FEATURES = {
    "qrs_mv": "the size of QRS",
    "t_share": "the size of T beside QRS",
    "hr_bpm": "its rate",
    "rr_cv": "how irregular it is",
    "pr_ms": "PR",
    "qrs_ms": "the width of QRS",
    "jtpeakc_ms": "J-Tpeak",
    "tpeak_tend_ms": "Tpeak-Tend",
    "incoherence": "how the leads go together",
}
USUAL = 0.95  # of the virtual patients lie within distance 1
_PATIENTS, _BATCH = 512, 64


@dataclass(frozen=True)
class Typicality:
    """distance: 1 holds 95 % of the virtual patients; share: of them, how many are nearer; farthest: by what most."""

    distance: float
    share: float
    farthest: str


def features_of(measured: Measurement) -> NDArray[np.float64]:
    """(FEATURES,) of one measurement, NaN where unknown."""
    intervals, beat = measured.intervals, measured.median_beat
    known = {name: getattr(intervals, name, None) for name in FEATURES}
    rr_s = np.diff(measured.r_peaks_s)
    if rr_s.size > 2:
        known["rr_cv"] = float(rr_s.std() / rr_s.mean()) + 0.005  # what is steadier is as usual
    if beat is not None and None not in (beat.qrs_on_ms, beat.qrs_off_ms, beat.t_end_ms):
        known |= _shape_of(beat, whole=not estimated_leads(measured))
    values = np.array([known[name] or np.nan for name in FEATURES], dtype=np.float64)
    return np.log(values)


def _shape_of(beat: MedianBeat, whole: bool) -> dict[str, float]:
    """Sizes, and how the leads go together where all are recorded."""
    ms = 1000.0 * (np.arange(beat.samples_mv.shape[1]) - beat.r_index) / beat.fs_hz
    eight = eight_leads(beat.samples_mv, beat.fs_hz)
    qrs_on, qrs_off, t_end = beat.qrs_on_ms or 0.0, beat.qrs_off_ms or 0.0, beat.t_end_ms or 0.0
    qrs_mv = float(np.ptp(eight[:, (ms >= qrs_on) & (ms <= qrs_off)], axis=1).mean())
    t_mv = float(np.sqrt((eight[:, (ms > qrs_off) & (ms < t_end)] ** 2).mean(axis=1)).mean())
    sizes = {"qrs_mv": qrs_mv, "t_share": t_mv / max(qrs_mv, 1e-6)}
    if not whole:
        return sizes
    complexes = eight[:, (ms > qrs_on) & (ms < t_end)]
    return sizes | {"incoherence": shipped_leads().incoherence(complexes, beat.fs_hz)}


def judge_typicality(measured: Measurement) -> Typicality | None:
    """Where this ECG lies among the virtual patients; None where too little of it was measured to say."""
    own = features_of(measured)
    known = np.isfinite(own)
    if known.sum() < 3:
        return None
    table = typical_patients()
    others = table[np.isfinite(table[:, known]).all(axis=1)][:, known]
    # Leads that go together better than in the trial, as those of people do, are nothing strange.
    one_sided = np.array([name == "incoherence" for name in FEATURES])[known]
    middle = np.median(others, axis=0)
    others, own = (np.where(one_sided, np.maximum(x, middle), x) for x in (others, own[known]))
    mean, precision = others.mean(axis=0), np.linalg.inv(np.cov(others.T))
    distances = np.sqrt(np.einsum("ni,ij,nj->n", others - mean, precision, others - mean))
    distance = float(np.sqrt((own - mean) @ precision @ (own - mean)))
    farthest = int(np.argmax(np.abs(own - mean) / others.std(axis=0)))
    return Typicality(
        distance=distance / float(np.quantile(distances, USUAL)),
        share=float((distances < distance).mean()),
        farthest=[text for text, there in zip(FEATURES.values(), known, strict=True) if there][farthest],
    )


@cache
def typical_patients() -> NDArray[np.float64]:
    """(patients, FEATURES) of the virtual patients that ship. Raises WeightsError."""
    tensors, _ = load_tensors(SHIPPED)
    return tensors["features"].double().numpy()


def measure_typical(out: Path, seed: int) -> Path:
    """Draw virtual patients, measure them before any dose, and write `typical.safetensors` to the folder."""
    from worldmodel.delineation.measure import measure_batch
    from worldmodel.pharmacology import Action
    from worldmodel.preprocessing import FS_HZ, to_twelve
    from worldmodel.virtual.trial import sample_transitions

    generator = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(_PATIENTS // _BATCH):
        before = to_twelve(sample_transitions(_BATCH, [Action()], generator).before).double().numpy()
        rows += [features_of(measured) for measured in measure_batch(before, FS_HZ)]
    path = out / SHIPPED.name
    table = torch.from_numpy(np.stack(rows)).float()
    save_tensors(path, {"features": table}, {"features": list(FEATURES), "seed": seed})
    return path
