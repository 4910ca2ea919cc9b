"""How well rankings agree with what was prescribed, and how surely that is known.

Of each episode one action was prescribed, so a metric is a function of its rank r among n candidates. Where a ranking
leaves candidates equal, it is the mean over the ranks that they share, which is what breaking ties by lot gives on
average: a ranking that knows nothing gets exactly what chance gets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from tools.results import Result

METRICS = (
    "top_1",
    "top_3",
    "top_5",
    "mrr",
    "ndcg",
    "mean_rank_percentile",
    "pairwise_accuracy",
    "kendall_tau",
)
RESAMPLES = 1000
FEW_SUBJECTS = 20  # below it the interval is a rough one
_BLOCK = 50  # resamples at a time, so that memory is bounded


@dataclass(frozen=True)
class Place:
    """Where the prescribed action stands: at one of the ranks first..last, of n; first 0: it is not among them."""

    first: int
    last: int
    n: int


class Estimate(Result):
    """value with the 95 % interval by resampling subjects; null where no episode can tell; n: episodes that can."""

    value: float | None
    ci95: tuple[float, float] | None
    n: int


def place(keys: Mapping[str, object], prescribed: str | None) -> Place:
    """The place of `prescribed` by its key, lower first; keys: of every candidate that is ranked."""
    if prescribed is None or prescribed not in keys:
        return Place(0, 0, len(keys))
    own = keys[prescribed]
    better = sum(key < own for key in keys.values())  # type: ignore[operator]
    equal = sum(key == own for key in keys.values())
    return Place(better + 1, better + equal, len(keys))


@lru_cache(maxsize=100_000)
def agreement(where: Place) -> tuple[float, ...]:
    """METRICS of one episode; NaN where the metric says nothing, as of pairs where there is one candidate.

    An action that is not among the candidates is agreed with by none of the metrics: 0, and for tau the lowest value.
    mean_rank_percentile: share of the candidates ranked behind it, its own place counted half; chance 0.5.
    pairwise_accuracy: share of the others ranked behind it. kendall_tau: tau-b between the ranking and "the
    prescribed before all others, which are equal".
    """
    if where.first == 0:
        return (0.0,) * 6 + ((0.0, _tau(where.n + 1, where.n + 1)) if where.n else (float("nan"),) * 2)
    ranks = range(where.first, where.last + 1)
    each = [_at_rank(r, where.n) for r in ranks]
    return tuple(sum(column) / len(each) for column in zip(*each, strict=True))


def _at_rank(r: int, n: int) -> tuple[float, ...]:
    pairs = ((n - r) / (n - 1), _tau(r, n)) if n > 1 else (float("nan"), float("nan"))
    return (
        float(r <= 1),
        float(r <= 3),
        float(r <= 5),
        1.0 / r,
        1.0 / log2(1 + r),
        (n - r + 0.5) / n,
        *pairs,
    )


def _tau(r: int, n: int) -> float:
    return ((n - r) - (r - 1)) / sqrt((n - 1) * n * (n - 1) / 2)


def estimate(
    values: NDArray[np.float64], subjects: Sequence[str], seed: int, resamples: int = RESAMPLES
) -> list[Estimate]:
    """The mean of each column of values (episode, column) over the episodes where it is no NaN, with its interval.

    Subjects are drawn with replacement, with all their episodes (percentile bootstrap of clusters); the deviations are
    widened by sqrt(S / (S - 1)), as few subjects S make them too small. One subject alone has no interval.
    """
    if not len(values):
        return [Estimate(value=None, ci95=None, n=0) for _ in range(values.shape[1])]
    names, of_subject = np.unique(np.asarray(subjects), return_inverse=True)
    known = ~np.isnan(values)
    sums, counts = np.zeros((2, len(names), values.shape[1]))
    np.add.at(sums, of_subject, np.where(known, values, 0.0))
    np.add.at(counts, of_subject, known.astype(float))
    with np.errstate(invalid="ignore"):
        mean = sums.sum(0) / counts.sum(0)
        drawn = _resampled(sums, counts, seed, resamples) if len(names) > 1 else None
    found = []
    for column in range(values.shape[1]):
        n = int(counts[:, column].sum())
        interval = None
        if drawn is not None and n and (counts[:, column] > 0).sum() > 1:
            wider = sqrt(len(names) / (len(names) - 1))
            low, high = mean[column] + wider * (
                np.nanquantile(drawn[:, column], (0.025, 0.975)) - mean[column]
            )
            low, high = max(low, np.nanmin(values[:, column])), min(high, np.nanmax(values[:, column]))
            interval = (round(float(low), 4), round(float(high), 4))
        found.append(Estimate(value=round(float(mean[column]), 4) if n else None, ci95=interval, n=n))
    return found


def _resampled(
    sums: NDArray[np.float64], counts: NDArray[np.float64], seed: int, resamples: int
) -> NDArray[np.float64]:
    """Means of resampled subjects, (resamples, column)."""
    generator = np.random.default_rng(seed)
    subjects = len(sums)
    even = np.full(subjects, 1.0 / subjects)
    blocks = []
    for first in range(0, resamples, _BLOCK):
        weights = generator.multinomial(subjects, even, size=min(_BLOCK, resamples - first)).astype(float)
        blocks.append((weights @ sums) / (weights @ counts))
    return np.concatenate(blocks)
