"""From 17 probabilities to one risk: the paper's poolings by name, and ours.

`mean`, `max` and `top3` are the paper's (B.10): they take every label for a danger, so that a healthy ECG in
sinus rhythm scores high. `signed`, the default, is

    r = 1 - prod(1 - danger_i p_i)          with 1 - p_i for the one label that is good, Sinus rhythm

the probability that at least one of them does harm, were they independent; it is 0 for certain sinus rhythm without
findings. Labels that no model judged (NaN) are left out everywhere, never counted as 0.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from worldmodel.labels.definition import LABELS, LabelScores
from worldmodel.scoring import PoolingName

_DANGER = torch.tensor([label.danger for label in LABELS], dtype=torch.float64)
_GOOD = torch.tensor([label.good for label in LABELS])


def _mean(p: Tensor) -> Tensor:
    return p.nanmean(-1)


def _max(p: Tensor) -> Tensor:
    return p.masked_fill(p.isnan(), -1.0).amax(-1)


def _top3(p: Tensor) -> Tensor:
    judged = (~p.isnan()).sum(-1).clamp(max=3)
    highest = p.masked_fill(p.isnan(), 0.0).topk(3, dim=-1).values
    return highest.sum(-1) / judged


def _signed(p: Tensor) -> Tensor:
    harm = torch.where(_GOOD.to(p.device), 1.0 - p, p).nan_to_num(0.0) * _DANGER.to(p)
    return 1.0 - (1.0 - harm).prod(-1)


POOLINGS: dict[PoolingName, Callable[[Tensor], Tensor]] = {
    "signed": _signed,
    "mean": _mean,
    "max": _max,
    "top3": _top3,
}


def pool(probabilities: Tensor, pooling: PoolingName = "signed") -> Tensor:
    """Risk in 0..1 (...) of probabilities (..., 17); NaN where no label is judged. Gradients flow through.

    Raises KeyError for a pooling that is none of POOLINGS.
    """
    return POOLINGS[pooling](probabilities).masked_fill(probabilities.isnan().all(-1), float("nan"))


def label_risk(
    scores: LabelScores, judged_by_intervals: Iterable[str] = (), pooling: PoolingName = "signed"
) -> float | None:
    """The pooled risk of one recording; None where no label is judged.

    judged_by_intervals: names of the components of an interval risk that this one is combined with. Labels that
    look at the same thing are left out, or it would count twice.
    """
    judged = set(judged_by_intervals)
    p = scores.tensor()
    p[[label.judged_by in judged for label in LABELS]] = float("nan")
    risk = float(pool(p, pooling))
    return None if risk != risk else risk
