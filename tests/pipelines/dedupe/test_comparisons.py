"""Members of buckets: each pair compared in one bucket, large buckets by representatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dedupe.comparisons import (
    EARLIER,
    HERE,
    NOWHERE,
    Members,
    are_similar,
    choose_bucket,
    compare_buckets,
    compare_large_bucket,
    is_repeated,
)
from tests.pipelines.dedupe.graphs import find_roots

BANDS = 3


@pytest.fixture
def members():
    """Three documents like one another: the last two share band 0, all share band 1."""
    return Members(
        keys_L=np.full(3, 8, np.uint64),
        documents_L=np.arange(3),
        published_L=np.zeros(3, bool),
        bands_CxB=np.array([[1, 8], [2, 8], [2, 8]], np.uint64),
        shingles_S=np.tile(np.arange(9, dtype=np.uint32), 3),
        offsets_C1=np.arange(4) * 9,
    )


@st.composite
def buckets(draw):
    """One bucket of documents that agree in its band, 0 to 2, and in others by chance."""
    size, band = draw(st.integers(1, 8)), draw(st.integers(0, BANDS - 1))
    row = st.tuples(*[st.integers(10 * at, 10 * at + 2) for at in range(BANDS)])
    bands = np.array(draw(st.lists(row, min_size=size, max_size=size)), np.uint64)
    bands[:, band] = 99
    sets = draw(
        st.lists(st.frozensets(st.integers(0, 6), min_size=1), min_size=size, max_size=size)
    )
    shingles = [np.array(sorted(some), np.uint32) for some in sets]
    published = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return Members(
        keys_L=np.full(size, 99, np.uint64),
        documents_L=np.arange(size),
        published_L=np.array(published),
        bands_CxB=bands,
        shingles_S=np.concatenate(shingles),
        offsets_C1=np.cumsum([0, *map(len, shingles)]),
    )


def list_sets(members):
    bounds = members.offsets_C1[1:-1]
    return [set(some.tolist()) for some in np.split(members.shingles_S, bounds)]


def place_plainly(members, one, other):
    """Where two members of one bucket are compared."""
    if members.published_L[one] and members.published_L[other]:
        return NOWHERE
    left, right = members.bands_CxB[one].tolist(), members.bands_CxB[other].tolist()
    shared = next(a for a, b in zip(left, right, strict=True) if a == b)
    return HERE if shared == 99 else EARLIER


def list_similar(members, least):
    """All pairs that are this bucket's and similar."""
    sets = list_sets(members)
    return [
        (one, other)
        for other in range(len(sets))
        for one in range(other)
        if place_plainly(members, one, other) == HERE
        and len(sets[one] & sets[other]) / len(sets[one] | sets[other]) >= least
    ]


def test_a_pair_is_left_to_the_first_band_it_shares(members):
    found = [choose_bucket(members, *pair) for pair in ((0, 1), (0, 2), (1, 2))]
    assert found == [HERE, HERE, EARLIER]
    assert not is_repeated(members, 0, 3)
    assert is_repeated(members, 1, 3)
    pairs = np.empty((3, 2), np.int64)
    assert compare_buckets(members, np.array([1, 3]), 0.5, pairs) == 0
    assert compare_buckets(members, np.array([0, 3]), 0.5, pairs) == 2
    assert pairs[:2].tolist() == [[0, 1], [0, 2]]


def test_published_documents_meet_nowhere(members):
    members = members._replace(published_L=np.array([True, True, False]))
    assert [choose_bucket(members, 0, 1), choose_bucket(members, 0, 2)] == [NOWHERE, HERE]


def test_a_bucket_of_a_key_that_no_band_has_compares_nothing(members):
    """A content hash that equals a band's key by chance brings such documents together."""
    members = members._replace(bands_CxB=np.arange(6, dtype=np.uint64).reshape(3, 2) + 100)
    assert choose_bucket(members, 0, 1) == NOWHERE
    pairs = np.empty((3, 2), np.int64)
    assert compare_buckets(members, np.array([0, 3]), 0.0, pairs) == 0


def test_a_member_that_an_earlier_bucket_compares_is_no_representative(members):
    unlike = members._replace(shingles_S=np.arange(27, dtype=np.uint32))
    known = np.empty(5, np.int64)
    pairs = np.empty((3, 2), np.int64)
    assert compare_large_bucket(unlike, known, 0, 0.5, pairs) == (2, 0)
    assert known[:2].tolist() == [0, 1]
    assert compare_large_bucket(members, known, 0, 0.5, pairs) == (1, 2)


@given(buckets())
def test_where_two_are_compared_is_the_first_band_they_share(members):
    for one in range(len(members.keys_L)):
        for other in range(one):
            assert choose_bucket(members, one, other) == place_plainly(members, one, other)


@given(buckets(), st.floats(0.05, 1))
def test_similar_pairs_connect_what_all_similar_pairs_do(members, least):
    pairs = np.empty((len(members.keys_L), 2), np.int64)
    count = compare_buckets(members, np.array([0, len(members.keys_L)]), least, pairs)
    found = [tuple(pair) for pair in pairs[:count].tolist()]
    wanted = list_similar(members, least)
    assert set(found) <= set(wanted)
    assert find_roots(found) == find_roots(wanted)
    assert len(found) == len(set(find_roots(found))) - len(set(find_roots(found).values()))


@given(buckets(), st.floats(0.05, 1), st.integers(1, 8))
def test_representatives_find_some_of_the_similar_pairs_and_no_others(members, least, room):
    pairs = np.empty((len(members.keys_L), 2), np.int64)
    places = np.empty(room, np.int64)
    known, count = compare_large_bucket(members, places, 0, least, pairs)
    assert 1 <= known <= room
    assert places[:known].tolist() == sorted(set(places[:known].tolist()))
    found = {tuple(pair) for pair in pairs[:count].tolist()}
    assert found <= set(list_similar(members, least))
    assert {one for one, _ in found} <= set(places[:known].tolist())


@given(buckets(), st.floats(0.05, 1))
def test_members_are_similar_as_their_sets_are(members, least):
    sets = list_sets(members)
    for one in range(len(sets)):
        alike = len(sets[0] & sets[one]) / len(sets[0] | sets[one])
        assert are_similar(members, 0, one, least) == (alike >= least)


def test_several_buckets_are_compared_each_by_itself(members):
    """Documents of one bucket are like those of the other, and no pair crosses the bound."""
    pairs = np.empty((3, 2), np.int64)
    assert compare_buckets(members, np.array([0, 1, 3]), 0.5, pairs) == 0
    assert compare_buckets(members, np.array([0, 2, 3]), 0.5, pairs) == 1
    assert pairs[0].tolist() == [0, 1]
