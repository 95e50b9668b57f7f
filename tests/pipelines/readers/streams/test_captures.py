import gzip
import json
import zlib
from functools import partial

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Skipped
from tests.pipelines.readers.warcs import (
    PAGE,
    SENTENCE,
    TEA,
    arc_page,
    http,
    note,
    numbers,
    page,
    read_cut,
    response,
    scan_bytes,
    stored,
)


@pytest.fixture
def scan(tmp_path):
    return partial(scan_bytes, tmp_path)


def test_a_record_has_its_metadata_and_place(scan):
    content = http(PAGE % b"text " * 20, b"Content-Type: text/html; charset=utf-8")
    record = response(
        content,
        "<https://Example.org:8080/x?y=1>",
        WARC_Date="2024-05-18T01:58:10Z",
        WARC_Record_ID="<urn:uuid:1>",
        WARC_Truncated="length",
    )
    first = gzip.compress(note(0))
    [_, item] = scan(first + gzip.compress(record), ".warc.gz")
    assert item.locator == f"byte {len(first)}"
    assert item.source == "a"
    assert json.loads(item.metadata) == {
        "date": "2024-05-18T01:58:10Z",
        "host": "example.org",
        "language": "en",
        "media_type": "text/html",
        "record_id": "urn:uuid:1",
        "status": 200,
        "title": "A page",
        "truncated": "length",
        "url": "https://Example.org:8080/x?y=1",
    }


def test_wet_records_are_text(scan):
    fields = {"WARC_Identified_Content_Language": "spa", "Content_Type": "text/plain"}
    record = stored("conversion", "Señor <b>\n".encode(), WARC_Target_URI="http://e.org/", **fields)
    [item] = scan(gzip.compress(record), ".warc.wet.gz")
    assert item.text == "Señor <b>\n"
    assert json.loads(item.metadata)["language"] == "spa"
    assert json.loads(item.metadata)["url"] == "http://e.org/"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (stored("warcinfo", b"software: x"), "warcinfo"),
        (stored("request", b"GET / HTTP/1.1\r\n\r\n"), "request"),
        (stored("metadata", b"{}", WARC_Target_URI="http://e.org/"), "metadata"),
        (stored("revisit", b"HTTP/1.1 200 OK\r\n\r\n"), "revisit"),
        (stored("resource", b"log", WARC_Target_URI="metadata://x/log"), "resource metadata"),
        (response(b"2024 A 10.0.0.1", "dns:example.org", Content_Type="text/dns"), "response dns"),
        (response(http(b"gone", status=b"404 Not Found")), "status 404"),
        (response(http(b"", b"Location: /b", status=b"301 Moved")), "status 301"),
        (response(http(b"\x89PNG\r\n\x1a\n", b"Content-Type: image/png")), "image/png"),
        (response(http(b"%PDF-1.7 x", b"Content-Type: text/html")), "application/pdf"),
        (response(http(b"\x89PNG\r\n\x1a\n\0\0\0\0")), "image/png"),
        (response(http(b"{}", b"Content-Type: application/json")), "application/json"),
        (
            response(http(b"x", b"Content-Type: text/html"), WARC_Identified_Payload_Type="a/b"),
            "a/b",
        ),
    ],
)
def test_what_holds_no_page_is_skipped(scan, record, kind):
    assert scan(record + page(1))[0] == Skipped(kind)
    assert numbers(scan(record + page(1))) == [1]


@pytest.mark.parametrize(
    "record",
    [
        response(http(b"Tea number 5", b"Content-Type: text/plain")),
        response(http(b"Tea number 5")),
        response(http(b"Tea number 5", b"Content-Type: application/octet-stream")),
        response(http(b"<!DOCTYPE html><body><p>Tea number 5 " + b"is good. " * 30)),
        response(http(b"Tea number 5", b"Content-Type: Text/Plain;x=y", status=b"203 OK")),
        response(http(b"Tea number 5", b"Content-Type: text/plain charset=utf-8")),
        response(http(b"Tea number 5", b"Content-Type: text/plain, text/plain")),
        stored(
            "resource", b"Tea number 5", WARC_Target_URI="ftp://e.org/a", Content_Type="text/plain"
        ),
        response(http(b"Tea number 5", b"Content-Type: text/plain"), newline=b"\n"),
    ],
)
def test_pages_in_other_guises(scan, record):
    assert numbers(scan(record)) == [5]


def chunked(content):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


