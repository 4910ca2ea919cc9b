"""How well a label is told from the rest, and whether its probabilities are kept."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BINS = (0.0, 0.05, 0.2, 0.5, 0.8, 1.0)


@dataclass(frozen=True)
class LabelFigures:
    """auroc: how often a positive is above a negative. brier: mean squared error of the probability, and that of
    always saying the share of positives. expected: sum of the probabilities, to compare with `positives`. bins: of
    BINS, each (recordings, mean probability, share of positives)."""

    positives: int
    negatives: int
    auroc: float
    brier: float
    brier_of_share: float
    expected: float
    bins: tuple[tuple[int, float, float], ...]

    def __str__(self) -> str:
        return (
            f"{self.positives} of {self.positives + self.negatives}, AUROC {self.auroc:.3f}, "
            f"Brier {self.brier:.4f} (share {self.brier_of_share:.4f})"
        )


def figures_of(truth: Array, p: Array, share: Array) -> LabelFigures:
    """truth: (recording,) of 0 and 1; p: the probabilities; share: what is said instead by who looks at nothing."""
    return LabelFigures(
        positives=int(truth.sum()),
        negatives=int((1 - truth).sum()),
        auroc=auroc(truth, p),
        brier=float(((p - truth) ** 2).mean()),
        brier_of_share=float(((share - truth) ** 2).mean()),
        expected=float(p.sum()),
        bins=reliability(truth, p),
    )


def auroc(truth: Array, p: Array) -> float:
    """The probability that a positive is above a negative, a tie counting half. NaN without one of either."""
    above = p[truth == 1][:, None] - p[truth == 0]
    return float(((above > 0) + 0.5 * (above == 0)).mean()) if above.size else float("nan")


def reliability(truth: Array, p: Array) -> tuple[tuple[int, float, float], ...]:
    """For each of BINS how many fall into it, their mean probability, and their share of positives; NaN for none."""
    which = np.clip(np.searchsorted(BINS, p, side="right") - 1, 0, len(BINS) - 2)
    bins = [which == number for number in range(len(BINS) - 1)]
    return tuple(
        (int(b.sum()), float(p[b].mean()), float(truth[b].mean())) if b.any() else (0, np.nan, np.nan)
        for b in bins
    )


def joined(figures: list[LabelFigures]) -> tuple[tuple[int, float, float], ...]:
    """The bins of several labels as one."""
    result = []
    for bins in zip(*(one.bins for one in figures), strict=True):
        n = sum(count for count, _, _ in bins)
        means = (sum(count * b[i] for b in bins if (count := b[0])) / n if n else np.nan for i in (1, 2))
        result.append((n, *means))
    return tuple(result)
