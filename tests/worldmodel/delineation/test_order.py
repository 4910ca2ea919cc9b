"""Our order statistics are NumPy's."""

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from worldmodel.delineation.order import median, quantiles

NUMBERS = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 3), st.integers(1, 9)), elements=st.floats(-1e3, 1e3)
)


@given(NUMBERS, st.sampled_from([0, 1]))
def test_median(x, axis):
    np.testing.assert_allclose(median(x, axis), np.median(x, axis), atol=1e-9)
    assert median(x, axis, keepdims=True).shape == np.median(x, axis, keepdims=True).shape


@given(NUMBERS, st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_quantiles(x, shares):
    for ours, share in zip(quantiles(x, *shares), shares, strict=True):
        np.testing.assert_allclose(ours, np.quantile(x, share, axis=-1), atol=1e-9)
