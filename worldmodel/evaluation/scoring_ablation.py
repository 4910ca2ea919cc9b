"""What K and lambda do to the score: the error of a spread from few samples, and the order of the actions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SUBSETS = 200
TIE = 1e-9


@dataclass(frozen=True)
class SpreadError:
    """RMS relative error of the SD of K values against that of all, over cases; by_theory: of Gaussian values."""

    k: int
    qtcf: float
    risk: float
    by_theory: float


@dataclass(frozen=True)
class Ranking:
    """At one lambda: mean rank of each action, 1 the best; same_first: share of patients with the best of lambda 0."""

    lambda_: float
    mean_ranks: tuple[float, ...]
    same_first: float


def spread_errors(
    qtcf_ms: NDArray[np.float64], risk: NDArray[np.float64], ks: Sequence[int], seed: int
) -> list[SpreadError]:
    """qtcf_ms, risk: (case, sample) of many samples. Subsets are drawn without replacement."""
    rng = np.random.default_rng(seed)
    draws = np.argsort(rng.random((SUBSETS, qtcf_ms.shape[1])), axis=1)
    return [
        SpreadError(
            k,
            _relative_error(qtcf_ms, draws[:, :k]),
            _relative_error(risk, draws[:, :k]),
            float(np.sqrt(1 / (2 * (k - 1)))),
        )
        for k in ks
    ]


def _relative_error(values: NDArray[np.float64], draws: NDArray[np.int_]) -> float:
    whole = values.std(axis=1, ddof=1)
    told = whole > TIE  # a risk that is 0 in every sample has no spread to be wrong about
    few = values[told][:, draws].std(axis=2, ddof=1)
    return float(np.sqrt(np.mean((few / whole[told, None] - 1) ** 2)))


def rankings(risk: NDArray[np.float64], lambdas: Sequence[float]) -> list[Ranking]:
    """risk: (patient, action, sample). Score is mean + lambda SD (eq. 3); lower is better."""
    mean, sd = np.nanmean(risk, axis=2), np.nanstd(risk, axis=2, ddof=1)
    first = mean.argmin(axis=1)
    rows = []
    for weight in lambdas:
        scores = mean + weight * sd
        ranks = 1 + (scores[:, None, :] < scores[:, :, None] - TIE).sum(axis=2)
        same = scores.argmin(axis=1) == first
        rows.append(Ranking(weight, tuple(ranks.mean(axis=0).tolist()), float(same.mean())))
    return rows
