"""Cleaning a unit: what is edited, what is counted, and what goes to quarantine."""

import json
from dataclasses import replace

import pytest

from pipelines.curate import quarantine
from pipelines.curate.clean import CLEANED, clean_unit, name_document
from pipelines.curate.fingerprint import locate_fingerprints
from pipelines.readers.records import ReadOptions
from pipelines.rules.bounds import Bounds
from pipelines.rules.registry import RULES
from pipelines.settings import CurateSettings, EditSettings, RuleSettings
from pipelines.verify.ledger import list_left_out, sum_left_out
from pipelines.work.summaries import CleanSummary, Losses
from tests.pipelines.curate.units import open_job, read_cleaned, write_unit
from weighting.contracts.statistics import LEFT_OUT_STATS

PLAIN = CurateSettings(rules=RuleSettings(families=("length",)), dedupe=None)
WITH_DEDUPE = CurateSettings(rules=PLAIN.rules)
BAD = (b'{"text": "broken', b'{"text": 5}')


def clean(tmp_path, lines, settings=PLAIN):
    """Clean one unit; return the job, the unit and its documents by text."""
    job, unit = open_job(tmp_path / "run"), write_unit(tmp_path / "corpus", lines)
    clean_unit(unit, settings, job)
    return job, unit, read_cleaned(job, unit.uid).to_pylist()


def open_fingerprints(job, unit):
    return locate_fingerprints(job, unit.uid).open_documents()


def test_documents_keep_their_order_and_name_their_place(tmp_path):
    _, unit, rows = clean(tmp_path, ["one", "two", "three"])
    assert [row["text"] for row in rows] == ["one", "two", "three"]
    name = unit.slices[0].name
    assert all(row["locator"].startswith(f"{name}: ") for row in rows)
    places = [row["locator"].removeprefix(f"{name}: ") for row in rows]
    assert [row["doc_id"] for row in rows] == [name_document(name, at).hex() for at in places]


def test_an_id_is_of_file_and_place_and_never_changes():
    assert name_document("a.jsonl", "byte 0").hex() == "6f01b8561a73aee866c9b71b38ac86ef"
    assert name_document("a", "b") != name_document("ab", "")


def test_the_columns_are_those_of_the_schema_and_only_wanted_rules_have_values(tmp_path):
    _, _, (row,) = clean(tmp_path, ["some words here"])
    assert list(row) == CLEANED.names
    wanted = {"length_chars": 15, "length_words": 3}
    values = {rule: row[rule] for rule in RULES if row[rule] is not None}
    assert values == wanted
    assert (row["failed"], row["contaminated"], row["language"]) == ([], [], None)
    assert row["judged_as"] == "en"


def test_documents_are_judged_by_the_bounds_of_their_language(tmp_path):
    german = "Das ist ein deutscher Satz, im Haus geschrieben, wie jeder sehen kann."
    settings = replace(
        PLAIN,
        rules=RuleSettings(families=("language", "length")),
        bounds={"length_words": Bounds(100, None)},
        language_bounds={"de": {"length_words": Bounds(5, None)}},
    )
    english = "This is a sentence of English, as anyone can see who reads it."
    _, _, rows = clean(tmp_path, [german, english], settings)
    told = [(row["language"], row["judged_as"], row["failed"]) for row in rows]
    assert told == [("de", "de", []), ("en", "en", ["length_words"])]


def test_edits_are_made_in_order_and_lead_back_to_what_was_read(tmp_path):
    text = "Write to someone@example.org, the cafÃ© has it.\n***\nThat is all."
    edit = EditSettings(symbol_lines=True, pii=("email",))
    _, _, (row,) = clean(tmp_path, [text], replace(PLAIN, edit=edit))
    assert "café" in row["text"]
    assert "***" not in row["text"]
    assert "someone@" not in row["text"]
    assert row["chars_in"] == len(text)
    assert row["chars"] == len(row["text"])
    assert row["edits"]


