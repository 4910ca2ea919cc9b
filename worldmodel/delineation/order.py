"""Medians and quantiles of NumPy arrays by one sort: for short rows many times as fast as NumPy's own."""

import numpy as np
from numpy.typing import NDArray


def median(x: NDArray[np.float64], axis: int = -1, keepdims: bool = False) -> NDArray[np.float64]:
    """As np.median of an array that is not empty along `axis`."""
    ordered = np.sort(x, axis=axis)
    n = x.shape[axis]
    low, high = (ordered.take(at, axis=axis) for at in ((n - 1) // 2, n // 2))
    middle = 0.5 * (low + high)
    return np.expand_dims(middle, axis) if keepdims else np.asarray(middle)


def quantiles(x: NDArray[np.float64], *shares: float) -> list[NDArray[np.float64]]:
    """As np.quantile along the last axis, one array for each share of 0..1."""
    ordered = np.sort(x, axis=-1)
    result = []
    for share in shares:
        at = share * (x.shape[-1] - 1)
        low = int(at)
        high = min(low + 1, x.shape[-1] - 1)
        result.append(ordered[..., low] + (at - low) * (ordered[..., high] - ordered[..., low]))
    return result
