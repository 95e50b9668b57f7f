"""Keys of several documents: sorting, cutting, counting and looking up, against plain Python."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.dedupe.passages import find_pieces
from pipelines.dedupe.repeats import (
    COUNT,
    KEY,
    OWNER,
    count_repeats,
    cut_range,
    estimate_ranges,
    look_up,
    pack_keys,
    select,
    select_all,
    sort_columns,
)
from pipelines.settings import PassageSettings
from pipelines.work.arrays import load_array, save_array
from tests.pipelines.dedupe.plain import SETTINGS, documents, view

TOP = 2**64 - 1
# Few keys, so that some repeat; the ends of the space; and close ones, as in a partition.
keys = st.integers(0, 9).map(lambda at: at * (TOP // 9)) | st.integers(0, 20) | st.integers(0, TOP)
ranks = st.integers(0, TOP)
columns = st.lists(st.tuples(keys, ranks), max_size=40).map(
    lambda pairs: np.array(pairs, np.uint64).reshape(-1, 2).T
)
parts = st.lists(columns, min_size=1, max_size=4)


@given(parts, st.integers(1, 2))
@example([np.array([[TOP] * 3, [3, 2, 1]], np.uint64)], 2)
def test_columns_are_sorted_by_key_and_stay_whole(parts, rows):
    parts = [part[:rows] for part in parts]
    found = sort_columns(parts)
    assert (np.diff(found[KEY].astype(object)) >= 0).all()
    expected = sorted(tuple(pair) for part in parts for pair in part.T.tolist())
    assert sorted(tuple(pair) for pair in found.T.tolist()) == expected


@given(columns, st.integers(1, 9))
def test_ranges_are_apart_and_leave_nothing_out(columns, partitions):
    columns = sort_columns([columns])
    some = [cut_range(columns, number, partitions) for number in range(partitions)]
    assert np.concatenate(some, axis=1).tolist() == columns.tolist()
    for number, part in enumerate(some):
        low, high = (2**64 * at // partitions for at in (number, number + 1))
        assert all(low <= key < high for key in part[KEY].tolist())


def count_plainly(parts, least):
    held = defaultdict(list)
    for part in parts:
        for key, rank in part.T.tolist():
            held[key].append(rank)
    return [
        (key, len(held[key]), min(held[key])) for key in sorted(held) if len(held[key]) >= least
    ]


@given(parts, st.integers(1, 4), st.integers(1, 5))
def test_repeats_are_counted_and_have_the_smallest_rank(parts, least, partitions):
    parts = [sort_columns([part]) for part in parts]
    found = [
        count_repeats([cut_range(part, number, partitions) for part in parts], least)
        for number in range(partitions)
    ]
    both = np.concatenate(found, axis=1)
    assert [tuple(column) for column in both.T.tolist()] == count_plainly(parts, least)
    alone = count_repeats([part[:1] for part in parts], least)
    assert alone.tolist() == both[:OWNER].tolist()


@given(columns, st.lists(keys, max_size=40), st.integers(1, 5))
def test_what_is_repeated_is_found_by_key(columns, wanted, partitions):
    repeats = count_repeats([sort_columns([columns])], 1)
    known = {key: [count, owner] for key, count, owner in repeats.T.tolist()}
    wanted_M = np.array(wanted, np.uint64)
    found = look_up(wanted_M, repeats)
    assert found.T.tolist() == [known.get(key, [0, 0]) for key in wanted]
    held = sort_columns([wanted_M[None]])
    expected = [key for key in sorted(set(wanted)) if key in known]
    assert select(held, repeats)[KEY].tolist() == expected
    cuts = [cut_range(repeats, number, partitions) for number in range(partitions)]
    assert select_all(held, cuts).tolist() == select(held, repeats).tolist()


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from([3, 500, 40_000]), st.sampled_from([1, 700]))
def test_many_keys_are_sorted_and_found(seed, many, few):
    generator = np.random.default_rng(seed)
    keys_M = generator.integers(0, TOP, many, np.uint64)
    part = generator.choice(keys_M, few)[None]
    repeats = count_repeats([sort_columns([part])], 1)
    assert repeats[KEY].tolist() == np.unique(part).tolist()
    assert (look_up(keys_M, repeats)[0] > 0).tolist() == np.isin(keys_M, part).tolist()
    assert select(sort_columns([keys_M[None]]), repeats).tolist() == repeats.tolist()


@given(documents)
@example(["a a a a a", "line\nline", "a a a"])
def test_a_document_counts_once(texts_D):
    pieces = find_pieces(view(texts_D), SETTINGS)
    ranks_D = np.arange(len(texts_D), dtype=np.uint64)[::-1] + np.uint64(7)
    pairs = set(zip(pieces.keys_M.tolist(), ranks_D[pieces.documents_M].tolist(), strict=True))
    packed = pack_keys(pieces, ranks_D)
    assert sorted(map(tuple, packed.T.tolist())) == sorted(pairs)
    assert pack_keys(pieces).tolist() == packed[:1].tolist()


def test_columns_come_back_from_files(tmp_path):
    texts = ["one two three four", "", "One, two; three"]
    packed = [
        pack_keys(find_pieces(view([text]), SETTINGS), np.array([rank], np.uint64))
        for rank, text in enumerate(texts)
    ]
    for number, part in enumerate(packed):
        save_array(tmp_path / f"{number}.npy", part)
    loaded = [load_array(tmp_path / f"{number}.npy") for number in range(len(texts))]
    assert [part.dtype for part in loaded] == [np.uint64] * 3
    repeats = count_repeats(loaded, 2)
    assert (repeats[COUNT].tolist(), repeats[OWNER].tolist()) == ([2], [0])
    save_array(tmp_path / "repeats.npy", repeats)
    mapped = load_array(tmp_path / "repeats.npy")
    assert [select_all(part, [mapped]).shape[1] for part in loaded] == [1, 0, 1]


def test_nothing_is_repeated_in_nothing():
    assert count_repeats([], 2).shape == (2, 0)
    assert look_up(np.array([1], np.uint64), count_repeats([], 2)).tolist() == [[0]]


@pytest.mark.parametrize("delete", [False, True])
def test_partitions_bound_memory(delete):
    wanted = PassageSettings(delete=delete)
    assert estimate_ranges(0, wanted, 2**20) == 1
    assert estimate_ranges(10**6, wanted, 2**30) == 1
    few, many = (estimate_ranges(10**12, wanted, memory) for memory in (2**30, 2**29))
    assert 2 * few - 1 <= many <= 2 * few
