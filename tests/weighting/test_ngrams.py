"""Laws of pair counting and the back-off probability."""

import itertools
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weighting.ngrams import (
    back_off,
    count_pairs,
    estimate_discount,
    find_counts,
    merge_pairs,
    pack_pairs,
    summarize_contexts,
)
from weighting.signals import unigram_probability

VOCAB = 7
streams = st.lists(st.integers(0, VOCAB - 1), min_size=2, max_size=60)


def pack(stream):
    tokens = np.array(stream)
    return pack_pairs(tokens[:-1], tokens[1:], VOCAB)


@given(streams)
def test_counts_equal_a_plain_counter(stream):
    pairs = count_pairs(pack(stream))
    expected = Counter(itertools.pairwise(stream))
    found = {
        divmod(int(key), VOCAB): int(count)
        for key, count in zip(pairs.keys_K, pairs.counts_K, strict=True)
    }
    assert found == expected


@given(st.lists(streams, max_size=5), st.randoms())
def test_merge_is_counting_the_whole_in_any_order(parts, random):
    keys = [pack(part) for part in parts]
    shuffled = [count_pairs(key) for key in keys]
    random.shuffle(shuffled)
    merged = merge_pairs(shuffled)
    whole = count_pairs(np.concatenate([np.empty(0, np.uint64), *keys]))
    assert np.array_equal(merged.keys_K, whole.keys_K)
    assert np.array_equal(merged.counts_K, whole.counts_K)


@given(streams, st.integers(0, VOCAB * VOCAB - 1))
def test_a_key_that_was_not_counted_has_count_zero(stream, key):
    pairs = count_pairs(pack(stream))
    expected = int((pack(stream) == key).sum())
    assert find_counts(pairs, np.array([key], np.uint64)).tolist() == [expected]


@given(streams, st.floats(0.1, 0.9))
def test_probabilities_of_a_context_sum_to_one(stream, discount):
    pairs = count_pairs(pack(stream))
    contexts = summarize_contexts(pairs, VOCAB)
    unigram = unigram_probability(np.bincount(stream, minlength=VOCAB))
    everything = np.arange(VOCAB)
    for context in range(VOCAB):
        keys = pack_pairs(np.full(VOCAB, context), everything, VOCAB)
        probability = back_off(
            find_counts(pairs, keys),
            np.full(VOCAB, contexts.totals_V[context]),
            np.full(VOCAB, contexts.distinct_V[context]),
            unigram,
            np.zeros(VOCAB, np.int64),
            discount,
        )
        assert np.isclose(probability.sum(), 1.0, atol=1e-12)


def test_leave_one_out_equals_counting_without_the_token():
    stream = [1, 2, 1, 2, 1, 3, 3, 3, 0]
    at = 3  # the second 1 → 2
    whole, rest = count_pairs(pack(stream)), count_pairs(np.delete(pack(stream), at - 1))
    unigram = unigram_probability(np.bincount(stream, minlength=VOCAB))
    key = pack_pairs(np.array([1]), np.array([2]), VOCAB)

    def probability(pairs, own):
        contexts = summarize_contexts(pairs, VOCAB)
        return back_off(
            find_counts(pairs, key),
            contexts.totals_V[[1]],
            contexts.distinct_V[[1]],
            unigram[[2]],
            np.array([own]),
            0.5,
        )

    assert np.array_equal(probability(whole, 1), probability(rest, 0))


def test_a_pair_seen_once_does_not_explain_itself():
    alone = np.ones(1, np.int64)
    unigram = np.array([0.01])
    assert back_off(alone, alone, alone, unigram, alone, 0.75) == unigram


def test_discount_is_neys_formula_within_bounds():
    assert estimate_discount(6, 2) == 6 / 10
    assert estimate_discount(0, 5) == 0.1
    assert estimate_discount(5, 0) == 0.9
