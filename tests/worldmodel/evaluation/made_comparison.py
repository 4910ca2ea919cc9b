"""A Comparison of made numbers: truth is Gaussian, and so are the contestants, each with a fault of its own."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from worldmodel.evaluation.comparison import Comparison
from worldmodel.evaluation.effects import OURS
from worldmodel.evaluation.unseen import COLUMNS, MEASURED, QTCF, RISK

ACTIONS = ("no drug", "drug", "other")
DRUGS = np.array([False, True, True])
EFFECT_MS = np.array([0.0, 40.0, 10.0])
SD_MS = 8.0


def made_comparison(
    fault: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda change: change,
    patients: int = 400,
    k: int = 8,
    seed: int = 1,
) -> Comparison:
    """fault turns the true kind of change (n, action, k, columns) into that of OURS."""
    rng = np.random.default_rng(seed)
    n, a, c = patients, len(ACTIONS), len(COLUMNS)
    before = rng.normal(400.0, 20.0, (n, c))
    before[:, RISK] = 0.1
    expected = np.broadcast_to(EFFECT_MS[None, :, None], (n, a, len(MEASURED))).copy()
    drawn = expected[:, :, None] + rng.normal(0, SD_MS, (n, a, 2, len(MEASURED)))

    def changes(of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([of, of[..., [QTCF]] / 100], axis=-1)

    own = expected[:, :, None] + balanced(rng.normal(0, SD_MS, (n, a, k, len(MEASURED))))
    start = before[:, None, None]
    beats = rng.normal(0, 1, (n, 12, 60)).astype(np.float32)
    return Comparison(
        actions=ACTIONS,
        before=before,
        truth=start + changes(drawn),
        expected=expected,
        drawn=drawn,
        predicted={OURS: start + fault(changes(own)), "oracle": start + changes(drawn[:, :, :1])},
        gallery=beats[:100],
        beats={OURS: np.repeat(beats[:, None], a, axis=1)},
    )


def balanced(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """As stage one draws: their mean over the samples is that of the distribution."""
    return draws - draws.mean(axis=2, keepdims=True)
