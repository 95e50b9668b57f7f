"""Codings of HTTP content: each alone, several in a row, and headers that are not true."""

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.rows import BadRecord
from pipelines.readers.streams import http_codings
from pipelines.readers.streams.http_codings import decode_http

TEA = b"Tea number 5, and a cup of it"


def raw(content):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def chunked(content):
    return b"%x\r\n%s\r\n%x;note\r\n%s\r\n0\r\n\r\n" % (
        *(len(content) - 1, content[:-1]),
        *(1, content[-1:]),
    )


BODIES = {
    "gzip": gzip.compress(TEA),
    "x-gzip": gzip.compress(TEA[:9]) + gzip.compress(TEA[9:]),
    "X-GZip": gzip.compress(TEA),
    "deflate": zlib.compress(TEA),
    "Deflate": raw(TEA),
    "br": brotli.compress(TEA),
    "zstd": zstandard.compress(TEA),
    "gzip,": zlib.compress(TEA),
    "deflate,": gzip.compress(TEA),
    "identity": TEA,
    "deflate, gzip": gzip.compress(zlib.compress(TEA)),
    "gzip , identity, br,": brotli.compress(gzip.compress(TEA)),
}


@pytest.mark.parametrize("name", BODIES)
def test_codings_are_undone_in_reverse(name):
    body = BODIES[name]
    assert decode_http([("Content-Encoding", name)], body) == TEA
    transfer = ("TRANSFER-encoding", "Chunked")
    assert decode_http([("content-encoding", name), transfer], chunked(body)) == TEA
    twice = ("Transfer-Encoding", "gzip, chunked")
    assert decode_http([twice, ("Content-Encoding", name)], chunked(gzip.compress(body))) == TEA


def test_headers_that_are_repeated_are_one_list():
    headers = [("Content-Encoding", "deflate"), ("Content-Encoding", "gzip")]
    assert decode_http(headers, gzip.compress(raw(TEA))) == TEA


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "chunked", "utf-8", "compress"])
def test_what_does_not_look_encoded_is_taken_as_it_is(name):
    header = "Transfer-Encoding" if name == "chunked" else "Content-Encoding"
    assert decode_http([(header, name)], TEA) == TEA


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=9))
def test_no_text_is_taken_for_raw_deflate(text):
    body = text.encode()
    decoded = decode_http([("Content-Encoding", "deflate")], body)
    assert decoded in (body, zlib_or_none(body))


def zlib_or_none(body):
    """What whole raw deflate data stands for: a text may be that by chance."""
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        decoded = decoder.decompress(body)
    except zlib.error:
        return None
    return decoded if decoder.eof and not decoder.unused_data else None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", b"\x1f\x8b\x08broken\0\1\2\3"),
        ("gzip", gzip.compress(TEA, mtime=0)[:10]),
        ("br", b"\0\1\2\3\xff" * 9),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff"),
        ("compress", b"\x1f\x9d\x90\0\1\2\3"),
    ],
)
def test_what_is_broken_or_not_known_is_refused_by_name(name, body):
    with pytest.raises(BadRecord, match=f"coding {name}") as caught:
        decode_http([("Content-Encoding", name)], body)
    assert caught.value.error == "bad_http"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_of_data_that_is_cut_short_what_came_is_kept(name):
    text = b"".join(b"Tea number %d. " % (number * 7919) for number in range(20_000))
    packs = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}
    part = packs.get(name, raw)(text)
    part = part[: len(part) // 2]
    kept = decode_http([("Content-Encoding", name)], part)
    assert len(text) // 4 < len(kept) < len(text)
    assert text.startswith(kept)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd", "deflate"])
def test_a_bomb_is_too_long(monkeypatch, name):
    monkeypatch.setattr(http_codings, "RECORD_LIMIT", 100_000)
    packs = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstandard.compress}
    body = packs.get(name, raw)(b"x" * 10**6)
    with pytest.raises(BadRecord) as caught:
        decode_http([("Content-Encoding", name)], body)
    assert caught.value.error == "too_long"


@pytest.mark.parametrize("start", ["BMW", "GIF89a of a cat", "OggS"])
@pytest.mark.parametrize("name", ["deflate", "gzip", "br"])
def test_a_text_that_begins_as_another_kind_of_file_is_taken_as_it_is(start, name):
    body = f"{start}, {'and so on. ' * 40}".encode()
    assert decode_http([("Content-Encoding", name)], body) == body
