"""Verdicts: every record gets one row of the ledger, and every document one place."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.curate.clean import clean_unit
from pipelines.curate.cluster import INDEX
from pipelines.curate.write_documents import LEDGER, write_unit_documents
from pipelines.dedupe.survivors import MEMBERS
from pipelines.rules.bounds import Bounds
from pipelines.settings import CurateSettings, DedupeSettings, EditSettings, RuleSettings
from pipelines.work.summaries import RecordSummary
from tests.pipelines.curate.units import open_job, read_cleaned, write_unit
from weighting.contracts.documents import DOCUMENTS, read_table

DEDUPE = DedupeSettings(near=None, passages=None)
SETTINGS = CurateSettings(
    edit=EditSettings(repair=False),
    rules=RuleSettings(families=("length",)),
    bounds={"length_words": Bounds(low=2), "length_chars": Bounds(low=4)},
    dedupe=DEDUPE,
)
LINES = ["the first", "no", "the second", b'{"text": ', "the first", "abcdef"]


def split_id(doc_id):
    return int(doc_id[:16], 16), int(doc_id[16:], 16)


@pytest.fixture
def cleaned(tmp_path):
    """A job with one cleaned unit."""
    job = open_job(tmp_path / "run")
    clean_unit(write_unit(tmp_path / "corpus", LINES), SETTINGS, job)
    return job


def write(job, settings=SETTINGS, copies=()):
    """Write the unit's documents; return the ledger, and texts by the folder that holds them.

    `copies` are pairs of rows, a copy and its survivor.
    """
    ids = read_cleaned(job, 0)["doc_id"].to_pylist()
    pairs = sorted((row, last) for first, last in copies for row in (first, last))
    members = np.zeros(len(pairs), MEMBERS)
    for member, (row, survivor) in zip(members, pairs, strict=True):
        member["row"], member["similarity"], member["survives"] = row, 1, row == survivor
        member["survivor_high"], member["survivor_low"] = split_id(ids[survivor])
        member["cluster_low"] = 7
    job.work.members[0].save(members)
    write_unit_documents(0, settings, job)
    name = "000000.parquet"
    ledger = pq.read_table(job.run / "ledger" / name).to_pylist()
    places = {f: read_table(job.run / f / name, DOCUMENTS) for f in ("documents", "dropped")}
    return ledger, {folder: table["text"].to_pylist() for folder, table in places.items()}


def test_every_record_has_a_verdict_and_every_document_a_place(cleaned):
    ledger, places = write(cleaned, copies=[(3, 0)])
    verdicts = [row["verdict"] for row in ledger]
    assert verdicts == ["kept", "dropped", "kept", "duplicate", "dropped", "quarantined"]
    assert places == {
        "documents": ["the first", "the second"],
        "dropped": ["no", "the first", "abcdef"],
    }


def test_the_first_rule_that_fails_is_named_and_all_of_them_are_listed(cleaned):
    ledger, _ = write(cleaned)
    assert [(row["rule"], row["failed"]) for row in ledger[:2]] == [
        (None, []),
        (ledger[1]["failed"][0], ledger[1]["failed"]),
    ]
    assert set(ledger[1]["failed"]) == {"length_words", "length_chars"}
    assert (ledger[4]["rule"], ledger[4]["failed"]) == ("length_words", ["length_words"])


def test_copies_name_their_cluster_and_survivor(cleaned):
    ledger, _ = write(cleaned, copies=[(3, 0)])
    first, copy = ledger[0], ledger[3]
    assert copy["survivor"] == first["survivor"] == first["doc_id"]
    assert copy["cluster"] == first["cluster"] == f"{7:032x}"
    assert copy["similarity"] == 1
    assert all(ledger[at]["cluster"] is None for at in (1, 2, 4, 5))


def test_what_could_not_be_read_comes_last_with_its_error(cleaned):
    ledger, _ = write(cleaned)
    last = ledger[-1]
    assert (last["verdict"], last["rule"]) == ("quarantined", "bad_json")
    assert (last["chars"], last["chars_in"], last["tokens"], last["failed"]) == (0, 0, 0, [])


def test_tokens_and_split_are_not_known_yet(cleaned):
    ledger, _ = write(cleaned)
    assert all((row["tokens"], row["split"]) == (None, None) for row in ledger[:-1])
    assert list(ledger[0]) == LEDGER.names


@pytest.mark.parametrize("index", [True, False])
def test_the_index_is_kept_where_it_is_wanted(cleaned, index):
    write(cleaned, replace(SETTINGS, dedupe=replace(DEDUPE, index=index)))
    names = {path.name for path in (cleaned.run / INDEX).glob("*")}
    assert names == ({"documents-000000.arrow", "bands-000000.arrow"} if index else set())


@pytest.mark.parametrize("limit", [1, 20, 10**6])
def test_batches_change_nothing(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("pipelines.curate.clean.BATCH_CHARS", limit)
    job = open_job(tmp_path / "run")
    clean_unit(write_unit(tmp_path / "corpus", LINES), SETTINGS, job)
    ledger, places = write(job, copies=[(3, 0)])
    assert [row["verdict"][0] for row in ledger] == list("kdkddq")
    assert places["documents"] == ["the first", "the second"]


def test_a_unit_that_is_done_is_left_alone(cleaned):
    write(cleaned)
    assert cleaned.work.write_documents.read(0) == RecordSummary(len(LINES))
    cleaned.work.cleaned[0].unlink()
    write_unit_documents(0, SETTINGS, cleaned)


def test_a_unit_of_bad_records_alone_has_a_ledger(tmp_path):
    job = open_job(tmp_path / "run")
    clean_unit(write_unit(tmp_path / "corpus", [b"no JSON", b"nor this"]), SETTINGS, job)
    ledger, places = write(job)
    assert [row["verdict"] for row in ledger] == ["quarantined"] * 2
    assert places == {"documents": [], "dropped": []}
