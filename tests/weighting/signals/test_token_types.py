"""Laws of what counts alone say of a type: rarity, spread, burstiness."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.signals.quantum import quantise
from weighting.signals.registry import tabulate_types
from weighting.signals.token_types import Types, cut_deciles, measure_idf, measure_residual_idf

counts = st.lists(st.integers(0, 10_000), min_size=1, max_size=30).map(np.array)


def count(counts, documents=10):
    return Types(counts, np.minimum(counts, documents), documents)


@given(counts)
def test_every_table_is_finite_rounded_and_one_number_a_type(counts):
    types = count(counts)
    tables = tabulate_types(types)
    assert list(tables) == ["surprisal", "idf", "residual_idf"]
    for table in tables.values():
        assert table.shape == counts.shape
        assert table.dtype == np.float32
        assert np.isfinite(table).all()
        assert np.array_equal(quantise(table), table)


@given(counts)
def test_a_rarer_type_is_never_less_surprising_and_probabilities_sum_to_one(counts):
    types = count(counts)
    order = np.argsort(counts, kind="stable")
    assert (np.diff(types.surprisal_V[order]) <= 0).all()
    assert types.probability_V.sum() == pytest.approx(1)


def test_surprisal_and_idf_by_hand():
    types = Types(np.array([3, 1, 0]), np.array([2, 1, 0]), 4)
    expected = [math.log(7 / 4), math.log(7 / 2), math.log(7)]
    assert types.surprisal_V.tolist() == pytest.approx(expected, abs=2**-10)
    expected = [math.log(2), math.log(4), math.log(4)]
    assert measure_idf(types).tolist() == pytest.approx(expected)


def test_residual_idf_is_high_for_bursts_and_near_zero_for_chance():
    rng = np.random.default_rng(0)
    spread = rng.poisson(0.2, 50_000)
    counts = np.array([spread.sum(), 10_000, 0])
    holders = np.array([(spread > 0).sum(), 500, 0])
    residual = measure_residual_idf(Types(counts, holders, 50_000))
    assert residual[0] == pytest.approx(0, abs=0.02)
    assert residual[1] == pytest.approx(math.log(100) + math.log(1 - math.exp(-0.2)))
    assert residual[2] == 0


def test_the_rarest_five_percent_begin_where_the_types_that_make_them_up_do():
    types = count(np.array([50, 46, 3, 1]))
    assert types.rare_surprisal == pytest.approx(math.log(104 / 4), abs=2**-10)  # 3 + 1 = 4 %
    assert types.rare_V.sum() == (types.surprisal_V >= types.rare_surprisal).sum() > 0
    assert count(np.zeros(5, np.int64)).rare_surprisal == math.inf
    assert count(np.array([50, 50])).rare_surprisal == math.inf


@given(counts)
def test_deciles_begin_where_a_tenth_of_the_tokens_does(counts):
    deciles = cut_deciles(counts)
    assert ((deciles == 0) == (counts == 0)).all()
    order = np.argsort(-counts, kind="stable")
    seen = order[counts[order] > 0]
    assert (np.diff(deciles[seen]) >= 0).all()
    for decile in set(deciles[seen].tolist()):
        before = counts[seen][deciles[seen] < decile].sum() / counts.sum()
        assert before >= (decile - 1) / 10 - 1e-12
