"""Our own model of the 17 labels: for each a logistic regression on what the delineator says.

    p = 1 / (1 + exp(-(c + sum w_i x_i)))          x: features_of(measurement)

Of each label a few numbers are looked at, chosen by what the label means; their weights were learned
(training.py), held near what the delineator alone would say, as few recordings teach them. A label that nothing taught,
or that is not told better than by its share, is not judged: None, never 0. A convolutional network of 40,385 weights
that saw the samples of the same recordings was worse for every label, with AUROC 0.69 against 0.99 for fibrillation.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldmodel.checkpoint import load_tensors
from worldmodel.errors import WeightsError
from worldmodel.labels.definition import NAMES, LabelScores, label_scores, none_judged
from worldmodel.labels.features import features_of
from worldmodel.measurement import Measurement

WEIGHTS = Path(__file__).parents[1] / "weights" / "labels.safetensors"
NAME = "ecgwm labels"

# What each label looks at, with the weight it is held near: one step of a feature there moves the odds by e.
LOOKED_AT: dict[str, dict[str, float]] = {
    "Sinus rhythm": {"sinus": 1.0, "fibrillation": -1.0, "flutter": -1.0, "paced": -1.0},
    "Premature ventricular contraction": {"ectopy": 1.5},
    "Tachycardia": {"fast": 1.0, "fibrillation": 1.0, "flutter": 1.0, "sinus": 0.0},
    "Supraventricular tachycardia with aberrancy": {
        "fast": 0.5,
        "fibrillation": 0.5,
        "flutter": 0.5,
        "wide": 0.5,
    },
    "Atrial fibrillation": {"fibrillation": 1.5, "sinus": -0.5},
    "Atrial flutter": {"flutter": 1.5},
    "Bradycardia": {"slow": 1.0},
    "Accessory pathway conduction": {
        "fibrillation": 1.0,
        "flutter": 1.0,
        "preexcitation": 1.0,
        "sinus": -0.5,
    },
    "Atrioventricular block": {"long_pr": 1.0, "block_2_or_3": 1.5},
    "1st degree atrioventricular block": {"long_pr": 1.0},
    "Bifascicular block": {"late_v1": 0.5, "axis_left": 0.5},
    "Right bundle branch block": {"late_v1": 1.0, "right_block": 1.0},
    "Left bundle branch block": {"left_block": 1.5, "wide": 0.5},
    "Infarction": {"q": 0.5, "st_up": 0.3},
    "Electronic pacemaker": {"paced": 1.5},
}
COLUMNS = tuple(sorted({name for looked_at in LOOKED_AT.values() for name in looked_at}))


@dataclass(frozen=True)
class LabelModel:
    """weights: (17, 1 + COLUMNS), constant first, NaN rows for labels that are not judged; why: for each of these."""

    weights: NDArray[np.float64]
    why: dict[str, str]

    def judge(self, measured: Measurement) -> LabelScores:
        """The labels of a measured ECG."""
        row = row_of(measured)
        if row is None:
            return none_judged("The recording has no beat, or no rate, that could be measured.", NAME)
        p = probability(self.weights, row)
        unseen = {
            name: f"Could not be measured: {', '.join(f for f in looked_at if np.isnan(row[column_of(f)]))}."
            for name, looked_at in LOOKED_AT.items()
            if np.isnan(p[NAMES.index(name)])
        }
        return label_scores([None if np.isnan(x) else float(x) for x in p], unseen | self.why, NAME)


def row_of(measured: Measurement) -> NDArray[np.float64] | None:
    """(1 + COLUMNS,), 1 first, NaN for what could not be measured; None where nothing can be said."""
    features = features_of(measured)
    return None if features is None else np.array([1.0, *(features[name] for name in COLUMNS)])


def column_of(feature: str) -> int:
    """Where a feature is in a row, or its weight in the weights."""
    return 1 + COLUMNS.index(feature)


def probability(weights: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of weights (..., 1 + COLUMNS) and rows likewise; NaN where something with a weight is NaN."""
    odds = np.where(weights == 0.0, 0.0, weights * row).sum(-1)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0))))


@cache
def shipped_labels() -> LabelModel:
    """The model whose weights come with the package. Raises WeightsError."""
    return load_labels(WEIGHTS)


def load_labels(path: Path) -> LabelModel:
    """Raises WeightsError, also where the file looks at other features or labels than this version."""
    tensors, header = load_tensors(path)
    _check(path, header)
    return LabelModel(tensors["weights"].double().numpy(), dict(header["why"]))


def judge_labels(measured: Measurement) -> LabelScores:
    """The 17 labels of a measured ECG by the shipped model. Raises WeightsError."""
    return shipped_labels().judge(measured)


def _check(path: Path, header: dict[str, Any]) -> None:
    if header.get("columns") != list(COLUMNS) or header.get("labels") != list(NAMES):
        raise WeightsError(
            f"{path} is not of the labels of this version.", "Train again: ecgwm-agent train --preset labels"
        )
