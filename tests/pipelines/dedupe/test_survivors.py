"""The survivor rule: a total order that knows nothing of units; published documents go first."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe import survivors
from pipelines.dedupe.fingerprints import Fingerprints, publish
from pipelines.dedupe.links import find_links
from pipelines.dedupe.survivors import MEMBERS, list_copies, resolve, to_hex
from pipelines.dedupe.unions import Labels, find_components
from tests.pipelines.dedupe.corpora import NEAR, Doc, list_nodes, measure, write_units
from weighting.errors import BrokenInvariant

sets = st.frozensets(st.integers(0, 5), max_size=5)
ranks = st.tuples(st.sampled_from([0.0, -1.0, 2.5, float("-inf")]), st.integers(0, 2))


@st.composite
def clusters(draw):
    """Units of documents, and the component of each document (a number), at least two in each."""
    drawn = draw(
        st.lists(
            st.tuples(sets, st.integers(0, 3), ranks, st.integers(0, 3)), min_size=2, max_size=12
        )
    )
    units, parts = {}, {}
    for number, (shingles, uid, (quality, length), part) in enumerate(drawn):
        doc = Doc(number + 1, shingles, draw(st.integers(0, 1)), quality, length)
        docs = units.setdefault(uid, [])
        parts.setdefault(part, []).append(uid << 32 | len(docs))
        docs.append(doc)
    return units, {part: nodes for part, nodes in parts.items() if len(nodes) > 1}


def label(parts):
    pairs = sorted((node, min(nodes)) for nodes in parts.values() for node in nodes)
    nodes, roots = np.array(pairs, np.uint64).reshape(-1, 2).T
    return Labels(nodes, roots)


def settle(units, labels, published=(), least=0.0):
    """Members, with what a published document says of itself already in place."""
    with tempfile.TemporaryDirectory() as folder:
        return resolve(labels, publish_units(Path(folder), units, published), least)


def publish_units(folder, units, published):
    fingerprints = write_units(folder, units)
    for uid in published:
        paths = folder / f"published-{uid}", folder / f"published-bands-{uid}"
        target = Fingerprints(*paths, published=True)
        publish(fingerprints[uid], target, np.empty(0, MEMBERS))
        fingerprints[uid] = target
    return fingerprints


def rank(doc):
    return (-doc.quality, -doc.length, doc.content, doc.id)


def read_survivors(units, members):
    ids = to_hex(members["survivor_high"], members["survivor_low"])
    keys = zip(members["unit"].tolist(), members["doc"].tolist(), strict=True)
    return {
        units[uid][at].id: int(survivor, 16) for (uid, at), survivor in zip(keys, ids, strict=True)
    }


@settings(max_examples=25)
@given(clusters())
def test_the_best_document_of_each_component_stays(case):
    units, parts = case
    docs = list_nodes(units)
    members = settle(units, label(parts))
    found = read_survivors(units, members)
    assert len(members) == sum(map(len, parts.values()))
    for nodes in parts.values():
        best = min((docs[node] for node in nodes), key=rank)
        assert {found[docs[node].id] for node in nodes} == {best.id}
        here = members[np.isin(_nodes(members), nodes)]
        assert here["survives"].sum() == 1
        clusters = set(to_hex(here["cluster_high"], here["cluster_low"]))
        assert clusters == {best.content.hex()}
        for node, similarity in zip(_nodes(here), here["similarity"], strict=True):
            doc = docs[int(node)]
            expected = 1 if doc.content == best.content else measure(doc, best)
            assert similarity == np.float32(expected)


def _nodes(members):
    return members["unit"].astype(np.uint64) << np.uint64(32) | members["doc"]


@settings(max_examples=25)
@given(clusters(), st.randoms())
def test_no_numbering_of_units_and_documents_changes_a_survivor(case, random):
    units, parts = case
    before = list_nodes(units)
    uids = [uid for uid, docs in units.items() for _ in docs]
    random.shuffle(uids)
    shuffled, moved = {}, {}
    for node, uid in zip(random.sample(list(before), len(before)), uids, strict=True):
        docs = shuffled.setdefault(uid, [])
        moved[node] = uid << 32 | len(docs)
        docs.append(before[node])
    again = {part: [moved[node] for node in nodes] for part, nodes in parts.items()}
    found = read_survivors(units, settle(units, label(parts)))
    assert read_survivors(shuffled, settle(shuffled, label(again))) == found


@settings(max_examples=25)
@given(clusters(), st.sets(st.integers(0, 3)))
def test_a_published_document_wins_and_is_no_member(case, published):
    units, parts = case
    docs = list_nodes(units)
    old = {node for node in docs if node >> 32 in published}
    members = settle(units, label(parts), published & units.keys())
    assert not set(_nodes(members).tolist()) & old
    found = read_survivors(units, members)
    for nodes in parts.values():
        best = min((node for node in nodes), key=lambda node: (node not in old, *rank(docs[node])))
        assert {found[docs[node].id] for node in nodes if node not in old} <= {docs[best].id}
        survive = members[np.isin(_nodes(members), nodes)]["survives"].sum()
        assert survive == (best not in old)


def drop_similar(docs, nodes, old, least):
    """One document after the other, from the best: it goes with the first that it is similar to."""
    stay, goes = [], {}
    for node in sorted(nodes, key=lambda node: (node not in old, *rank(docs[node]))):
        doc = docs[node]
        for best in stay:
            same = doc.content == docs[best].content
            if node not in old and (same or measure(doc, docs[best]) >= least):
                goes[node] = best
                break
        else:
            stay.append(node)
    return goes


@settings(max_examples=50)
@given(clusters(), st.sets(st.integers(0, 3), max_size=2), st.sampled_from([0.3, 0.5, 0.75, 1.0]))
def test_only_what_is_similar_to_its_survivor_goes(case, published, least):
    units, parts = case
    docs = list_nodes(units)
    old = {node for node in docs if node >> 32 in published}
    members = settle(units, label(parts), published & units.keys(), least)
    goes = {}
    for nodes in parts.values():
        goes |= drop_similar(docs, nodes, old, least)
    survivors = read_survivors(units, members)
    dropped = _nodes(members)[~members["survives"]].tolist()
    assert {node: survivors[docs[node].id] for node in dropped} == {
        node: docs[best].id for node, best in goes.items()
    }
    assert {*_nodes(members)[members["survives"]].tolist()} == {*goes.values()} - old
    assert (members["similarity"] >= np.float32(least)).all()


def test_a_chain_loses_only_neighbours():
    links = [Doc(n, frozenset(range(n, n + 4)), length=9 - n) for n in range(5)]
    members = settle({0: links}, label({0: range(5)}), least=0.6)
    assert members["doc"].tolist() == [0, 1, 2, 3]
    assert members["survives"].tolist() == [True, False, True, False]
    assert len(settle({0: links}, label({0: range(5)}))) == 5


def test_a_published_copy_counts_for_its_equals_alone(tmp_path):
    """What an earlier run dropped is not there to be kept: what is merely like it may stay."""
    shingles = frozenset(range(8))
    told = np.zeros(1, MEMBERS)
    told["cluster_low"], told["survivor_low"] = 55, 66
    units = {0: [Doc(1, shingles), Doc(2, shingles | {8})], 5: [Doc(3, shingles, note=1)]}
    fingerprints = write_units(tmp_path, units)
    target = Fingerprints(tmp_path / "documents", tmp_path / "bands", published=True)
    publish(fingerprints[5], target, told)
    found = {0: fingerprints[0], 5: target}
    nodes = label({0: [0, 1, 5 << 32]})
    assert list_copies(resolve(nodes, found)).tolist() == [0, 1]
    members = resolve(nodes, found, 0.5)
    assert members["row"].tolist() == [0]
    assert to_hex(members["survivor_high"], members["survivor_low"]) == [f"{66:032x}"]


def test_a_published_copy_hands_on_its_own_survivor(tmp_path):
    """The published document that a new one is like may itself be a copy of another."""
    units = {0: [Doc(1, frozenset({1, 2}), quality=9)], 5: [Doc(2, frozenset({1, 2, 3}))]}
    fingerprints = write_units(tmp_path, units)
    told = np.zeros(1, MEMBERS)
    told["cluster_low"], told["survivor_low"] = 55, 66
    target = Fingerprints(tmp_path / "documents", tmp_path / "bands", published=True)
    publish(fingerprints[5], target, told)
    members = resolve(label({0: [0, 5 << 32]}), {0: fingerprints[0], 5: target})
    (member,) = members[["cluster_low", "survivor_low", "similarity", "survives"]].tolist()
    assert member == (55, 66, pytest.approx(2 / 3), False)


def test_a_record_curated_again_does_not_survive_its_published_self(tmp_path):
    doc = Doc(7, frozenset({1}))
    units = publish_units(tmp_path, {0: [doc], 1: [doc]}, {1})
    members = resolve(find_components(find_links(units, 0, 1, NEAR)), units)
    assert to_hex(members["survivor_high"], members["survivor_low"]) == [f"{7:032x}"]
    assert list_copies(members).tolist() == [0]


def test_undefined_quality_is_the_lowest():
    units = {0: [Doc(1, frozenset({1}), quality=float("nan"))]}
    units[0].append(Doc(2, frozenset({2}), quality=-1e300))
    assert set(read_survivors(units, settle(units, label({0: [0, 1]}))).values()) == {2}


def test_rows_are_those_of_the_cleaned_file(tmp_path):
    docs = [Doc(n, frozenset({1})) for n in range(3)]
    members = settle({3: docs}, label({0: [3 << 32, 3 << 32 | 2]}))
    assert members["row"].tolist() == [0, 2]
    assert list_copies(members).tolist() == [2]


def test_chunks_change_no_similarity(monkeypatch):
    units = {
        uid: [Doc(9 * uid + n, frozenset(range(n, n + 9))) for n in range(9)] for uid in (0, 1)
    }
    labels = label({0: list(list_nodes(units))})
    whole = settle(units, labels)
    monkeypatch.setattr(survivors, "CHUNK_BYTES", 1)
    assert np.array_equal(settle(units, labels), whole)


def test_two_survivors_break_an_invariant(tmp_path, monkeypatch):
    units = write_units(tmp_path, {0: [Doc(n, frozenset({1})) for n in range(3)]})
    both = np.array([0, 1]), np.array([0, 0, 0])
    monkeypatch.setattr(survivors, "_find_best", lambda *_: both)
    with pytest.raises(BrokenInvariant, match="exactly one"):
        resolve(label({0: [0, 1, 2]}), units)


def test_no_cluster_no_member():
    nothing = np.empty(0, np.uint64)
    assert len(resolve(Labels(nothing, nothing), {})) == 0
