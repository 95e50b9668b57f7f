"""HTML in the text field of structured records."""

import orjson
import pytest

from pipelines.readers.pages.page_limits import MAX_DEPTH
from pipelines.readers.records import ReadOptions, Record, Reject
from pipelines.readers.registry import READERS

PAGE = "<html><body><nav><a href='/'>Home</a></nav><p>{}</p></body></html>"
PROSE = "A paragraph that is long enough to be the main text of its page, says its author. " * 4


def read(path, reader, **options):
    [piece] = READERS[reader].cut(str(path), path.name, 2**20)
    return list(READERS[reader].read(piece, ReadOptions(**options)))


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_main_text_takes_the_place_of_html(tmp_path, extractor):
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps({"text": PAGE.format(PROSE), "url": "u"}) + b"\n")
    [record] = read(path, "jsonl", html=True, extractor=extractor)
    assert record.text.split() == PROSE.split()
    assert orjson.loads(record.metadata) == {"url": "u"}


def test_without_the_option_markup_is_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps({"text": PAGE.format(PROSE)}) + b"\n")
    [record] = read(path, "jsonl")
    assert record.text == PAGE.format(PROSE)


def test_a_page_that_cannot_be_extracted_is_a_reject_and_the_others_stay(tmp_path):
    pages = ["<div>" * (MAX_DEPTH + 1) + "x", PAGE.format(PROSE)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(orjson.dumps({"text": page}) + b"\n" for page in pages))
    bad, good = read(path, "jsonl", html=True)
    assert isinstance(bad, Reject)
    assert (bad.locator, bad.error) == ("byte 0", "too_complex")
    assert bad.payload == pages[0].encode()
    assert isinstance(good, Record)


def test_text_files_are_not_html(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("1 <b>2</b>")
    [record] = read(path, "text", html=True)
    assert record.text == "1 <b>2</b>"
