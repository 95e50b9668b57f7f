"""Cutting a share off: exact, without sorting, and fair at the border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weighting.policies.quantiles import BINS, above, count_values, cut_share
from weighting.signals.quantum import LIMIT, QUANTUM, quantise

values = arrays(np.float32, st.integers(1, 40), elements=st.floats(-70, 70, width=32)) | arrays(
    np.float32, st.integers(1, 40), elements=st.sampled_from([-1.0, 0.0, 2.5])
)
shares = st.floats(0.01, 1)


def count(values):
    return count_values(values, np.zeros(len(values), bool))


@given(values=values, share=shares, lowest=st.booleans())
def test_a_mask_sums_to_its_share_and_takes_the_outermost_first(values, share, lowest):
    cut = cut_share(count(values), share, lowest)
    mask = above(values, cut, lowest).astype(np.float64)
    assert mask.sum() == pytest.approx(share * len(values), rel=2**-20)
    steps = quantise(values) * (-1 if lowest else 1)
    assert (np.diff(mask[np.argsort(steps)]) >= 0).all()
    assert len(set(mask[(mask > 0) & (mask < 1)].tolist())) <= 1
    for step in np.unique(steps):
        assert len(set(mask[steps == step].tolist())) == 1  # equal tokens, equal parts


@given(values=values, share=shares, at=st.floats(0, 1))
def test_a_cut_does_not_depend_on_order_or_units(values, share, at):
    split = round(at * len(values))
    turned = values[::-1]
    merged = count(turned[:split]) + count(turned[split:])
    assert cut_share(merged, share) == cut_share(count(values), share)


def test_values_are_counted_by_their_multiple_of_the_quantum():
    values = np.array([-LIMIT, -99, 0, QUANTUM, 0.6 * QUANTUM, LIMIT, 3], np.float32)
    special = np.arange(7) == 6
    histogram = count_values(values, special)
    assert histogram.dtype == np.int64
    assert len(histogram) == BINS
    assert {int(at): int(histogram[at]) for at in np.flatnonzero(histogram)} == {
        0: 2,
        BINS // 2: 1,
        BINS // 2 + 1: 2,
        BINS - 1: 1,
    }


def test_ties_at_the_border_share_what_is_left():
    values = np.array([3, 1, 1, 1, 1, 0], np.float32)
    cut = cut_share(count(values), 0.5)
    assert cut == (1.0, 0.5)
    assert above(values, cut).tolist() == [1, 0.5, 0.5, 0.5, 0.5, 0]
    low = cut_share(count(values), 0.5, lowest=True)
    assert above(values, low, lowest=True).tolist() == [0, 0.5, 0.5, 0.5, 0.5, 1]


def test_nothing_to_cut_gives_a_border_that_is_a_number():
    assert np.isfinite(cut_share(np.zeros(BINS, np.int64), 0.5)).all()
