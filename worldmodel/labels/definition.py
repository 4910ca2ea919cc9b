"""The 17 labels in the order of ECG-FM's label_def.csv, and what each counts for as a risk.

Names, order, shares and the aggregation over windows are those of the published model (bowang-lab/ECG-FM,
doi:10.1093/jamiaopen/ooaf122). The shares are of 787,699 machine-read reports of MIMIC-IV-ECG. `danger` is policy,
ours: the share of ECGs with this label in which, shown after a dose, it would be harm of the drug. No study gives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class Label:
    """One label. over_windows: how a recording's value is made of those of its 5-s windows.

    good: its absence is the danger. note: what the label does not mean, for the reader. judged_by: the component
    of the interval risk that looks at the same thing.
    """

    name: str
    over_windows: Literal["mean", "max"]
    share: float
    danger: float
    good: bool = False
    judged_by: str | None = None
    note: str = ""


LABELS = (
    Label("Poor data quality", "max", 0.0264, 0.0, note="of the recording, not of the heart: no danger"),
    Label("Sinus rhythm", "mean", 0.8116, 0.1, good=True, note="good: losing it counts"),
    Label("Premature ventricular contraction", "max", 0.0648, 0.15),
    Label("Tachycardia", "mean", 0.2094, 0.2, judged_by="fast_rate", note="fibrillation and flutter too"),
    Label("Ventricular tachycardia", "max", 0.0009, 1.0),
    Label("Supraventricular tachycardia with aberrancy", "max", 0.0417, 0.3),
    Label("Atrial fibrillation", "mean", 0.1014, 0.3),
    Label("Atrial flutter", "mean", 0.0180, 0.3),
    Label("Bradycardia", "mean", 0.1308, 0.2, judged_by="slow_rate", note="complete AV block too"),
    Label(
        "Accessory pathway conduction",
        "mean",
        0.1195,
        0.0,
        note="fibrillation and flutter are kinds of it in the label tree: mostly these, not WPW; not counted again",
    ),
    Label("Atrioventricular block", "mean", 0.0792, 0.35, note="of any degree"),
    Label("1st degree atrioventricular block", "mean", 0.0738, 0.1, judged_by="pr"),
    Label("Bifascicular block", "mean", 0.0304, 0.2),
    Label("Right bundle branch block", "mean", 0.0825, 0.05, judged_by="qrs", note="incomplete ones too"),
    Label("Left bundle branch block", "mean", 0.0372, 0.15, judged_by="qrs", note="incomplete ones too"),
    Label("Infarction", "mean", 0.2243, 0.3, note="of any age"),
    Label("Electronic pacemaker", "max", 0.0390, 0.0, note="a device: no danger of a drug"),
)
NAMES = tuple(label.name for label in LABELS)
_BY_MAX = torch.tensor([label.over_windows == "max" for label in LABELS])


@dataclass(frozen=True)
class LabelScores:
    """What a model says of one recording. probabilities: by name in the order of LABELS, None where it does not
    judge the label; why: the reason for each None; model: who judged."""

    probabilities: dict[str, float | None]
    why: dict[str, str]
    model: str

    def tensor(self) -> Tensor:
        """(17,), NaN where not judged."""
        values = self.probabilities.values()
        return torch.tensor([float("nan") if p is None else p for p in values], dtype=torch.float64)


def label_scores(probabilities: Sequence[float | None], why: dict[str, str], model: str) -> LabelScores:
    """Scores from 17 probabilities in the order of LABELS."""
    return LabelScores(dict(zip(NAMES, probabilities, strict=True)), why, model)


def none_judged(reason: str, model: str) -> LabelScores:
    """Scores of a recording that cannot be judged at all."""
    return LabelScores(dict.fromkeys(NAMES), dict.fromkeys(NAMES, reason), model)


def over_windows(probabilities: Tensor) -> Tensor:
    """(..., window, 17) of the windows of a recording -> (..., 17) of the recording, by each label's own rule."""
    return torch.where(_BY_MAX.to(probabilities.device), probabilities.amax(-2), probabilities.mean(-2))
