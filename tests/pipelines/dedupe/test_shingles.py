"""Sets of shingles and their similarity, against Python's sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dedupe.shingles import compare_pairs, jaccard, make_sets, reaches

# Of 64 bits; the high halves of some are equal.
hashes = st.builds(lambda high, low: high << 32 | low, st.integers(0, 9), st.integers(0, 3))
hashes = hashes | st.integers(0, 2**64 - 1)
numbers = st.sets(st.integers(0, 30) | st.integers(0, 2**32 - 1), max_size=40)


@given(st.lists(st.lists(hashes, max_size=30), max_size=5))
def test_sets_are_the_sorted_distinct_high_halves(documents):
    values = np.array([value for some in documents for value in some], np.uint64)
    kept = values.copy()
    shingles, offsets = make_sets(values, np.cumsum([0, *map(len, documents)]))
    expected = [sorted({value >> 32 for value in some}) for some in documents]
    assert offsets.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
    assert shingles.tolist() == [value for some in expected for value in some]
    assert shingles.dtype == np.uint32
    assert (values == kept).all()


@given(numbers, numbers)
def test_jaccard(left, right):
    a, b = (np.array(sorted(some), np.uint32) for some in (left, right))
    union = left | right
    assert jaccard(a, b) == (len(left & right) / len(union) if union else 0)
    assert jaccard(a, b) == jaccard(b, a)


def test_jaccard_of_equal_and_of_none():
    some, none = np.array([1, 2**32 - 1], np.uint32), np.empty(0, np.uint32)
    assert jaccard(some, some) == 1
    assert jaccard(some, none) == jaccard(none, none) == 0


@given(numbers, numbers, st.floats(0.01, 1))
def test_reaches_is_the_jaccard_similarity(one, other, least):
    a, b = (np.array(sorted(some), np.uint32) for some in (one | {99}, other))
    assert reaches(a, b, least) == (jaccard(a, b) >= least)


def test_long_sets_reach_by_blocks():
    a = np.arange(0, 1000, dtype=np.uint32)
    b = np.arange(300, 1300, dtype=np.uint32)
    similarity = 700 / 1300
    assert reaches(a, b, similarity)
    assert not reaches(a, b, similarity + 1e-9)


@given(st.lists(numbers, min_size=1, max_size=5), st.data())
def test_pairs_of_documents_are_compared_by_their_sets(some, data):
    places = st.integers(0, len(some) - 1)
    pairs = data.draw(st.lists(st.tuples(places, places), max_size=5))
    arrays = [np.array(sorted(one), np.uint32) for one in some]
    offsets = np.cumsum([0, *map(len, arrays)])
    found = compare_pairs(np.concatenate(arrays), offsets, np.array(pairs, np.int64).reshape(-1, 2))
    expected = [np.float32(jaccard(arrays[a], arrays[b])) for a, b in pairs]
    assert found.tolist() == expected
