"""Steps of array code against plain loops."""

from itertools import groupby, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weighting.array_tools import (
    bound_keys,
    expand_ranges,
    find_key_range,
    find_runs,
    mark_changes,
    number_groups,
    to_offsets,
)

sizes = st.lists(st.integers(0, 5), max_size=20)
few = st.integers(0, 2)
rows = st.lists(st.tuples(few, few), max_size=30)
keys = st.lists(st.integers(0, 2**64 - 1), max_size=50)


def to_columns(values):
    return np.array(values, np.int64).reshape(-1, 2).T


@given(sizes)
def test_offsets_bound_groups_of_the_sizes(some):
    offsets = to_offsets(some)
    assert offsets.dtype == np.int64
    assert offsets[0] == 0
    assert np.diff(offsets).tolist() == some


@given(sizes, st.integers(0, 3))
def test_things_know_their_group(some, first):
    offsets = to_offsets(some) + first  # they need not begin at 0
    assert number_groups(offsets).tolist() == [
        g for g, size in enumerate(some) for _ in range(size)
    ]


@given(rows)
def test_a_change_is_a_row_unlike_the_one_before(some):
    changed = mark_changes(*to_columns(some)).tolist()
    assert changed == [at == 0 or row != some[at - 1] for at, row in enumerate(some)]


@given(rows)
def test_runs_are_those_of_groupby(some):
    starts, lengths = find_runs(*to_columns(some))
    runs = [len(list(group)) for _, group in groupby(some)]
    assert lengths.tolist() == runs
    assert starts.tolist() == [sum(runs[:at]) for at in range(len(runs))]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), max_size=20))
def test_ranges_are_written_one_after_the_other(some):
    starts, lengths = to_columns(some)
    expected = [number for start, size in some for number in range(start, start + size)]
    assert expand_ranges(starts, lengths).tolist() == expected


@given(st.integers(1, 1000), st.sampled_from([10, 16, 63, 64]))
def test_ranges_of_keys_tile_all_of_them_and_are_nearly_equal(ranges, bits):
    bounds = [bound_keys(number, ranges, bits) for number in range(ranges)]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == 2**64 - 1
    for (_, last), (first, _) in pairwise(bounds):
        assert first == last + 1
    unit = 2 ** (64 - bits)
    widths = [(last - first + 1) // unit for first, last in bounds]
    assert min(widths) > 0
    assert max(widths) - min(widths) <= 1
    assert all(first % unit == 0 for first, _ in bounds)


@given(keys, st.integers(1, 9))
def test_every_key_is_in_the_range_that_bounds_it(some, ranges):
    ordered = np.sort(np.array(some, np.uint64))
    found = []
    for number in range(ranges):
        first, last = bound_keys(number, ranges)
        part = ordered[find_key_range(ordered, number, ranges)].tolist()
        assert part == [key for key in ordered.tolist() if first <= key <= last]
        found += part
    assert found == ordered.tolist()


@given(keys, st.integers(1, 16))
def test_keys_ordered_by_upper_bits_alone_are_cut_between_these(some, ranges):
    """Keys of one slot stand in any order, and stay together."""
    ordered = np.array(sorted(some, key=lambda key: key >> 60), np.uint64)
    parts = [ordered[find_key_range(ordered, number, ranges, 4)] for number in range(ranges)]
    assert np.concatenate(parts).tolist() == ordered.tolist()
    for number, part in enumerate(parts):
        first, last = bound_keys(number, ranges, 4)
        assert all(first <= key <= last for key in part.tolist())
