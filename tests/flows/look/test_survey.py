"""What a folder of mixed files is taken for, in bounded time."""

import json

import pytest

from flows.look import survey as module
from flows.look.survey import survey
from pipelines.readers.records import ReadOptions
from weighting.errors import AssayError


def write_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_inputs_are_counted_by_reader_and_the_rest_by_suffix(tmp_path):
    for number in range(5):
        write_lines(tmp_path / f"{number}.jsonl", {"text": f"text {number}"})
    (tmp_path / "page.html").write_text("<p>One page.</p>")
    for name in ("a.png", "b.png", "Makefile"):
        (tmp_path / name).write_bytes(b"\x89PNG")
    found = survey([str(tmp_path)], ReadOptions())
    assert [(one.reader, one.inputs) for one in found.formats] == [("jsonl", 5), ("html", 1)]
    assert found.formats[0].size == sum(one.stat().st_size for one in tmp_path.glob("*.jsonl"))
    assert [(one.suffix, one.files) for one in found.unread] == [(".png", 2), ("no suffix", 1)]
    assert all("read.format" in look.why for one in found.unread for look in one.looks)
    assert found.text_field is None


def test_of_many_files_some_are_looked_into_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FILES", 3)
    for number in range(10):
        write_lines(tmp_path / f"{number}.jsonl", {"text": "x"})
    [jsonl] = survey([str(tmp_path)], ReadOptions()).formats
    assert [look.name for look in jsonl.looks] == ["0.jsonl", "4.jsonl", "8.jsonl"]


def test_the_text_field_is_that_of_most_inputs_where_none_has_the_one_asked_for(tmp_path):
    write_lines(tmp_path / "a.jsonl", {"content": "long enough"})
    write_lines(tmp_path / "b.jsonl", {"content": "long enough"})
    write_lines(tmp_path / "c.jsonl", {"body": "long enough"})
    assert survey([str(tmp_path)], ReadOptions()).text_field == "content"
    write_lines(tmp_path / "d.jsonl", {"text": "x"})
    assert survey([str(tmp_path)], ReadOptions()).text_field is None


def test_nothing_there_is_one_line(tmp_path):
    with pytest.raises(AssayError, match="no such file"):
        survey([str(tmp_path / "none")], ReadOptions())
