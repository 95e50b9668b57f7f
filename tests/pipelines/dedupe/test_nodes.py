"""Documents by node: what is read of several units' files is what was written there."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.nodes import (
    copy_ranges,
    cut_chunks,
    find_published,
    name_nodes,
    read_columns,
    read_shingles,
    split_by_unit,
)
from tests.pipelines.dedupe.corpora import Doc, list_nodes, write_units

UNITS = {
    0: [Doc(n + 1, frozenset(range(n, 2 * n)), quality=n / 4, length=n) for n in range(5)],
    3: [Doc(9, frozenset()), Doc(10, frozenset({7, 8}), length=70)],
    7: [Doc(20, frozenset({2**32 - 1}), quality=-1.0)],
}
nodes = st.sets(st.sampled_from(sorted(list_nodes(UNITS))), min_size=1)


def to_array(some):
    return np.array(sorted(some), np.uint64)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_a_node_is_a_unit_and_a_row(unit, rows):
    named = name_nodes(unit, np.array(rows, np.uint32))
    assert named.dtype == np.uint64
    assert [divmod(node, 2**32) for node in named.tolist()] == [(unit, row) for row in rows]


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=20))
def test_nodes_are_split_by_unit_in_order(pairs):
    found = list(split_by_unit(to_array(unit << 32 | row for unit, row in pairs)))
    assert [unit for unit, _ in found] == sorted({unit for unit, _ in pairs})
    listed = [(unit, row) for unit, rows in found for row in rows.tolist()]
    assert listed == sorted(pairs)


@settings(max_examples=20)
@given(nodes)
def test_columns_and_shingles_are_those_of_the_documents(tmp_path_factory, some):
    written = write_units(tmp_path_factory.mktemp("units"), UNITS)
    docs = [list_nodes(UNITS)[node] for node in sorted(some)]
    ids, quality, lengths = read_columns(
        written, to_array(some), ("ids_Dx2", "quality_D", "lengths_D")
    )
    assert ids.dtype.isnative
    assert ids.tolist() == [[0, doc.id] for doc in docs]
    assert quality.tolist() == [doc.quality for doc in docs]
    assert lengths.tolist() == [doc.length for doc in docs]
    shingles, offsets = read_shingles(written, to_array(some))
    cut = [shingles[a:b].tolist() for a, b in pairwise(offsets)]
    assert cut == [sorted(doc.shingles) for doc in docs]


def test_no_nodes_have_no_shingles():
    shingles, offsets = read_shingles({}, to_array([]))
    assert (len(shingles), offsets.tolist()) == (0, [0])


def test_published_nodes_are_those_of_published_units(tmp_path):
    written = write_units(tmp_path, UNITS, published={3})
    every = to_array(list_nodes(UNITS))
    assert find_published(written, every).tolist() == [node >> 32 == 3 for node in every.tolist()]
    assert not find_published({}, every).any()


@given(st.lists(st.integers(0, 10), max_size=30), st.integers(0, 25))
def test_chunks_are_as_long_as_the_limit_allows(sizes, limit):
    chunks = list(cut_chunks(np.array(sizes, np.int64), limit))
    assert [at for start, end in chunks for at in range(start, end)] == list(range(len(sizes)))
    for start, end in chunks:
        assert end - start == 1 or sum(sizes[start:end]) <= limit
        if end < len(sizes):  # one more would be too much
            assert sum(sizes[start : end + 1]) > limit


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=10))
def test_ranges_are_copied_one_after_the_other(bounds):
    values = np.arange(10, dtype=np.uint32) * 7
    bounds = [(min(pair), max(pair)) for pair in bounds]
    starts, ends = np.array(bounds, np.int64).reshape(-1, 2).T
    expected = [value for start, end in bounds for value in values[start:end].tolist()]
    assert copy_ranges(values, starts, ends).tolist() == expected
