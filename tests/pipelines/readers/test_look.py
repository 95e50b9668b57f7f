"""A first look: the reader, the fields, the first records, and never an error."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.readers import look
from pipelines.readers.inputs import Input, expand
from pipelines.readers.look import describe, describe_ignored
from pipelines.readers.records import ReadOptions


def look_at(path, options=ReadOptions()):
    [item], *_ = expand([str(path)], options.format)
    return describe(item, options)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_fields_with_kinds_shares_and_lengths(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"text": "four", "meta": {"url": "u"}, "n": 1}, {"text": "sixsix", "n": None}]
    write_lines(path, rows)
    found = look_at(path)
    assert (found.reader, found.why, found.suggestion) == ("jsonl", "its suffix is .jsonl", None)
    assert [record.text for record in found.samples] == ["four", "sixsix"]
    assert {field.name: field[1:] for field in found.fields} == {
        "text": ("string", 1.0, 5.0),
        "meta.url": ("string", 0.5, 1.0),
        "n": ("integer", 0.5, 0.0),
    }


@pytest.mark.parametrize(
    ("rows", "suggestion"),
    [
        ([{"id": "x", "content": "long enough"}], "content"),
        ([{"data": {"body": "long enough"}, "title": "t"}], "data.body"),
        ([{"text": 3, "raw_content": "long enough"}], "raw_content"),
        ([{"n": 1}], None),
    ],
)
def test_another_text_field_is_suggested(tmp_path, rows, suggestion):
    write_lines(tmp_path / "a.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for path in (tmp_path / "a.jsonl", tmp_path / "a.parquet"):
        found = look_at(path)
        assert (found.samples, len(found.rejects)) == ((), 1)
        assert found.suggestion == suggestion
        hint = f'set read.text_field = "{suggestion}"'
        assert (hint in found.rejects[0].message) == (suggestion is not None)


def test_only_the_beginning_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    write_lines(path, [{"text": "x" * 100}] * 1000)
    assert len(look_at(path).samples) == look.ITEMS
    monkeypatch.setattr(look, "BYTES", 1000)
    assert len(look_at(path).samples) == 10


@pytest.mark.parametrize(
    "suffix",
    [
        *(".jsonl", ".json.gz", ".csv", ".tsv.zst", ".txt", ".html", ".warc", ".arc.gz"),
        *(".parquet", ".arrow", ".jsonl.xz", ".jsonl.bz2"),
    ],
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\x00",
        b"PAR1",
        b"{",
        b"[[",
        b'"',
        b"\x1f\x8b",
        b"BZh9",
        b"\xfd7z",
    ],
)
def test_junk_is_described_not_raised(tmp_path, suffix, content):
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(content)
    found = look_at(path)
    assert found.reader is not None
    assert found.suggestion is None


def test_what_is_gone_or_cannot_be_loaded_is_a_reject(tmp_path):
    found = describe(Input(str(tmp_path / "gone.jsonl"), "gone.jsonl", "jsonl"))
    assert [reject.error for reject in found.rejects] == ["unreadable"]
    found = describe(Input(f"hf:{tmp_path}/none", "none", "huggingface"))
    assert [reject.error for reject in found.rejects] == ["unreadable"]
    assert "the dataset cannot be loaded" in found.rejects[0].message


def test_a_named_reader_and_an_unknown_suffix_say_so(tmp_path):
    path = tmp_path / "corpus.dat"
    write_lines(path, [{"text": "a"}])
    found = look_at(path, ReadOptions(format="jsonl"))
    assert (found.reader, found.why) == ("jsonl", "read.format names it")
    assert 'set read.format = "jsonl"' in describe_ignored(str(path)).why
    path.write_bytes(b"PK\x03\x04...")
    assert describe_ignored(str(path)).why == "the file is a ZIP archive; unpack it"
    path.write_bytes(gzip.compress(b"plain words"))
    assert "read.format" in describe_ignored(str(path)).why
