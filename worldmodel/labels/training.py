"""Training the label model on labelled recordings and virtual patients, with figures from recordings left out.

Each label's weights w and constant c minimise the cross entropy plus RIDGE / 2 (w - prior)^2, by Newton's method. A
recording of a person counts 1; the virtual ones count VIRTUAL_SHARE of the real ones together. Five folds, each with
its share of positives, give the figures; virtual recordings only ever train.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worldmodel.checkpoint import save_tensors
from worldmodel.delineation.marker import FOLDS, unseen_marker
from worldmodel.delineation.measure import measure_batch
from worldmodel.errors import WorldModelError
from worldmodel.labels.card import card
from worldmodel.labels.definition import NAMES
from worldmodel.labels.facts import labels_of
from worldmodel.labels.figures import LabelFigures, figures_of
from worldmodel.labels.model import COLUMNS, LOOKED_AT, column_of, probability, row_of
from worldmodel.labels.sources import VIRTUAL, Labelled, read_labelled, sample_virtual

RIDGE = 1.0
VIRTUAL_SHARE = 0.5
VIRTUAL_PATIENTS = 384
LEAST_POSITIVES = 2  # real recordings with the label, so that one can teach and another one test
LEAST_RECORDINGS = 20
_STEPS = 50

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """rows: (recording, 1 + COLUMNS); labels: (recording, 17) of 0, 1 and NaN for unknown; names; real: of a person."""

    rows: Array
    labels: Array
    names: tuple[str, ...]
    real: NDArray[np.bool_]


def train_labels(data: Path, out: Path, seed: int, report: Callable[[str], None]) -> Path:
    """Weights from the labelled recordings below `data`, and LABELS_CARD.md beside them. Raises WorldModelError."""
    real = list(read_labelled(data))
    if len(real) < LEAST_RECORDINGS:
        raise WorldModelError(
            f"{data} holds {len(real)} labelled recordings, too few to learn from.",
            f"At least {LEAST_RECORDINGS} are needed.",
        )
    report(f"{len(real)} labelled recordings and {VIRTUAL_PATIENTS} virtual ones")
    examples = examples_of([*real, *sample_virtual(VIRTUAL_PATIENTS, seed)])
    weights = np.full((len(NAMES), 1 + len(COLUMNS)), np.nan)
    figures: dict[str, LabelFigures] = {}
    why: dict[str, str] = {}
    for index, name in enumerate(NAMES):
        known = known_for(examples, name)
        truth = examples.labels[known & examples.real, index]
        if min(truth.sum(), (1 - truth).sum()) < LEAST_POSITIVES:
            why[name] = "No recordings taught it."
            continue
        figures[name] = figures_of(truth, *left_out(examples, name))
        report(f"{name}: {figures[name]}")
        if figures[name].brier >= figures[name].brier_of_share:
            why[name] = f"Told no better than by its share: {int(truth.sum())} recordings taught it."
            continue
        weights[index] = fit(name, examples.rows[known], examples.labels[known, index], examples.real[known])
    path = out / "labels.safetensors"
    origins = {origin: sum(one.origin == origin for one in real) for origin in {one.origin for one in real}}
    header = {"labels": NAMES, "columns": COLUMNS, "why": why, "seed": seed, "recordings": origins}
    save_tensors(path, {"weights": torch.from_numpy(weights)}, header)
    text = card(figures, why, origins | {VIRTUAL: VIRTUAL_PATIENTS}, seed, path)
    (out / "LABELS_CARD.md").write_text(text, encoding="utf-8")
    return path


def examples_of(recordings: Iterable[Labelled]) -> Examples:
    """Measured as any recording is, by a marker that has not learned from it; those without a beat left out."""
    rows, labels, names, real = [], [], [], []
    for one in recordings:
        marker = unseen_marker(one.origin, one.name)
        (measured,) = measure_batch(one.samples_mv[None], one.fs_hz, marker)
        row = row_of(measured)
        if row is not None:
            rows.append(row)
            labels.append([np.nan if label is None else float(label) for label in labels_of(one.facts)])
            names.append(one.name)
            real.append(one.origin != VIRTUAL)
    return Examples(np.stack(rows), np.array(labels), tuple(names), np.array(real))


def known_for(examples: Examples, name: str) -> NDArray[np.bool_]:
    """(recording,) where the label is known and all that it looks at was measured."""
    columns = [column_of(feature) for feature in LOOKED_AT.get(name, ())]
    label = examples.labels[:, NAMES.index(name)]
    return np.asarray(np.isfinite(label) & np.isfinite(examples.rows[:, columns]).all(axis=1))


def fit(name: str, rows: Array, labels: Array, real: NDArray[np.bool_]) -> Array:
    """The weights of one label, (1 + COLUMNS,), 0 for what it does not look at."""
    looked_at = LOOKED_AT[name]
    columns = [0, *(column_of(feature) for feature in looked_at)]
    prior = np.array([0.0, *looked_at.values()])
    ridge = np.array([1e-3, *(RIDGE for _ in looked_at)])
    share = VIRTUAL_SHARE * real.sum() / max((~real).sum(), 1)
    counts = np.where(real, 1.0, share)
    x, w = rows[:, columns], prior.copy()

    def loss(w: Array) -> float:
        z = x @ w
        return float(counts @ (np.logaddexp(0.0, z) - labels * z) + 0.5 * ridge @ (w - prior) ** 2)

    for _ in range(_STEPS):
        p = probability(x, w)
        slope = x.T @ (counts * (p - labels)) + ridge * (w - prior)
        step = np.linalg.solve((x * (counts * p * (1 - p))[:, None]).T @ x + np.diag(ridge), slope)
        while loss(w - step) > loss(w) and np.abs(step).max() > 1e-9:
            step = step / 2
        w = w - step
        if np.abs(step).max() < 1e-9:
            break
    weights = np.zeros(1 + len(COLUMNS))
    weights[columns] = w
    return weights


def left_out(examples: Examples, name: str) -> tuple[Array, Array]:
    """Of the real recordings with this label known: the probability by a model that did not see them, and the share of
    positives it saw."""
    labels = examples.labels[:, NAMES.index(name)]
    known = known_for(examples, name)
    rows, labels, real = examples.rows[known], labels[known], examples.real[known]
    folds = _folds(labels, [n for n, is_known in zip(examples.names, known, strict=True) if is_known], real)
    p, share = np.zeros(len(labels)), np.zeros(len(labels))
    for fold in range(FOLDS):
        out = folds == fold
        p[out] = probability(fit(name, rows[~out], labels[~out], real[~out]), rows[out])
        share[out] = labels[~out & real].mean()
    return p[real], share[real]


def _folds(labels: Array, names: list[str], real: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Positives and negatives dealt out in the order of their names' hashes; -1 for virtual ones."""
    order = np.array([int(sha256(name.encode()).hexdigest()[:12], 16) for name in names])
    folds = np.full(len(labels), -1)
    for value in (0.0, 1.0):
        those = np.flatnonzero(real & (labels == value))
        folds[those[np.argsort(order[those])]] = np.arange(those.size) % FOLDS
    return folds
