"""Sums over signals: the same however the tokens are cut, and what NumPy makes of all at once."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.score.moments import (
    COARSE,
    EDGES,
    FINE,
    REACH,
    Moments,
    correlate,
    measure,
    merge,
    spread,
)
from weighting.signals.quantum import LIMIT, QUANTUM
from weighting.signals.registry import Signals
from weighting.signals.token_types import Types

TYPES = Types(np.array([40, 9, 3, 1, 0]), np.array([7, 6, 2, 1, 0]), 7)
STORED = ("ngram_gain", "nll")

steps = st.integers(-round(LIMIT / QUANTUM), round(LIMIT / QUANTUM))
tokens = st.lists(st.tuples(st.integers(0, 4), steps, steps, st.booleans()), max_size=60)


def give(rows):
    """Signals and marks of tokens given as (id, steps of two stored signals, special)."""
    ids, gains, losses, special = (np.array(column) for column in zip(*rows, strict=True))
    values = [(column * QUANTUM).astype(np.float32) for column in (gains, losses)]
    return Signals(TYPES, ids, dict(zip(STORED, values, strict=True))), special.astype(bool)


def measure_rows(rows):
    return measure(*give(rows)) if rows else Moments()


def draw(count, seed=0):
    """Rows of signals that hang together."""
    rng = np.random.default_rng(seed)
    ids, gains = rng.integers(0, 5, count), rng.normal(0, 3000, count).astype(int)
    losses = gains // 2 + rng.normal(0, 1000, count).astype(int)
    return list(zip(ids.tolist(), gains.tolist(), losses.tolist(), [False] * count, strict=True))


@given(tokens, st.lists(st.integers(0, 60), max_size=4), st.randoms(use_true_random=False))
def test_moments_depend_on_the_tokens_and_not_on_cuts_or_order(rows, cuts, rng):
    shuffled = rng.sample(rows, len(rows))
    ends = [0, *sorted(cuts), len(rows)]
    parts = [shuffled[start:stop] for start, stop in pairwise(ends)]
    rng.shuffle(parts)
    assert merge([measure_rows(part) for part in parts]) == merge([measure_rows(rows)])


@given(tokens.filter(lambda rows: any(not row[3] for row in rows)))
def test_every_value_is_counted_in_the_bin_whose_edges_hold_it(rows):
    signals, special_N = give(rows)
    moments = measure(signals, special_N)
    assert moments.tokens == (~special_N).sum()
    for name, counts in zip(moments.signals, moments.bins, strict=True):
        held_N = np.clip(signals[name][~special_N], -REACH, np.nextafter(REACH, 0))
        expected, _ = np.histogram(held_N, EDGES)
        assert counts == expected.tolist()


def test_bins_cover_all_of_the_reach_and_are_finer_near_zero():
    widths = np.diff(EDGES)
    assert (EDGES[0], EDGES[-1]) == (-REACH, REACH)
    near = (EDGES[:-1] >= -1) & (EDGES[:-1] < 1)
    assert set(widths[near]) == {1 / FINE}
    assert set(widths[~near]) == {1 / COARSE}


def test_spreads_and_correlations_are_those_of_numpy():
    rows = draw(500)
    signals, special_N = give(rows)
    moments = merge([measure_rows(rows[:123]), measure_rows(rows[123:])])
    values_SxN = np.stack([signals[name] for name in moments.signals]).astype(np.float64)
    assert not special_N.any()
    np.testing.assert_allclose(correlate(moments), np.corrcoef(values_SxN), atol=1e-9)
    np.testing.assert_allclose(spread(moments), values_SxN.std(axis=1), atol=1e-9)
    assert moments.low == values_SxN.min(axis=1).tolist()
    assert moments.high == values_SxN.max(axis=1).tolist()


@pytest.mark.parametrize("constant", [0, 1, 12_345])
def test_a_constant_signal_has_no_spread_and_correlates_with_nothing(constant):
    rows = [(i, gain, constant, special) for i, gain, _, special in draw(50)]
    moments = measure_rows(rows)
    at = moments.signals.index("nll")
    assert spread(moments)[at] == 0
    known = np.isnan(correlate(moments))
    assert known[at].all()
    assert not np.delete(np.delete(known, at, 0), at, 1).any()


def test_ends_of_text_alone_give_nothing():
    assert measure_rows([(4, 1, 2, True)]) == merge([]) == Moments()
