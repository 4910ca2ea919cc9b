"""From the risks of K simulated ECGs to one number to rank by (paper eq. 3 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the command line reads this module, and must not wait for torch
    from torch import Tensor

# What an ECG can be ranked by (risk.py), and how 17 labels become one number (labels/pooling.py).
RiskName = Literal["intervals", "labels", "combined"]
PoolingName = Literal["signed", "mean", "max", "top3"]

LAMBDA = 0.6  # the paper's weight of the spread
K = 3  # and its number of samples: enough to rank, too few to report a spread by


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of the risk over K samples; sd None where one sample cannot tell."""

    mean: float
    sd: float | None
    k: int


def mean_and_spread(risks: Sequence[float]) -> Spread:
    """Mean and sample standard deviation (ddof = 1, unbiased in its square) of K risks, eq. 6.

    Raises ValueError on an empty sequence. A single sample has no spread: None, not 0.
    """
    if not risks:
        raise ValueError("no risks to summarise")
    k = len(risks)
    mean = sum(risks) / k
    sd = sqrt(sum((risk - mean) ** 2 for risk in risks) / (k - 1)) if k > 1 else None
    return Spread(mean, sd, k)


def score(spread: Spread, lambda_: float = LAMBDA) -> float:
    """S(a) = mu_R + lambda sigma_R, eq. 3; lower is better. An unknown spread (K = 1) adds nothing."""
    return spread.mean + lambda_ * (spread.sd or 0.0)


def mean_and_spread_torch(risks: "Tensor") -> "tuple[Tensor, Tensor]":
    """`mean_and_spread` over the last axis of risks (..., K); the spread is NaN where K = 1.

    Gradients flow through both. Where all K agree the spread has none of its own (its root is not
    differentiable at 0); it is taken as 0, the middle of what it could be.
    """
    mean = risks.mean(-1)
    if risks.shape[-1] < 2:
        return mean, mean.detach() * float("nan")
    variance = risks.var(-1, correction=1)
    agree = variance == 0
    return mean, variance.masked_fill(agree, 1.0).sqrt().masked_fill(agree, 0.0)


def score_torch(risks: "Tensor", lambda_: float = LAMBDA) -> "Tensor":
    """`score` of the risks (..., K) of each action, (...)."""
    mean, sd = mean_and_spread_torch(risks)
    return mean + lambda_ * sd.nan_to_num(0.0)
