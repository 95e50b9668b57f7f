"""Restoring the clean stage: the same files as cleaning writes, batch by batch."""

import json
import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.contamination.hits import HITS
from pipelines.curate import quarantine
from pipelines.curate.clean import CLEANED, clean_unit
from pipelines.curate.fingerprint import locate_fingerprints
from pipelines.curate.replay import (
    cut_batches,
    drop_files,
    merge_rows,
    restore_rows,
    restore_unit,
)
from pipelines.curate.replay import read_again as read_unit_again
from pipelines.curate.write_documents import LEDGER, write_unit_documents
from pipelines.rules.own_rules import GOPHER_QUALITY as RULES
from pipelines.rules.rule import list_bounds
from pipelines.settings import CurateSettings, DedupeSettings, EditSettings, Job
from pipelines.work.folder import WorkFolder
from pipelines.work.summaries import CleanSummary
from pipelines.work.units import plan
from tests.conftest import write_text
from weighting.contracts.documents import DOCUMENTS, write_table
from weighting.contracts.statistics import LEFT_OUT_STATS, SKIPPED_STATS
from weighting.errors import BrokenContract

SETTINGS = CurateSettings(
    bounds=list_bounds(RULES),
    edit=EditSettings(symbol_lines=True, line_rules=True, pii=("email", "ip")),
    dedupe=DedupeSettings(passages=None),
)


def open_job(folder):
    return Job(folder, WorkFolder(folder / "units"))


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """One unit of two files: good and bad records, short ones, and some that edits change."""
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(1)
    for name in ("a", "b"):
        texts = [write_text(rng, rng.randint(2, 9)) for _ in range(20)]
        texts[3] += "\n***\nWrite to someone@example.org from 8.8.8.8, the cafÃ© has it."
        lines = [json.dumps({"text": text, "n": i}) for i, text in enumerate(texts)]
        lines[7] = '{"text": '
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    (unit,) = plan([str(folder)]).units
    return unit


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("pipelines.curate.clean.BATCH_CHARS", 3000)
    monkeypatch.setattr("pipelines.curate.replay.BATCH_CHARS", 3000)


@pytest.fixture
def cleaned(unit, tmp_path, small_batches):
    """The unit cleaned and written, as unit 0 of a run."""
    job = open_job(tmp_path / "run")
    clean_unit(unit, SETTINGS, job)
    write_unit_documents(unit.uid, SETTINGS, job)
    skipped = pa.table([[0, 1], ["request", "request"], [2, 7]], SKIPPED_STATS)
    write_table(job.run / "stats" / "skipped.parquet", skipped, SKIPPED_STATS)
    left_out = pa.table([[0, 1], ["nan", "nan"], [3, 4]], LEFT_OUT_STATS)
    write_table(job.run / "stats" / "left_out.parquet", left_out, LEFT_OUT_STATS)
    return job


def read_batches(job, uid):
    with pa.OSFile(str(job.work.cleaned[uid])) as file:
        reader = pa.ipc.open_file(file)
        return [reader.get_batch(i) for i in range(reader.num_record_batches)]


def test_all_that_cleaning_found_out_is_in_the_run():
    assert set(CLEANED.names) <= set(DOCUMENTS.names) | set(LEDGER.names)


def test_restoring_gives_the_batches_and_fingerprints_of_cleaning(cleaned, unit, tmp_path):
    other = open_job(tmp_path / "other")
    restore_unit(5, cleaned.run, unit.uid, SETTINGS, other)
    before = read_batches(cleaned, unit.uid)
    assert len(before) > 3
    assert read_batches(other, 5) == before
    assert any(edits for batch in before for edits in batch.column("edits").to_pylist())
    fingerprints = locate_fingerprints(cleaned, unit.uid), locate_fingerprints(other, 5)
    assert fingerprints[0].documents.read_bytes() == fingerprints[1].documents.read_bytes()
    assert fingerprints[0].bands.read_bytes() == fingerprints[1].bands.read_bytes()
    assert len(fingerprints[0].open_documents().rows_D) > 0
    assert other.work.clean.read(5) == CleanSummary(38, {"request": 2}, {"nan": 3})
    assert other.work.rejected[5].read() == []
    assert not (other.run / "quarantine").exists()


