"""MinHash signatures: their laws, and the chances that the theory gives."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.minhash import (
    Signatures,
    draw_functions,
    fill_bands,
    find_minima,
    sign,
)
from pipelines.dedupe.shingles import jaccard
from pipelines.settings import NearSettings
from pipelines.text.word_hashes import WordHashes, list_words
from tests.pipelines.dedupe.simple import texts, view

PRIME = 2**61 - 1
NEAR = NearSettings(words=2, bands=5, rows=3)


def match_probability(alike, near):
    """The chance that two texts of this similarity share a key."""
    return 1 - (1 - alike**near.rows) ** near.bands


def series_of(documents):
    """Return documents of words, which are numbers, as their hashes."""
    words = [word for some in documents for word in some]
    names = np.random.default_rng(5).integers(0, 2**64, 50, np.uint64)
    nowhere = np.zeros(len(words), np.int64)
    return WordHashes(names[words], nowhere, nowhere, np.cumsum([0, *map(len, documents)]))


def minima_of(shingles, factors, terms):
    minima = np.empty(len(factors), np.uint64)
    find_minima(shingles.astype(np.uint64), factors, terms, minima)
    return minima


def make_pair(rng, size, common):
    """Return two sorted sets of so many shingles, of which they share some."""
    values = rng.choice(2**32, 2 * size - common, replace=False).astype(np.uint32)
    return np.sort(values[:size]), np.sort(values[size - common :])


documents = st.lists(st.lists(st.integers(0, 6), max_size=15), max_size=6)


@given(documents)
def test_texts_of_equal_shingles_have_equal_keys(lists):
    found = sign(series_of(lists), NEAR)
    sets = [frozenset(pairwise(some)) for some in lists]
    assert found.signed_D.tolist() == [bool(some) for some in sets]
    assert np.diff(found.offsets_D1).tolist() == [len(some) for some in sets]
    keys = [tuple(row) for row in found.bands_DxB.tolist()]
    for at in np.flatnonzero(found.signed_D):
        for other in np.flatnonzero(found.signed_D):
            if sets[at] == sets[other]:
                assert keys[at] == keys[other]
            if sets[at].isdisjoint(sets[other]):
                assert not set(keys[at]) & set(keys[other])


def test_order_and_repetition_of_shingles_do_not_matter():
    first, again = sign(
        series_of([[1, 2, 3, 1, 2], [2, 3, 1, 2, 3, 1, 2, 3, 1, 2]]), NEAR
    ).bands_DxB
    assert first.tolist() == again.tolist()


@settings(max_examples=50)
@given(st.lists(texts, min_size=1, max_size=6))
def test_the_texts_beside_it_do_not_matter(lists):
    together = sign(list_words(view(lists)), NEAR)
    for at, text in enumerate(lists):
        alone = sign(list_words(view([text])), NEAR)
        first, last = together.offsets_D1[at : at + 2]
        assert together.signed_D[at] == alone.signed_D[0]
        assert together.shingles_S[first:last].tolist() == alone.shingles_S.tolist()
        if alone.signed_D[0]:
            assert together.bands_DxB[at].tolist() == alone.bands_DxB[0].tolist()


def test_no_texts():
    found = sign(list_words(view([])), NEAR)
    assert isinstance(found, Signatures)
    assert found.bands_DxB.shape == (0, NEAR.bands)
    assert found.offsets_D1.tolist() == [0]


def test_bands_with_equal_minima_have_different_keys():
    factors = np.full(4, 3, np.uint64)
    bands = np.empty((1, 4), np.uint64)
    shingles = np.array([5], np.uint64)
    fill_bands(shingles, np.array([0, 1]), factors, np.zeros(4, np.uint64), bands)
    assert len({*bands[0].tolist()}) == 4


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20), st.integers(0, 99))
def test_minima_are_those_of_the_formula(shingles, seed):
    factors, terms = draw_functions(20, seed)
    factors[:2], terms[:2] = (1, PRIME - 1), (PRIME, PRIME - 1)  # where the modulus wraps round
    expected = [
        min((shingle * a + b) % 2**64 % PRIME for shingle in shingles)
        for a, b in zip(factors.tolist(), terms.tolist(), strict=True)
    ]
    assert minima_of(np.array(shingles, np.uint32), factors, terms).tolist() == expected


def test_functions_are_datatroves():
    peer = pytest.importorskip("datatrove.pipeline.dedup.minhash")
    parameters = peer.MinhashDedupSignature.parameters.fget
    step = peer.MinhashDedupSignature.__new__(peer.MinhashDedupSignature)
    step.config, step.num_hashes, step._parameters = peer.MinhashConfig(), 112, None
    for ours, theirs in zip(draw_functions(112, 1), parameters(step), strict=True):
        assert ours.tolist() == theirs[0].tolist()


def test_functions_never_change():
    factors, terms = draw_functions(3, 1)
    assert factors.tolist() == [775169054918279404, 1758426461858698313, 2109959069025162]
    assert terms.tolist() == [965365488286768773, 401325382989534144, 1703346441743126657]


def test_minima_agree_as_often_as_sets_are_alike():
    rng, functions = np.random.default_rng(11), draw_functions(112, 1)
    pairs, size, common = 200, 90, 60
    alike, agreements = 0.0, 0
    for _ in range(pairs):
        a, b = make_pair(rng, size, common)
        alike = jaccard(a, b)
        agreements += int((minima_of(a, *functions) == minima_of(b, *functions)).sum())
    trials = pairs * 112
    assert alike == common / (2 * size - common)
    deviation = math.sqrt(alike * (1 - alike) / trials)
    assert abs(agreements / trials - alike) < 4 * deviation


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.72, 0.8, 1.0])
def test_match_probability_is_that_of_bands_of_chances(alike):
    near, rng, trials = NearSettings(), np.random.default_rng(2), 20_000
    agree = rng.random((trials, near.bands, near.rows)) < alike
    expected = match_probability(alike, near)
    seen = agree.all(2).any(1).mean()
    assert abs(seen - expected) <= 4 * math.sqrt(expected * (1 - expected) / trials)


def test_pairs_share_a_key_as_often_as_the_theory_says():
    near, rng, pairs = NearSettings(seed=3), np.random.default_rng(4), 600
    sets = [some for _ in range(pairs) for some in make_pair(rng, 84, 70)]
    bands = np.empty((2 * pairs, near.bands), np.uint64)
    functions = draw_functions(near.bands * near.rows, near.seed)
    offsets = np.cumsum([0, *map(len, sets)])
    fill_bands(np.concatenate(sets).astype(np.uint64), offsets, *functions, bands)
    expected = match_probability(70 / 98, near)
    seen = (bands[::2] == bands[1::2]).any(1).mean()
    assert abs(seen - expected) < 4 * math.sqrt(expected * (1 - expected) / pairs)


def test_the_chance_of_datatroves_defaults():
    assert match_probability(0.8, NearSettings()) == pytest.approx(0.924, abs=0.001)
