"""Ratios of counts."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.ratios import divide

counts = st.integers(0, 10**12)


@given(st.lists(st.tuples(counts, counts), max_size=10))
def test_a_ratio_without_a_whole_is_nan(pairs):
    parts, wholes = np.array(pairs, np.int64).reshape(-1, 2).T
    for ratio, (part, whole) in zip(divide(parts, wholes).tolist(), pairs, strict=True):
        assert ratio == part / whole if whole else math.isnan(ratio)
