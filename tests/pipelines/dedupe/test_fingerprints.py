"""Fingerprints come back as they were written; an index that does not fit is refused."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedupe.fingerprints import (
    FINGERPRINTS_VERSION,
    Fingerprints,
    check_compatible,
    hash_sets,
    mix_contents,
    publish,
    write_fingerprints,
)
from pipelines.dedupe.survivors import MEMBERS
from pipelines.settings import NearSettings
from tests.pipelines.dedupe.corpora import NEAR, Doc, describe_docs, write_units
from weighting.errors import AssayError

sets = st.frozensets(st.integers(0, 2**32 - 1), max_size=6)
documents = st.builds(
    Doc,
    st.integers(0, 2**128 - 1),
    sets,
    st.integers(0, 9),
    st.floats(allow_nan=False),
    st.integers(0, 2**40),
)


def name(folder):
    return Fingerprints(folder / "documents.arrow", folder / "bands.arrow")


@settings(max_examples=40)
@given(st.lists(st.lists(documents, max_size=4), max_size=3), st.booleans())
def test_what_is_written_comes_back(tmp_path_factory, parts, with_near):
    near = NEAR if with_near else None
    docs = [doc for part in parts for doc in part]
    fingerprints = name(tmp_path_factory.mktemp("fingerprints"))
    starts = np.cumsum([0, *map(len, parts)])
    write_fingerprints(
        fingerprints,
        [describe_docs(p, near, first) for p, first in zip(parts, starts, strict=False)],
        near,
    )
    read = fingerprints.open_documents()
    whole = describe_docs(docs, near)
    for written, column in zip(whole[:9], read[:9], strict=True):
        assert np.array_equal(written, column)
        assert column.dtype == written.dtype
    assert read.survivors_Dx2 is None
    assert read.ids_Dx2.tobytes() == b"".join(doc.id.to_bytes(16) for doc in docs)
    if near:
        cut = [read.shingles_S[a:b].tolist() for a, b in zip(*_bounds(read), strict=True)]
        assert cut == [sorted(doc.shingles) for doc in docs]


def _bounds(read):
    return read.offsets_D1[:-1], read.offsets_D1[1:]


@settings(max_examples=40)
@given(st.lists(documents, max_size=6))
def test_bands_hold_every_key_once_and_in_order(tmp_path_factory, docs):
    fingerprints = name(tmp_path_factory.mktemp("fingerprints"))
    write_fingerprints(fingerprints, [describe_docs(docs)], NEAR)
    keys, numbers = fingerprints.open_bands()
    read = fingerprints.open_documents()
    expected = list(zip(mix_contents(read.contents_Dx2).tolist(), range(len(docs)), strict=True))
    for number, doc in enumerate(docs):
        if doc.shingles:
            expected += [(key, number) for key in read.bands_DxB[number].tolist()]
    assert list(zip(keys.tolist(), numbers.tolist(), strict=True)) == sorted(expected)


def test_views_are_not_copies(tmp_path):
    fingerprints = write_units(tmp_path, {0: [Doc(1, frozenset({1, 2}))]})[0]
    for array in (*fingerprints.open_documents()[:9], *fingerprints.open_bands()):
        assert not array.flags.owndata
        assert not array.flags.writeable


@given(sets, sets)
def test_sets_of_equal_hash_are_equal(one, other):
    arrays = [np.array(sorted(some), np.uint32) for some in (one, other)]
    hashes = hash_sets(np.concatenate(arrays), np.array([0, len(one), len(one) + len(other)]))
    assert (hashes[0] == hashes[1]) == (one == other)
    assert [value == 0 for value in hashes] == [not one, not other]


def test_a_content_is_mixed_from_both_halves():
    contents = np.array([[1, 2], [2, 1], [1, 3], [0, 0]], ">u8")
    keys = mix_contents(contents)
    assert len(set(keys.tolist())) == 4
    assert not np.isin(keys, contents).any()


def test_a_published_index_says_of_every_document_what_became_of_it(tmp_path):
    docs = [Doc(7, frozenset({1})), Doc(8, frozenset({2})), Doc(9, frozenset({3}))]
    fingerprints = write_units(tmp_path, {0: docs})[0]
    members = np.zeros(1, MEMBERS)
    members["doc"], members["cluster_low"], members["survivor_low"] = 1, 55, 66
    (tmp_path / "index").mkdir()
    target = name(tmp_path / "index")
    publish(fingerprints, target, members)
    read = target.open_documents()
    assert read.survivors_Dx2.tolist() == [[0, 7], [0, 66], [0, 9]]
    assert read.clusters_Dx2[1].tolist() == [0, 55]
    assert read.clusters_Dx2[::2].tolist() == read.contents_Dx2[::2].tolist()
    for before, after in zip(fingerprints.open_documents()[:9], read[:9], strict=True):
        assert np.array_equal(before, after)
    for before, after in zip(fingerprints.open_bands(), target.open_bands(), strict=True):
        assert np.array_equal(before, after)
    check_compatible(target.documents, NEAR)


def test_without_links_the_bands_are_copied(tmp_path, monkeypatch):
    fingerprints = write_units(tmp_path, {0: [Doc(7, frozenset({1}))]})[0]
    target = name(tmp_path)

    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    publish(fingerprints, target, np.empty(0, MEMBERS))
    assert target.bands.read_bytes() == fingerprints.bands.read_bytes()


@pytest.fixture
def index(tmp_path):
    fingerprints = write_units(tmp_path, {0: [Doc(7, frozenset({1}))]})[0]
    target = name(tmp_path)
    publish(fingerprints, target, np.empty(0, MEMBERS))
    return target.documents


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("words", replace(NEAR, words=99)),
        ("bands", replace(NEAR, bands=99)),
        ("rows", replace(NEAR, rows=99)),
        ("seed", replace(NEAR, seed=99)),
        ("numbers", replace(NEAR, numbers="keep")),
    ],
)
def test_an_index_of_other_settings_is_refused(index, field, other):
    mine, theirs = getattr(NEAR, field), getattr(other, field)
    message = rf"{field} {mine}, .*{field} {theirs}.* give dedupe the same .*{field}"
    with pytest.raises(AssayError, match=message):
        check_compatible(index, other)


def test_what_similarity_is_asked_for_may_differ_and_exact_runs_fit_any_index(index):
    check_compatible(index, replace(NEAR, jaccard=0.99, drop="similar"))
    check_compatible(index, None)


def test_an_index_without_signatures_is_refused_by_a_near_run(tmp_path):
    fingerprints = write_units(tmp_path, {0: [Doc(7, frozenset())]}, near=None)[0]
    target = name(tmp_path)
    publish(fingerprints, target, np.empty(0, MEMBERS))
    check_compatible(target.documents, None)
    with pytest.raises(AssayError, match=r"made with no signatures"):
        check_compatible(target.documents, NearSettings())


def test_an_index_of_another_version_is_refused(index, monkeypatch):
    name = "pipelines.dedupe.fingerprints.FINGERPRINTS_VERSION"
    monkeypatch.setattr(name, FINGERPRINTS_VERSION + 1)
    with pytest.raises(AssayError, match=f"version {FINGERPRINTS_VERSION}, "):
        check_compatible(index, NEAR)


def test_prints_of_an_unfinished_run_are_refused(tmp_path):
    fingerprints = write_units(tmp_path, {0: [Doc(7, frozenset({1}))]})[0]
    with pytest.raises(AssayError, match="not finished"):
        check_compatible(fingerprints.documents, NEAR)


def test_what_is_no_index_is_refused(index, tmp_path):
    whole = index.read_bytes()
    foreign = tmp_path / "foreign.arrow"
    batch = pa.record_batch({"x": [1]})
    with pa.ipc.new_file(str(foreign), batch.schema) as writer:
        writer.write_batch(batch)
    index.write_bytes(whole[: len(whole) // 2])
    for path in (index, foreign, tmp_path / "absent.arrow"):
        with pytest.raises(AssayError, match="no index"):
            check_compatible(path, NEAR)
