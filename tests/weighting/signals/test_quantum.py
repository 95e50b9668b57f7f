"""The step in which signals are measured: to the nearest, within bounds, and once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weighting.signals.quantum import LIMIT, QUANTUM, quantise


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20).map(np.array))
def test_rounding_is_to_the_nearest_multiple_within_bounds_and_once(values):
    rounded = quantise(values)
    assert rounded.dtype == np.float32
    assert np.abs(rounded - np.clip(values, -LIMIT, LIMIT)).max() <= QUANTUM / 2
    assert (rounded / np.float32(QUANTUM) == np.rint(rounded / np.float32(QUANTUM))).all()
    assert np.array_equal(quantise(rounded), rounded)


def test_rounding_keeps_nan_so_that_it_is_found_later():
    assert np.isnan(quantise(np.array([np.nan], np.float32))).all()


@given(st.lists(st.floats(-64, 64), max_size=20), st.randoms(use_true_random=False))
def test_sums_are_the_same_in_any_order(values, random):
    rounded = quantise(np.array(values)).astype(np.float64)
    turned = rounded.tolist()
    random.shuffle(turned)
    assert rounded.sum() == sum(turned)
    assert (rounded * rounded).sum() == sum(value * value for value in turned)


def test_whole_numbers_are_taken_too():
    assert quantise(np.array([1, -2, 100])).tolist() == [1, -2, 64]
