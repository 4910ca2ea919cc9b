"""From the risks of K simulated ECGs to one number to rank by (paper eq. 3 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

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