def test_nothing_is_edited_where_nothing_is_asked_for(tmp_path):
    text = "the cafÃ© of someone@example.org\n***"
    _, _, (row,) = clean(tmp_path, [text], replace(PLAIN, edit=EditSettings(repair=False)))
    assert (row["text"], row["edits"]) == (text, [])


def test_a_document_that_fails_rules_is_kept_here_and_names_them_in_order(tmp_path):
    bounds = {"length_chars": Bounds(low=5), "length_words": Bounds(low=3)}
    settings = replace(PLAIN, bounds=bounds)
    _, _, rows = clean(tmp_path, ["a b c d", "abcde", "ab"], settings)
    assert [row["failed"] for row in rows] == [
        [],
        ["length_words"],
        ["length_chars", "length_words"],
    ]


def test_what_cannot_be_read_is_kept_in_quarantine_and_for_the_ledger(tmp_path):
    job, unit, rows = clean(tmp_path, ["good", *BAD, "good too"])
    assert [row["text"] for row in rows] == ["good", "good too"]
    entries = list(quarantine.read(job.run / "quarantine"))
    assert [entry.payload for entry in entries] == list(BAD)
    rejected = job.work.rejected[unit.uid].read()
    assert [row.rule for row in rejected] == [entry.error for entry in entries]
    assert [row.locator for row in rejected] == [f"{e.name}: {e.locator}" for e in entries]
    assert not {row.doc_id for row in rejected} & {row["doc_id"] for row in rows}
    summary = job.work.clean.read(unit.uid)
    assert summary == CleanSummary(records=4, losses=Losses(lost=sum(map(len, BAD))))


def test_without_bad_records_there_is_no_quarantine(tmp_path):
    job, unit, _ = clean(tmp_path, ["good"])
    assert not (job.run / "quarantine").exists()
    assert job.work.rejected[unit.uid].read() == []


def test_a_unit_that_is_done_is_not_read_again(tmp_path):
    job, unit, _ = clean(tmp_path, ["good"])
    (tmp_path / "corpus" / "0.jsonl").unlink()
    clean_unit(unit, PLAIN, job)


def test_fingerprints_are_kept_where_copies_are_looked_for(tmp_path):
    job, unit, _ = clean(tmp_path, ["one", "one", "two"], WITH_DEDUPE)
    contents = [tuple(row) for row in open_fingerprints(job, unit).contents_Dx2.tolist()]
    assert contents[0] == contents[1] != contents[2]


def test_without_dedupe_there_are_no_fingerprints(tmp_path):
    job, unit, _ = clean(tmp_path, ["one"])
    assert not job.work.fingerprints[unit.uid].exists()


@pytest.mark.parametrize("limit", [1, 10, 10_000])
def test_batches_change_nothing(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("pipelines.curate.clean.BATCH_CHARS", limit)
    texts = [f"text number {i}" for i in range(9)]
    job, unit, rows = clean(tmp_path, texts, WITH_DEDUPE)
    assert [row["text"] for row in rows] == texts
    assert open_fingerprints(job, unit).rows_D.tolist() == list(range(9))


def test_texts_may_lie_in_other_fields(tmp_path):
    lines = [json.dumps({"body": "b", "site": "s", "n": 1}).encode()]
    read = ReadOptions(text_field="body", source_field="site")
    _, _, (row,) = clean(tmp_path, lines, replace(PLAIN, read=read))
    assert (row["text"], row["source"]) == ("b", "s")
    assert json.loads(row["metadata"]) == {"n": 1}


def test_fields_that_could_not_be_kept_are_counted_by_reason(tmp_path):
    lines = [
        b'{"text": "one", "n": NaN, "m": [Infinity, NaN]}',
        b'{"text": "two", "s": "\\ud800"}',
        b'{"text": "three"}',
    ]
    job, unit, rows = clean(tmp_path, lines)
    assert [row["text"] for row in rows] == ["one", "two", "three"]
    counts = {"nan": 2, "infinity": 1, "lone_surrogate": 1}
    assert job.work.clean.read(unit.uid) == CleanSummary(3, left_out=counts)
    left_out = list_left_out(job)
    assert left_out.schema == LEFT_OUT_STATS
    assert sum_left_out(left_out) == counts
