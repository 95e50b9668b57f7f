import gzip
import json

import pytest

from pipelines.readers.formats import html
from pipelines.readers.records import ReadOptions
from pipelines.readers.streams import open_stream

SENTENCE = "The kettle sings for a while before anyone gets up to pour the tea. " * 4
PAGE = f"<html lang=de><title>Tee</title><body><p>{SENTENCE}</p></body></html>"


@pytest.fixture
def read(tmp_path):
    """Read bytes as a file of the given name."""

    def run(content, name="a.html", options=ReadOptions()):
        path = tmp_path / name
        path.write_bytes(content)
        [slice_] = html.cut(str(path), name, 10)
        return list(html.read(slice_, options))

    return run


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_a_file_is_one_record(read, extractor):
    content = gzip.compress(PAGE.encode())
    [record] = read(content, "tea.v1.htm.gz", ReadOptions(extractor=extractor))
    assert record[:3] == ("file", SENTENCE.strip(), "tea.v1")
    assert json.loads(record.metadata) == {"language": "de", "title": "Tee"}


def test_an_old_page_is_decoded_by_its_own_charset(read):
    page = f"<meta charset=iso-8859-1><p>Señor, {SENTENCE}"
    [record] = read(page.encode("latin-1"), "a.xhtml")
    assert record.text.startswith("Señor, ")


def test_an_empty_file_yields_nothing_and_an_empty_page_an_empty_record(read):
    assert read(b"") == []
    [record] = read(b"<html></html>")
    assert (record.text, record.metadata) == ("", "{}")


@pytest.mark.parametrize(
    ("content", "name", "error", "payload"),
    [
        (gzip.compress(PAGE.encode(), mtime=0)[:-2], "a.html.gz", "truncated", PAGE.encode()),
        (b"<div>" * 2000, "a.html", "too_complex", b"<div>" * 2000),
    ],
)
def test_what_cannot_be_read_is_a_reject(read, content, name, error, payload):
    [reject] = read(content, name)
    assert (reject.locator, reject.error, reject.payload) == ("file", error, payload)


def test_too_long_a_file_is_refused(read, monkeypatch):
    monkeypatch.setattr(open_stream, "RECORD_LIMIT", 10)
    [reject] = read(b"x" * 11)
    assert (reject.error, reject.payload) == ("too_long", b"x" * 11)
    [record] = read(b"x" * 10, options=ReadOptions(extractor="raw"))
    assert record.text == "x" * 10


def test_an_unreadable_file_raises(tmp_path):
    [slice_] = html.cut(str(tmp_path / "gone.html"), "gone.html", 10)
    with pytest.raises(OSError, match="No such file"):
        list(html.read(slice_, ReadOptions()))
