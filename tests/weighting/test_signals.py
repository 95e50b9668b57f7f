"""Laws of the count signals and corpus facts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.ngrams import count_pairs, pack_pairs, summarize_contexts
from weighting.signals import (
    SIGNALS,
    Counts,
    Occurrences,
    gather_facts,
    ngram_gain,
    unigram_surprisal,
)

VOCAB = 9
streams = st.lists(st.integers(0, VOCAB - 1), min_size=2, max_size=80)


def observe(stream, own=1, discount=0.5):
    """The occurrences of a one-document stream and the counts it gives."""
    ids = np.array(stream[1:])
    previous = np.array(stream[:-1])
    pairs = count_pairs(pack_pairs(previous, ids, VOCAB))
    counts = Counts(
        np.bincount(ids, minlength=VOCAB), pairs, summarize_contexts(pairs, VOCAB), discount
    )
    return Occurrences(ids, previous, np.full(len(ids), own)), counts


@given(streams)
def test_a_commoner_type_is_never_more_surprising(stream):
    occurrences, counts = observe(stream)
    surprisal = unigram_surprisal(occurrences, counts)
    by_count = sorted(zip(counts.types_V[occurrences.ids_N], surprisal, strict=True))
    assert all(a[1] >= b[1] for a, b in itertools.pairwise(by_count))


@given(streams)
def test_every_signal_is_finite_and_one_number_a_token(stream):
    for own in (0, 1):
        occurrences, counts = observe(stream, own)
        for signal in SIGNALS.values():
            values = signal(occurrences, counts)
            assert values.shape == occurrences.ids_N.shape
            assert values.dtype == np.float32
            assert np.isfinite(values).all()


def test_gain_is_positive_where_the_context_decides_and_negative_where_it_excludes():
    stream = [0, 1, 2] * 20 + [0, 3, 1]
    occurrences, counts = observe(stream)
    gain = ngram_gain(occurrences, counts)
    after_zero = (occurrences.previous_N == 0) & (occurrences.ids_N == 1)
    odd_one = (occurrences.previous_N == 0) & (occurrences.ids_N == 3)
    assert (gain[after_zero] > 1).all()
    assert (gain[odd_one] < 0).all()


def test_surprisal_is_minus_log_of_the_smoothed_share():
    occurrences, counts = observe([0, 1, 1, 1, 2])
    expected = -math.log((3 + 1) / (4 + VOCAB))
    assert unigram_surprisal(occurrences, counts)[0] == pytest.approx(expected, rel=1e-6)


def test_facts_hold_the_entropy_and_where_the_rarest_five_percent_begin():
    types = np.array([50, 46, 3, 1])
    facts = gather_facts(types)
    share = (types + 1) / (100 + 4)
    assert facts.entropy == pytest.approx(-(types / 100 * np.log(share)).sum())
    assert facts.rare_surprisal == pytest.approx(-math.log(4 / 104))  # 3 + 1 = 4 % of tokens


def test_an_empty_split_has_no_rare_types():
    assert gather_facts(np.zeros(5, np.int64)).rare_surprisal == math.inf
