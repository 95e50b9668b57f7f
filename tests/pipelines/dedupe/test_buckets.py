"""Buckets: who shares a key with whom, and which of a bucket's documents are one group."""

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.buckets import Entries, collect_keys, group_equal_sets, read_candidates
from tests.pipelines.dedupe.corpora import NEAR, Doc, list_nodes, sign, write_units

sets = st.frozensets(st.integers(0, 4), max_size=4)
documents = st.lists(st.tuples(sets, st.integers(0, 1), st.integers(0, 2)), max_size=10)


def make_units(drawn):
    units = {}
    for number, (shingles, note, uid) in enumerate(drawn):
        units.setdefault(uid, []).append(Doc(number + 1, shingles, note))
    return units


def list_buckets(units, published):
    """The nodes of each key that several have, one of them new: contents and keys of bands."""
    buckets: defaultdict[tuple, set] = defaultdict(set)
    nodes = list_nodes(units)
    bands = sign(list(nodes.values()), NEAR).bands_DxB
    for (node, doc), row in zip(nodes.items(), bands, strict=True):
        buckets["content", doc.content].add(node)
        for band, key in enumerate(row.tolist()):
            if doc.shingles:
                buckets[band, key].add(node)
    return [
        sorted(some)
        for some in buckets.values()
        if len(some) > 1 and any(node >> 32 not in published for node in some)
    ]


def collect(units, published, ranges=1):
    with tempfile.TemporaryDirectory() as folder:
        written = write_units(Path(folder), units, NEAR, published)
        parts = [collect_keys(written, number, ranges) for number in range(ranges)]
        keys, nodes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        candidates = read_candidates(written, nodes, NEAR) if len(nodes) else None
    return keys, nodes, candidates


@settings(max_examples=40)
@given(documents, st.sets(st.integers(0, 2)), st.integers(1, 3))
def test_buckets_are_all_that_share_a_key(drawn, published, ranges):
    units = make_units(drawn)
    keys, nodes, _ = collect(units, published, ranges)
    found = defaultdict(list)
    for key, node in zip(keys.tolist(), nodes.tolist(), strict=True):
        found[key].append(node)
    assert sorted(found.values()) == sorted(list_buckets(units, published))
    assert keys.tolist() == sorted(keys.tolist())


@settings(max_examples=40)
@given(documents, st.sets(st.integers(0, 2)))
def test_candidates_and_groups_are_those_of_the_documents(drawn, published):
    units = make_units(drawn)
    keys, nodes, read = collect(units, published)
    if read is None:
        return
    candidates, docs = read
    every = list_nodes(units)
    assert candidates.nodes_M[docs].tolist() == nodes.tolist()
    known = [every[node] for node in candidates.nodes_M.tolist()]
    for one, a in enumerate(known):
        assert candidates.published_M[one] == (candidates.nodes_M[one] >> 32 in published)
        for other, b in enumerate(known):
            same = candidates.contents_M[one] == candidates.contents_M[other]
            assert same == (a.content == b.content)
            equal = candidates.sets_M[one] == candidates.sets_M[other]
            assert equal == (a.shingles == b.shingles if a.shingles and b.shingles else same)
    groups = group_equal_sets(Entries(keys, docs), candidates)
    assert groups.keys_G[groups.groups_N].tolist() == keys.tolist()
    for group in range(len(groups.keys_G)):
        entries = np.flatnonzero(groups.groups_N == group)
        assert len(set(candidates.sets_M[docs[entries]].tolist())) == 1
        assert groups.firsts_G[group] == docs[entries].min()
        assert groups.published_G[group] == candidates.published_M[docs[entries]].all()


def test_contents_are_numbered_from_0_without_a_gap(tmp_path):
    written = write_units(tmp_path, {0: [Doc(n, frozenset(), note=n % 3) for n in range(6)]}, NEAR)
    candidates, _ = read_candidates(written, np.arange(6, dtype=np.uint64), None)
    assert sorted(set(candidates.contents_M.tolist())) == [0, 1, 2]
    assert candidates.sets_M.tolist() == candidates.contents_M.tolist()
    assert candidates.sizes_M.tolist() == [0] * 6
