"""Bytes that could not be read: one bad line is a line, a broken file is a file."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.curate.lost_bytes import LossTally, SliceTally, sum_losses
from pipelines.readers.records import ReadOptions
from pipelines.readers.registry import READERS
from pipelines.work.summaries import CleanSummary
from pipelines.work.units import plan

ROWS = [{"text": f"document {number} has some words " * 8} for number in range(200)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def lose(folder, target_bytes=2**22, **options):
    """Return the share of the bytes of a corpus that is lost."""
    units = plan([str(folder)], target_bytes).units
    summaries = []
    for unit in units:
        losses = LossTally()
        for part in unit.slices:
            tally = SliceTally(part)
            for item in READERS[part.reader].read(part, ReadOptions(**options)):
                tally.add(item)
            losses.add(tally)
        summaries.append(CleanSummary(1, losses=losses.summarize()))
    return sum_losses(units, summaries).share


def damage(packed, at):
    """Damage a gzip file at a share of its bytes."""
    place = int(at * (len(packed) - 20))
    return packed[:place] + b"\xff" * 10 + packed[place + 10 :]


@pytest.mark.parametrize("target_bytes", [2**22, 2**12])
@pytest.mark.parametrize(("at", "share"), [(0, 0.1), (0.5, 0.05), (0.99, 0.001)])
def test_a_file_that_breaks_off_counts_from_there(tmp_path, target_bytes, at, share):
    for number in range(10):
        packed = gzip.compress(LINES, mtime=0)
        content = packed if number else damage(packed, at)
        (tmp_path / f"{number}.jsonl.gz").write_bytes(content)
    assert lose(tmp_path, target_bytes) == pytest.approx(share, abs=0.02)


def test_a_bad_line_counts_its_bytes(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES + b"x" * 1000 + b"\n")
    assert lose(tmp_path) == pytest.approx(1000 / (len(LINES) + 1001))
    (tmp_path / "a.jsonl").write_bytes(LINES)
    assert lose(tmp_path) == 0


def test_a_table_without_the_column_counts_whole_however_it_is_cut(tmp_path):
    table = pa.table({"text": [row["text"] for row in ROWS]})
    for number in range(4):
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=20)
    pq.write_table(table.rename_columns(["body"]), tmp_path / "0.parquet", row_group_size=20)
    for target_bytes in (2**22, 2**11):
        assert lose(tmp_path, target_bytes) == pytest.approx(0.25, abs=0.01)


def test_a_row_group_that_cannot_be_decoded_counts_as_a_part(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"text": [row["text"] for row in ROWS]})
    pq.write_table(table, path, row_group_size=50, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    place = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    content[place : place + 10] = b"\xff" * 10
    path.write_bytes(content)
    assert lose(tmp_path) == pytest.approx(0.25, abs=0.05)


def test_a_file_that_is_one_record_counts_whole(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff" * 200_000)
    (tmp_path / "b.txt").write_bytes(b"good" * 150_000)
    assert lose(tmp_path) == pytest.approx(0.25)


def test_a_broken_record_of_an_archive_is_not_its_rest(tmp_path):
    record = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
    good = [record % (len(text), text) for text in (b"some text " * 50,) * 20]
    (tmp_path / "a.wet").write_bytes(b"".join([*good[:3], b"no record at all\r\n", *good[3:]]))
    assert 0 < lose(tmp_path) < 0.01
