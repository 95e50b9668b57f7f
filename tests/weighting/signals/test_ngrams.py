"""Laws of n-gram counts and of the back-off probability, against plain dictionaries."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighting.arrays import Int64s, Uint32s
from weighting.signals.ngrams import (
    ORDERS,
    Row,
    back_off,
    count_ngrams,
    count_seldom,
    estimate_discount,
    find_ngrams,
    list_keys,
    merge_ngrams,
    tabulate,
)

VOCAB, EOS = 4, 0
texts = st.lists(st.integers(1, VOCAB - 1), max_size=12).map(lambda ids: [*ids, EOS])
corpora = st.lists(st.tuples(texts, st.booleans()), max_size=8)


def flatten(documents: Sequence[Sequence[int]]) -> tuple[Uint32s, Int64s]:
    offsets = np.cumsum([0, *map(len, documents)])
    return np.array([i for ids in documents for i in ids], np.uint32), offsets


def keys_of(documents, order=5, vocab=VOCAB):
    return list(list_keys(*flatten(documents), EOS, vocab, order))


def own_of(corpus):
    return np.array([train for ids, train in corpus for _ in ids], np.int64)


def tables_of(corpus):
    """The table and the discount of every order."""
    train = own_of(corpus) == 1
    for keys in keys_of([ids for ids, _ in corpus]):
        ngrams = count_ngrams(keys[train])
        yield tabulate(ngrams, VOCAB), estimate_discount(*count_seldom(ngrams))


def unigram_of(corpus):
    counts = Counter(i for ids, train in corpus if train for i in ids)
    return np.array([counts[i] + 1.0 for i in range(VOCAB)]) / (counts.total() + VOCAB)


def score(documents, own, corpus):
    """The probability of every token by every order, from 1 on, float64 [order, N]."""
    ids, _ = flatten(documents)
    probabilities = [unigram_of(corpus)[ids]]
    for keys, (table, discount) in zip(keys_of(documents), tables_of(corpus), strict=True):
        rows = find_ngrams(table, keys, VOCAB)
        probabilities.append(back_off(rows, probabilities[-1], own, discount))
    return np.array(probabilities)


def list_grams(documents, n):
    """The context and the token of every n-gram, in order."""
    for ids in documents:
        padded = [EOS] * (n - 1) + ids
        for at, token in enumerate(ids):
            yield tuple(padded[at : at + n - 1]), token


def count_plainly(corpus, n):
    return Counter(list_grams([ids for ids, train in corpus if train], n))


def score_plainly(corpus, order, prune):
    """What `score` gives, token by token; the token itself is taken out of a copy of the counts."""
    scores = list(unigram_of(corpus)[flatten([ids for ids, _ in corpus])[0]])
    own = own_of(corpus)
    for n in range(2, order + 1):
        counts = count_plainly(corpus, n)
        singletons, doubletons = (list(counts.values()).count(k) for k in (1, 2))
        discount = estimate_discount(singletons, doubletons)
        for at, (context, token) in enumerate(list_grams([ids for ids, _ in corpus], n)):
            following = Counter({x: count for (h, x), count in counts.items() if h == context})
            if prune and following.total() == 1:
                continue
            following[token] -= own[at]
            following = +following
            if following:
                mass = max(following[token] - discount, 0)
                mass += discount * len(following) * scores[at]
                scores[at] = mass / following.total()
    return scores


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=40)
@given(corpora)
def test_probabilities_are_those_of_plain_dictionaries(order, corpus):
    found = score([ids for ids, _ in corpus], own_of(corpus), corpus)[order - 1]
    assert np.allclose(found, score_plainly(corpus, order, prune=True), rtol=1e-12)


@settings(max_examples=60)
@given(corpora)
def test_leaving_out_contexts_that_occur_once_changes_no_train_token(corpus):
    train = own_of(corpus) == 1
    whole = np.array(score_plainly(corpus, 5, prune=False))
    pruned = np.array(score_plainly(corpus, 5, prune=True))
    assert np.array_equal(whole[train], pruned[train])


@given(corpora, st.lists(st.integers(1, VOCAB - 1), max_size=5))
def test_probabilities_of_a_context_sum_to_one_for_every_order(corpus, context):
    continued = [[*context, token] for token in range(VOCAB)]
    last = np.arange(1, VOCAB + 1) * len(continued[0]) - 1
    nobody = np.zeros(len(continued) * len(continued[0]), np.int64)
    assert np.allclose(score(continued, nobody, corpus)[:, last].sum(axis=1), 1, atol=1e-12)


@given(corpora)
def test_counts_are_those_of_a_plain_counter(corpus):
    documents = [ids for ids, train in corpus if train]
    for n, keys in enumerate(keys_of(documents), 2):
        ngrams = count_ngrams(keys)
        plain = count_plainly(corpus, n)
        by_key = dict(zip(keys.tolist(), list_grams(documents, n), strict=True))
        found = zip(ngrams.keys_K.tolist(), ngrams.counts_K.tolist(), strict=True)
        assert {by_key[key]: count for key, count in found} == plain
        assert np.all(ngrams.keys_K[1:] > ngrams.keys_K[:-1])


@given(st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9)), max_size=5), st.randoms())
def test_merge_is_counting_the_whole_in_any_order_and_cutting(parts, random):
    keys = [np.array(part, np.uint64) for part in parts]
    whole = count_ngrams(np.concatenate([np.empty(0, np.uint64), *keys]))
    counted = [count_ngrams(part) for part in keys]
    random.shuffle(counted)
    cut = random.randint(0, len(counted))
    merged = merge_ngrams([merge_ngrams(counted[:cut]), merge_ngrams(counted[cut:])])
    assert np.array_equal(merged.keys_K, whole.keys_K)
    assert np.array_equal(merged.counts_K, whole.counts_K)


@given(corpora)
def test_rows_of_ngrams_and_contexts(corpus):
    documents = [[*ids[:-1], token, EOS] for ids, _ in corpus for token in range(VOCAB)]
    for n, (keys, (table, _)) in enumerate(
        zip(keys_of(documents), tables_of(corpus), strict=True), 2
    ):
        counts = count_plainly(corpus, n)
        contexts = defaultdict(list)
        for (context, _), count in counts.items():
            contexts[context].append(count)
        rows = find_ngrams(table, keys, VOCAB)
        for (context, token), row in zip(list_grams(documents, n), rows.tolist(), strict=True):
            known = contexts[context]
            expected = [counts[context, token], sum(known), len(known)]
            assert row == (expected if sum(known) > 1 else [0, 0, 0])


@given(st.lists(texts, max_size=5))
def test_a_document_knows_nothing_of_those_beside_it(documents):
    apart = [keys_of([ids]) for ids in documents]
    for n, whole in enumerate(keys_of(documents)):
        alone = [keys[n] for keys in apart]
        assert np.array_equal(whole, np.concatenate([np.empty(0, np.uint64), *alone]))


@pytest.mark.parametrize("vocab", [2, 257, 16_384, 50_257, 2**32])
def test_key_of_a_pair_is_exact_and_sorts_by_context(vocab):
    some = np.unique(np.linspace(0, vocab - 1, 300).astype(np.uint32))
    ids = np.stack(np.meshgrid(some, some), axis=-1).reshape(-1)
    offsets = np.arange(0, len(ids) + 1, 2)
    (keys,) = list_keys(ids, offsets, EOS, vocab, 2)
    pairs = ids.reshape(-1, 2)[np.argsort(keys[1::2])]
    assert len(np.unique(keys[1::2])) == len(some) ** 2
    runs = np.flatnonzero(np.diff(pairs[:, 0])) + 1
    assert len(runs) == len(some) - 1
    assert all(np.array_equal(run, some) for run in np.split(pairs[:, 1], runs))


@pytest.mark.parametrize("vocab", [512, 16_384, 65_536])
@pytest.mark.parametrize("order", [2, 3, 5])
def test_contexts_spread_evenly_over_the_keys(vocab, order):
    ids = np.arange(vocab, dtype=np.uint32)
    *_, keys = list_keys(ids, np.array([0, vocab]), EOS, vocab, order)
    held = np.bincount((keys >> np.uint64(61)).astype(np.int64), minlength=8)
    assert np.all(abs(held - vocab / 8) < 5 * np.sqrt(vocab / 8))  # as if drawn


def test_an_ngram_seen_once_does_not_explain_itself():
    corpus = [([1, 2, EOS], True), ([3, EOS], True)]
    probabilities = score([[1, 2, EOS]], np.ones(3, np.int64), corpus)
    assert probabilities[1, 1] == probabilities[0, 1]  # 1 was seen before nothing but this 2


def test_numbers_beyond_32_bits_are_kept_as_the_largest():
    (keys,) = keys_of([[1, 2, EOS]], order=2)
    one = count_ngrams(keys)
    many = type(one)(one.keys_K, np.full(3, 2**33))
    assert find_ngrams(tabulate(many, VOCAB), keys, VOCAB)[:, Row.TOTAL].tolist() == [2**32 - 1] * 3


def test_discount_is_neys_formula_within_bounds():
    assert estimate_discount(6, 2) == 6 / 10
    assert estimate_discount(0, 5) == 0.1
    assert estimate_discount(5, 0) == 0.9
