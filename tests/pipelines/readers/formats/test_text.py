import gzip

import pytest

from pipelines.readers.records import Record
from pipelines.readers.streams import open_stream


def test_a_file_is_one_record(tmp_path, read_all):
    path = tmp_path / "notes.v2.md.gz"
    path.write_bytes(gzip.compress("\ufeffÜber\r\nlines\0\n".encode()))
    assert read_all(path) == [Record("file", "Über\r\nlines\0\n", "notes.v2", "{}")]


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b""), ("a.rst.gz", gzip.compress(b"", mtime=0))]
)
def test_an_empty_file_yields_nothing(tmp_path, read_all, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_all(tmp_path / name) == []


def test_bad_utf8_names_the_byte(tmp_path, read_all):
    path = tmp_path / "a.txt"
    path.write_bytes(b"good \xff bad")
    [reject] = read_all(path)
    assert reject == ("file", "bad_utf8", "byte 5: invalid start byte", b"good \xff bad")


def test_a_truncated_file_is_one_reject_with_what_was_read(tmp_path, read_all):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"some text")[:-2])
    [reject] = read_all(path)
    assert (reject.error, reject.payload) == ("truncated", b"some text")
    assert reject.message.startswith("byte 9: ")


def test_too_long_a_file_is_refused(tmp_path, read_all, monkeypatch):
    monkeypatch.setattr(open_stream, "RECORD_LIMIT", 10)
    (tmp_path / "a.txt").write_bytes(b"x" * 11)
    (tmp_path / "b.txt").write_bytes(b"x" * 10)
    [long], [fitting] = read_all(tmp_path / "a.txt"), read_all(tmp_path / "b.txt")
    assert long.error == "too_long"
    assert fitting.text == "x" * 10