def test_a_restored_unit_is_not_written_twice(cleaned, unit, tmp_path):
    other = open_job(tmp_path / "other")
    restore_unit(0, cleaned.run, unit.uid, SETTINGS, other)
    path = other.work.cleaned[0]
    before = path.stat().st_mtime_ns
    restore_unit(0, cleaned.run, unit.uid, SETTINGS, other)
    assert path.stat().st_mtime_ns == before


def test_reading_again_without_a_fix_gives_the_same_files(cleaned, unit, tmp_path):
    other, scratch = open_job(tmp_path / "other"), open_job(tmp_path / "scratch")
    known = restore_rows(cleaned.run, unit.uid)
    read_unit_again(unit, known, HITS.empty_table(), SETTINGS, scratch, other)
    assert read_batches(other, unit.uid) == read_batches(cleaned, unit.uid)
    for name in ("fingerprints", "bands"):
        paths = [getattr(job.work, name)[unit.uid] for job in (cleaned, other)]
        assert paths[0].read_bytes() == paths[1].read_bytes()
    assert other.work.rejected[unit.uid].read() == cleaned.work.rejected[unit.uid].read()
    entries = [list(quarantine.read(job.run / "quarantine")) for job in (cleaned, other)]
    assert entries[0] == entries[1]
    assert len(entries[0]) == 2


def test_what_cannot_be_read_any_more_stays(cleaned, unit, tmp_path):
    """With a field that no record has, nothing is read; what was known is all there is."""
    other, scratch = open_job(tmp_path / "other"), open_job(tmp_path / "scratch")
    known = restore_rows(cleaned.run, unit.uid)
    read = replace(SETTINGS.read, text_field="body")
    settings = replace(SETTINGS, read=read)
    read_unit_again(unit, known, HITS.empty_table(), settings, scratch, other)
    assert pa.Table.from_batches(read_batches(other, unit.uid)) == known.combine_chunks()
    assert other.work.rejected[unit.uid].read() == cleaned.work.rejected[unit.uid].read()


def test_known_documents_win_and_stand_where_they_were_read(cleaned, unit):
    rows = restore_rows(cleaned.run, unit.uid)
    at = CLEANED.get_field_index("source")
    marked = rows.set_column(at, CLEANED.field(at), pa.array(["known"] * len(rows)))
    known, read = marked.take([4, 2, 30]), rows.slice(0, 6)
    merged = merge_rows(known, read)
    ids = rows["doc_id"].to_pylist()
    assert merged["doc_id"].to_pylist() == [*ids[:6], ids[30]]
    where = [i for i, source in enumerate(merged["source"].to_pylist()) if source == "known"]
    assert where == [2, 4, 6]
    assert merge_rows(rows.slice(0, 0), read) == read
    assert merge_rows(known, rows.slice(0, 0)) == known


def test_documents_of_changed_files_are_left_out(cleaned, unit):
    rows = restore_rows(cleaned.run, unit.uid)
    left = drop_files(rows, {"a.jsonl"})
    assert {locator.partition(":")[0] for locator in left["locator"].to_pylist()} == {"b.jsonl"}
    assert len(left) == 19


@pytest.mark.parametrize("sizes", [[], [1], [10, 10], [9, 1, 1], [25, 1, 30], [10] * 5])
def test_batches_end_where_the_text_is_enough(monkeypatch, sizes):
    monkeypatch.setattr("pipelines.curate.replay.BATCH_CHARS", 10)
    expected, chars = [[]], 0
    for size in sizes:
        expected[-1].append(size)
        chars += size
        if chars >= 10:
            expected.append([])
            chars = 0
    batches = [
        batch["chars_in"].to_pylist() for batch in cut_batches(pa.table({"chars_in": sizes}))
    ]
    assert batches == [batch for batch in expected if batch]


def test_a_document_that_is_missing_is_told(cleaned, unit):
    path = cleaned.output("documents", unit.uid, ".parquet")
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(BrokenContract, match="unit 0 lacks 1 documents of its ledger"):
        restore_rows(cleaned.run, unit.uid)


def test_a_run_of_other_rules_is_told(cleaned, unit):
    path = cleaned.output("ledger", unit.uid, ".parquet")
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["gopher_words"]), path)
    with pytest.raises(BrokenContract, match="made by other code, which kept no gopher_words"):
        restore_rows(cleaned.run, unit.uid)