ENCODED = {
    "gzip": (gzip.compress(TEA), b"Content-Encoding: gzip"),
    "deflate": (zlib.compress(TEA), b"Content-Encoding: deflate"),
    "zstd": (zstandard.compress(TEA), b"Content-Encoding: zstd"),
    "chunked": (chunked(TEA), b"Transfer-Encoding: chunked"),
    "both": (
        chunked(gzip.compress(TEA)),
        b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip",
    ),
    "chunk notes": (
        b"4;note\r\nTea \r\n8;a=b\r\nnumber 5\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked",
    ),
    "cut off": (b"ff\r\nTea number 5", b"Transfer-Encoding: chunked"),
    "stored decoded": (TEA, b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked"),
    "unknown name": (TEA, b"Content-Encoding: utf-8"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_http_content_is_decoded(scan, name):
    content, header = ENCODED[name]
    assert numbers(scan(response(http(content, header, b"Content-Type: text/plain")))) == [5]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"no status line", "status line"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 40_000 + b"\r\n\r\n", "header length"),
        (http(b"\x1f\x8b\x08broken\0\1\2\3", b"Content-Encoding: gzip"), "coding gzip"),
    ],
)
def test_http_that_cannot_be_read_is_a_reject(scan, content, part):
    record = response(content)
    bad, good = scan(record + page(1))
    assert (bad.locator, bad.error) == ("byte 0", "bad_http")
    assert part in bad.message
    assert bad.payload == record.removesuffix(b"\r\n\r\n")[:PAYLOAD_LIMIT]
    assert numbers([good]) == [1]


PARTS = st.lists(
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"200", b"\r\n", b"\n", b"Content-Type: text/html",
         b"Content-Type: text/plain; charset=", b"Content-Encoding: gzip\r\n", b"utf-8",
         b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: br\r\n", b"5\r\nabcde\r\n", b"<p>",
         b"Content-Length: 99999999999999999999\r\n", b": ", b" folded", b"\xff\xfe", b"http://["]
    )
    | st.binary(max_size=6),
    max_size=12,
).map(b"".join)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(content=PARTS, url=PARTS, media_type=PARTS, arc=st.booleans())
def test_whole_records_of_any_content_are_judged(scratch, content, url, media_type, arc):
    url, media_type = (part.translate(None, b"\r\n") for part in (url, media_type))
    fields = b"WARC-Target-URI: http:%s\r\nContent-Type: %s\r\n" % (url, media_type)
    record = stored("response", content).replace(b"Content-Length", fields + b"Content-Length", 1)
    if arc:
        record = b"http://e.org/ 1.2.3.4 20010203040506 text/html %d\n" % len(content) + content
    path = scratch / f"content.{'arc' if arc else 'warc'}"
    path.write_bytes(record)
    [item] = read_cut(path, [])
    assert isinstance(item, Record | Skipped) or item.error == "bad_http"


def test_a_header_that_no_parser_takes_is_a_reject(scan):
    bad, good = scan(stored("response", b"x", WARC_Target_URI="http:" + "x" * 40_000) + page(1))
    assert bad[:2] == ("byte 0", "bad_warc")
    assert numbers([good]) == [1]


def test_a_page_that_cannot_be_extracted_is_a_reject(scan):
    deep = response(http(b"<div>" * 3000 + b"x", b"Content-Type: text/html"))
    bad, good = scan(deep + page(1))
    assert bad[:2] == ("byte 0", "too_complex")
    assert numbers([good]) == [1]


def test_a_page_without_main_text_is_an_empty_record(scan):
    [item] = scan(response(http(b"<html><body></body></html>", b"Content-Type: text/html")))
    assert item.text == ""


def test_the_extractor_is_the_users(scan):
    [item] = scan(page(3), options=ReadOptions(extractor="raw"))
    assert item.text == (PAGE % (SENTENCE % 3)).decode()


def test_segments_are_not_taken_for_pages(scan):
    [item] = scan(stored("continuation", b"rest", WARC_Segment_Number=2))
    assert item.error == "segmented"


def test_an_arc_header_may_lack_the_type_and_hold_odd_spaces(scan):
    url = "http://e.org/\u3000x".encode()
    bare = b"%s 1.2.3.4 20010203040506  %d\n" % (url, len(TEA)) + TEA + b"\n"
    [item] = scan(bare, ".arc")
    assert item.text == TEA.decode()
    metadata = json.loads(item.metadata)
    assert metadata["date"] == "2001-02-03T04:05:06Z"
    assert metadata["url"] == url.decode()
    assert metadata["media_type"] == "text/plain"


def test_arc_versions(scan):
    head = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n"
    version = b"filedesc://a.arc 0.0.0.0 20010203040506 text/plain %d\n" % len(head) + head + b"\n"
    bare = b"http://e.org/b 1.2.3.4 20010203040506 text/plain %d\n" % len(TEA) + TEA + b"\n"
    content = http(TEA, b"Content-Type: text/plain")
    second = b"http://e.org/c 1.2.3.4 20010203040506 text/plain 200 - - 9 a.arc %d\n" % len(content)
    items = scan(
        version + arc_page(1) + arc_page(2, b"\r\n") + bare + second + content + b"\n", ".arc"
    )
    assert items[0] == Skipped("filedesc")
    assert numbers(items) == [1, 2, 5, 5]
    assert json.loads(items[1].metadata) == {
        "date": "2001-02-03T04:05:06Z",
        "host": "example.org",
        "language": "en",
        "media_type": "text/html",
        "status": 200,
        "title": "A page",
        "url": "http://example.org/1",
    }
