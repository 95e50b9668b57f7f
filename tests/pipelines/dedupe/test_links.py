"""Edges connect exactly what the graph of all verified candidate pairs connects."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe import buckets, fingerprints, links
from pipelines.dedupe.links import estimate_ranges, find_links
from pipelines.settings import NearSettings
from tests.pipelines.dedupe.corpora import NEAR, Doc, find_pairs, write_units
from tests.pipelines.dedupe.graphs import find_roots

# Subsets of a few values, so that sets are often equal, alike, or just below the bound.
sets = st.frozensets(st.integers(0, 9), max_size=9)


@st.composite
def corpora(draw):
    """Units of documents, some of them published, in drawn order."""
    drawn = draw(st.lists(st.tuples(sets, st.integers(0, 1), st.integers(0, 3)), max_size=14))
    units = {}
    for number, (shingles, note, uid) in enumerate(drawn):
        units.setdefault(uid, []).append(Doc(number + 1, shingles, note))
    return units


def connect(units, near, partitions, published=()):
    """Roots of the components that the edges of all ranges make."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_units(Path(folder), units, near, published)
        parts = [find_links(written, number, partitions, near) for number in range(partitions)]
    return find_roots([tuple(edge) for edge in np.concatenate(parts).tolist()]), parts


@settings(max_examples=40)
@given(corpora(), st.integers(1, 4), st.sets(st.integers(0, 3)))
def test_components_are_those_of_all_verified_pairs(units, partitions, published):
    roots, parts = connect(units, NEAR, partitions, published)
    assert roots == find_roots(find_pairs(units, NEAR, published))
    for part in parts:  # a forest of smallest nodes, in order
        assert (part[:, 0] < part[:, 1]).all()
        assert len(set(part[:, 1].tolist())) == len(part)
        assert part.tolist() == sorted(part.tolist())


@settings(max_examples=30)
@given(corpora(), st.integers(1, 4), st.sets(st.integers(0, 3)))
def test_without_near_copies_are_equal_contents(units, partitions, published):
    roots, _ = connect(units, None, partitions, published)
    assert roots == find_roots(find_pairs(units, None, published))


@settings(max_examples=30)
@given(corpora(), st.randoms(), st.integers(1, 4))
def test_cut_and_order_of_the_corpus_change_no_cluster(units, random, large):
    """Large buckets as well: in them not every pair is looked at, but always the same ones."""
    docs = [doc for some in units.values() for doc in some]
    shuffled = random.sample(docs, len(docs))
    others = {uid: shuffled[uid::3] for uid in range(3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "LARGE", large)
        found = []
        for corpus in (units, others):
            roots, _ = connect(corpus, NEAR, 2)
            clusters = {}
            for node, root in roots.items():
                doc = corpus[node >> 32][node & 0xFFFFFFFF]
                clusters.setdefault(root, set()).add(doc.id)
            found.append(sorted(sorted(cluster) for cluster in clusters.values()))
    assert found[0] == found[1]


@settings(max_examples=30)
@given(corpora(), st.integers(1, 3))
def test_a_large_bucket_finds_no_more_than_all_pairs_do(units, large):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "LARGE", large)
        patch.setattr(links, "CHUNK_BYTES", 200)
        roots, _ = connect(units, NEAR, 1)
    whole = find_roots(find_pairs(units, NEAR))
    assert all(whole[node] == whole[root] for node, root in roots.items())


def test_a_large_bucket_in_several_chunks_finds_a_family(monkeypatch):
    """Pages that differ in one shingle of forty: each is like the first, wherever it is read."""
    family = [Doc(n + 1, frozenset([*range(40), 1000 + n])) for n in range(60)]
    monkeypatch.setattr(links, "LARGE", 5)
    monkeypatch.setattr(links, "CHUNK_BYTES", 1000)
    roots, _ = connect({0: family[:30], 1: family[30:]}, NearSettings(), 1)
    assert len(roots) == 60
    assert set(roots.values()) == {0}


def test_chunks_change_nothing(monkeypatch):
    units = {0: [Doc(n + 1, frozenset(range(n, n + 12))) for n in range(30)]}
    whole, _ = connect(units, NEAR, 1)
    monkeypatch.setattr(links, "CHUNK_BYTES", 1)
    assert connect(units, NEAR, 1)[0] == whole
    assert whole


def test_published_documents_are_linked_by_a_new_one_only():
    old = Doc(1, frozenset(range(9)))
    units = {0: [Doc(9, frozenset(range(9)), note=1)], 5: [old], 6: [old._replace(id=2)]}
    assert set(connect(units, NEAR, 1, {5, 6})[0].values()) == {0}
    assert connect({5: units[5], 6: units[6]}, NEAR, 1, {5, 6})[0] == {}


def test_no_pair_is_compared_twice(monkeypatch, tmp_path):
    """Two sets that share several bands are compared in the first of them alone."""
    units = {0: [Doc(1, frozenset(range(20))), Doc(2, frozenset(range(1, 21)))]}
    written = write_units(tmp_path, units)
    bands = written[0].open_documents().bands_DxB
    shared = np.flatnonzero(bands[0] == bands[1])
    assert len(shared) > 1
    found = []
    for partition in range(256):
        keys = bands[0, shared] >> np.uint64(56) == partition
        if keys.any():
            size = len(find_links(written, partition, 256, NEAR))
            found += [(int(shared[keys][0]), size)]
    assert [band for band, size in found if size] == [shared[0]]


@pytest.mark.parametrize("near", [NEAR, None])
def test_contents_whose_keys_collide_are_told_apart(near, monkeypatch):
    """All contents get the highest key, which is of the last range."""
    for module in (buckets, fingerprints):
        monkeypatch.setattr(
            module, "mix_contents", lambda contents: np.full(len(contents), 2**64 - 1, np.uint64)
        )
    units = {0: [Doc(n, frozenset({n} if n < 2 else ()), note=n // 2) for n in range(6)]}
    roots, parts = connect(units, near, 3)
    assert roots == {2: 2, 3: 2, 4: 4, 5: 4}
    assert [len(part) for part in parts] == [0, 0, 2]


def test_ranges_grow_with_the_corpus_and_shrink_with_memory():
    assert estimate_ranges(0, NearSettings(), 2**30) == 1
    some = estimate_ranges(10**12, NearSettings(), 2**30)
    assert estimate_ranges(10**12, NearSettings(), 2**31) == pytest.approx(some / 2, abs=1)
    assert estimate_ranges(10**12, None, 2**30) == pytest.approx(some / 15, abs=1)
