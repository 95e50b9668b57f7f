"""From fingerprints to members, one range or several; the index."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.curate.cluster import (
    PUBLISHED_FROM,
    check_index,
    cluster_links,
    count_links,
    link_range,
    list_fingerprints,
    list_index,
    load_members,
    publish_unit,
)
from pipelines.settings import CurateSettings, DedupeSettings, NearSettings, RuleSettings
from tests.pipelines.curate.units import clean_texts, open_job, read_cleaned
from weighting.errors import AssayError

SETTINGS = CurateSettings(
    rules=RuleSettings(families=("length",)), dedupe=DedupeSettings(near=None, passages=None)
)
UNITS = [
    ["copied once", "alone", "copied twice", "copied often"],
    ["copied twice", "copied once", "copied often", "copied often"],
    ["copied twice", "alone too", "copied often"],
]
UIDS = range(len(UNITS))


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    """A job whose units are cleaned."""
    job = open_job(tmp_path_factory.mktemp("cluster") / "run")
    clean_texts(job, UNITS, SETTINGS)
    return job


@pytest.fixture
def job(cleaned, tmp_path):
    """The same, each test with a work folder of its own."""
    own = open_job(tmp_path)
    for name in ("fingerprints", "bands"):
        for path in getattr(cleaned.work, name):
            target = getattr(own.work, name)[int(path.stem)]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    return own


def link(job, ranges=1):
    for number in range(ranges):
        link_range(number, ranges, UIDS, SETTINGS, job)


def join(job):
    return np.concatenate([load_members(job, uid) for uid in UIDS])


@pytest.fixture
def members(job):
    """The members of all clusters, found in one process."""
    link(job)
    cluster_links(1, UIDS, SETTINGS, job)
    return join(job)


def test_the_documents_of_one_text_are_a_cluster_with_one_survivor(cleaned, members):
    found = {}
    for member in members:
        text = UNITS[member["unit"]][member["row"]]
        found.setdefault(text, []).append(member)
    texts = [text for unit in UNITS for text in unit]
    copied = {text: texts.count(text) for text in texts if texts.count(text) > 1}
    assert {text: len(some) for text, some in found.items()} == copied
    for some in found.values():
        assert len({(one["cluster_high"], one["cluster_low"]) for one in some}) == 1
        assert sum(one["survives"] for one in some) == 1
        assert all(one["similarity"] == 1 for one in some)
    ids = {row["doc_id"] for uid in UIDS for row in read_cleaned(cleaned, uid).to_pylist()}
    survivors = {f"{one['survivor_high']:016x}{one['survivor_low']:016x}" for one in members}
    assert survivors <= ids


@pytest.mark.parametrize("ranges", [2, 7])
def test_ranges_find_the_links_of_one(job, members, ranges, tmp_path_factory):
    other = open_job(tmp_path_factory.mktemp("ranges"))
    for name in ("fingerprints", "bands"):
        (other.work.path / name).parent.mkdir(parents=True, exist_ok=True)
        (other.work.path / name).symlink_to(job.work.path / name)
    link(other, ranges)
    assert count_links(ranges, other) == count_links(1, job) > 0
    cluster_links(ranges, UIDS, SETTINGS, other)
    assert np.array_equal(join(other), members)


def test_what_is_done_is_not_done_again(job, members, monkeypatch):
    def refuse(*_):
        raise AssertionError

    for name in ("find_links", "find_components", "resolve"):
        monkeypatch.setattr(f"pipelines.curate.cluster.{name}", refuse)
    link(job)
    cluster_links(1, UIDS, SETTINGS, job)
    assert np.array_equal(join(job), members)


def test_without_clusters_a_unit_has_no_members(job):
    assert len(load_members(job, 0)) == 0


def test_a_published_index_says_what_became_of_every_document(job, members):
    for uid in UIDS:
        publish_unit(uid, job)
    index = list_index(job.run)
    assert [one.published for one in index] == [True] * 3
    for uid, one in enumerate(index):
        documents = one.open_documents()
        assert documents.survivors_Dx2 is not None
        survivors = [tuple(row) for row in documents.survivors_Dx2.astype(np.uint64).tolist()]
        own = [tuple(row) for row in documents.ids_Dx2.astype(np.uint64).tolist()]
        here = members[members["unit"] == uid]
        kept = dict(zip(own, survivors, strict=True))
        for member in here:
            assert kept[own[member["doc"]]] == (member["survivor_high"], member["survivor_low"])
        alone = set(range(len(own))) - set(here["doc"].tolist())
        assert all(kept[own[doc]] == own[doc] for doc in alone)


def test_documents_of_earlier_runs_come_after_the_units(job, members, tmp_path):
    for uid in UIDS:
        publish_unit(uid, job)
    settings = replace(SETTINGS, against=(str(job.run),))
    found = list_fingerprints([1, 0], settings, open_job(tmp_path / "later"))
    assert list(found) == [0, 1, *range(PUBLISHED_FROM, PUBLISHED_FROM + 3)]
    assert [one.published for one in found.values()] == [False] * 2 + [True] * 3


def test_only_a_run_that_keeps_a_fitting_index_can_be_compared_with(job, members, tmp_path):
    with pytest.raises(AssayError, match=r"keeps no index; .*dedupe\.index = true"):
        check_index(tmp_path / "nothing", None)
    for uid in UIDS:
        publish_unit(uid, job)
    check_index(job.run, None)
    with pytest.raises(AssayError, match="give dedupe the same words"):
        check_index(job.run, NearSettings())
