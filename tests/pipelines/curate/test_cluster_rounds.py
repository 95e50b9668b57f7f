"""Clusters by rounds of star contraction: those that one process finds, from files of ranges."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.curate.cluster import cluster_links, link_range, load_members
from pipelines.curate.cluster_rounds import (
    cluster_part,
    contract_part,
    count_parts,
    deal_range,
    is_finished,
)
from pipelines.settings import CurateSettings, DedupeSettings, NearSettings, RuleSettings
from tests.pipelines.curate.units import clean_texts, open_job

SETTINGS = CurateSettings(
    rules=RuleSettings(families=("length",)), dedupe=DedupeSettings(near=None, passages=None)
)
UNITS = [[f"text {number % step}" for number in range(12)] for step in (3, 5, 9)]
UIDS = range(len(UNITS))
RANGES = 2


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A job whose copies are linked, and the members that one process finds."""
    job = open_job(tmp_path_factory.mktemp("rounds") / "run")
    clean_texts(job, UNITS, SETTINGS)
    for number in range(RANGES):
        link_range(number, RANGES, UIDS, SETTINGS, job)
    cluster_links(RANGES, UIDS, SETTINGS, job)
    return job, join(job)


@pytest.fixture
def job(linked, tmp_path):
    """The same before clusters are found, each test with a work folder of its own."""
    own = open_job(tmp_path)
    own.work.path.mkdir()
    for name in ("fingerprints", "bands", "links"):
        (own.work.path / name).symlink_to(linked[0].work.path / name)
    return own


def join(job):
    return np.sort(np.concatenate([load_members(job, uid) for uid in UIDS]), order=["unit", "doc"])


def contract(job, parts):
    """Run rounds until all components are stars; return the number of the last."""
    for number in range(RANGES):
        deal_range(number, job)
    number = 0
    while True:
        for part in range(parts):
            contract_part(part, parts, number, job)
        if is_finished(parts, number, job):
            return number
        number += 1
        assert number < 9


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_any_number_of_parts_finds_the_clusters_of_one_process(job, linked, parts):
    last = contract(job, parts)
    for part in range(parts):
        cluster_part(part, parts, last, UIDS, SETTINGS, job)
    assert len(linked[1])
    assert np.array_equal(join(job), linked[1])


def test_rounds_of_survivors_are_the_same_in_any_number_of_parts(tmp_path):
    """A chain of texts, each of which slides on from the one before."""
    words = [f"word{number}" for number in range(120)]
    texts = [" ".join(words[start : start + 60]) for start in range(0, 60, 5)]
    near = NearSettings(bands=20, rows=2, jaccard=0.7, numbers="keep", drop="similar")
    settings = replace(SETTINGS, dedupe=DedupeSettings(near=near, passages=None))
    found = []
    for parts in (0, 1, 3):
        job = open_job(tmp_path / str(parts) / "run")
        clean_texts(job, [texts[::2], texts[1::2], []], settings)
        for number in range(RANGES):
            link_range(number, RANGES, UIDS, settings, job)
        last = contract(job, parts) if parts else 0
        for part in range(parts):
            cluster_part(part, parts, last, UIDS, settings, job)
        if not parts:
            cluster_links(RANGES, UIDS, settings, job)
        found.append(join(job))
    assert 1 < found[0]["survives"].sum() < len(texts) / 2
    assert (found[0]["similarity"] >= np.float32(0.7)).all()
    assert all(np.array_equal(some, found[0]) for some in found)


def test_a_round_is_finished_only_if_every_part_is(job):
    for part, unfinished in enumerate((0, 3, 0)):
        job.work.unfinished[4][part].save(np.array([unfinished]))
    assert not is_finished(3, 4, job)
    assert is_finished(1, 4, job)
    job.work.unfinished[4][1].save(np.array([0]))
    assert is_finished(3, 4, job)


def test_a_part_that_is_done_is_skipped(job, monkeypatch):
    last = contract(job, 2)
    cluster_part(0, 2, last, UIDS, SETTINGS, job)

    def refuse(*_):
        raise AssertionError

    for name in ("list_half_edges", "contract", "find_members"):
        monkeypatch.setattr(f"pipelines.curate.cluster_rounds.{name}", refuse)
    deal_range(0, job)
    contract_part(1, 2, last, job)
    cluster_part(0, 2, last, UIDS, SETTINGS, job)
    with pytest.raises(AssertionError):
        cluster_part(1, 2, last, UIDS, SETTINGS, job)


def test_parts_follow_from_links_and_memory():
    assert count_parts(0, 10**6) == 1
    assert count_parts(10**6, 10**9) == 1
    assert count_parts(10**9, 10**9) > count_parts(10**8, 10**9) > 1
