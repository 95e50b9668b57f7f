"""`read_records` yields every record of a corpus, in order, whatever it is cut into."""

import json

import pytest

from pipelines.readers.read import list_slices, read_records
from pipelines.readers.records import Found, ReadOptions, Record
from weighting.errors import AssayError


@pytest.fixture
def corpus(tmp_path):
    rows = [{"text": f"text {number}", "body": "b"} for number in range(50)]
    lines = [json.dumps(row) for row in rows]
    (tmp_path / "b.jsonl").write_text("\n".join([*lines, "{broken", ""]))
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "c.png").write_text("no reader")
    return tmp_path


def test_every_record_comes_with_its_file_in_order(corpus):
    found = list(read_records([str(corpus)]))
    assert found[0] == Found("a.txt", Record("file", "first", "a", "{}"))
    assert [record.text for _, record in found[1:]] == [f"text {n}" for n in range(50)]
    assert {name for name, _ in found[1:]} == {"b.jsonl"}


def test_options_and_a_reader_can_be_given(corpus):
    options = ReadOptions(text_field="body")
    assert [r.text for _, r in read_records([str(corpus / "b.jsonl")], options)] == ["b"] * 50
    [whole] = read_records([str(corpus / "b.jsonl")], reader="text")
    assert whole.record.text.startswith('{"text"')


def test_nothing_to_read_is_refused():
    with pytest.raises(AssayError, match=r"no inputs; name files, .*hf:NAME, .* or python-docs"):
        list(read_records([]))


def test_slices_carry_the_name_of_their_reader(corpus):
    slices, ignored, _ = list_slices([str(corpus)], 100)
    assert {piece.reader for piece in slices if piece.name == "b.jsonl"} == {"jsonl"}
    assert len(slices) > 2
    assert slices == sorted(slices, key=lambda piece: (piece.name, piece.start))
    assert [path.rpartition("/")[2] for path in ignored] == ["c.png"]
