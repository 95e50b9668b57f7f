"""Pieces of kept documents, counted by ranges; which of them are repeated."""

import numpy as np
import pytest

from pipelines.curate.find_passages import (
    count_pieces,
    find_kept,
    list_pieces,
    load_repeats,
    rank_documents,
)
from pipelines.dedupe.repeats import COUNT, KEY, OWNER
from pipelines.dedupe.survivors import MEMBERS
from pipelines.rules.bounds import Bounds
from pipelines.settings import CurateSettings, DedupeSettings, PassageSettings, RuleSettings
from tests.pipelines.curate.units import clean_texts, open_job, read_cleaned

LINE = "This line of text is long enough to count as one."
OTHER = "And so is this one, which only two of them hold."
UNITS = [
    [f"{LINE}\nfirst of all", f"{OTHER}\n{LINE}\nsecond"],
    [f"{LINE}\n{LINE}\nthird, which has it twice", f"{OTHER}\nfourth", "no"],
]
UIDS = range(2)


def make_settings(delete=False, documents=2, exact=True):
    return CurateSettings(
        rules=RuleSettings(families=("length",)),
        bounds={"length_words": Bounds(low=2)},
        dedupe=DedupeSettings(
            exact=exact,
            near=None,
            passages=PassageSettings(words=1000, documents=documents, delete=delete),
        ),
    )


def find(tmp_path, settings, ranges=1, units=UNITS):
    """List and count pieces; return the job."""
    job = open_job(tmp_path / "run")
    clean_texts(job, units, settings)
    for uid in range(len(units)):
        list_pieces(uid, settings, job)
    for number in range(ranges):
        count_pieces(number, ranges, range(len(units)), settings, job)
    return job


@pytest.mark.parametrize("ranges", [1, 2, 5])
def test_a_piece_counts_once_for_each_document_that_holds_it(tmp_path, ranges):
    job = find(tmp_path, make_settings(), ranges)
    counts = [sorted(load_repeats(uid, job)[COUNT].tolist()) for uid in UIDS]
    assert counts == [[2, 3], [2, 3]]
    assert len(list(job.work.repeats)) == ranges
    assert [job.work.find_passages.read(uid).records for uid in UIDS] == [2, 3]


def test_a_unit_is_told_only_of_what_it_holds(tmp_path):
    job = find(tmp_path, make_settings(), units=[*UNITS, ["something else altogether, alone"]])
    assert load_repeats(2, job).shape[1] == 0
    held = [set(load_repeats(uid, job)[KEY].tolist()) for uid in UIDS]
    assert held[0] == held[1]


def test_the_least_number_of_documents_is_a_setting(tmp_path):
    job = find(tmp_path, make_settings(documents=3))
    assert load_repeats(0, job)[COUNT].tolist() == [3]


def test_where_passages_are_deleted_the_document_of_least_rank_owns_them(tmp_path):
    settings = make_settings(delete=True)
    job = find(tmp_path, settings)
    repeats = load_repeats(0, job)
    ranks = {
        row["text"]: int(rank)
        for uid in UIDS
        for row, rank in zip(
            read_cleaned(job, uid).to_pylist(),
            rank_documents(read_cleaned(job, uid), settings),
            strict=True,
        )
    }
    owners = {
        least: min(rank for text, rank in ranks.items() if line in text)
        for line, least in ((LINE, 3), (OTHER, 2))
    }
    assert dict(zip(repeats[COUNT].tolist(), repeats[OWNER].tolist(), strict=True)) == owners


def test_pieces_of_dropped_documents_and_of_copies_do_not_count(tmp_path):
    settings = make_settings()
    job = open_job(tmp_path / "run")
    clean_texts(job, UNITS, settings)
    members = np.zeros(1, MEMBERS)
    members[0]["unit"], members[0]["row"] = 0, 1  # the second document is a copy
    job.work.members[0].save(members)
    for uid in UIDS:
        list_pieces(uid, settings, job)
    count_pieces(0, 1, UIDS, settings, job)
    assert load_repeats(0, job)[COUNT].tolist() == [2]


def test_kept_are_those_that_no_rule_drops_and_that_survive(tmp_path):
    job = find(tmp_path, make_settings())
    batch = read_cleaned(job, 1).combine_chunks().to_batches()[0]
    members = np.zeros(3, MEMBERS)
    members["row"] = [9, 10, 11]
    members["survives"] = [True, False, True]
    assert find_kept(batch, members, 0).tolist() == [True, True, False]
    assert find_kept(batch, members, 9).tolist() == [True, False, False]
    assert find_kept(batch, members, 50).tolist() == [True, True, False]


def test_a_rank_is_of_the_text_unless_texts_may_be_equal(tmp_path):
    settings = make_settings()
    job = find(tmp_path, settings, units=[["same text here"], ["same text here"]])
    rows = [read_cleaned(job, uid) for uid in UIDS]
    by_text = [rank_documents(table, settings).tolist() for table in rows]
    by_id = [rank_documents(table, make_settings(exact=False)).tolist() for table in rows]
    assert by_text[0] == by_text[1]
    assert by_id[0] != by_id[1]


def test_a_unit_that_is_done_is_left_alone(tmp_path):
    job = find(tmp_path, make_settings())
    before = job.work.pieces[0].path.stat().st_mtime_ns, job.work.repeats[0].path.stat().st_mtime_ns
    job.work.cleaned[0].unlink()
    list_pieces(0, make_settings(), job)
    count_pieces(0, 1, UIDS, make_settings(), job)
    after = job.work.pieces[0].path.stat().st_mtime_ns, job.work.repeats[0].path.stat().st_mtime_ns
    assert after == before
