"""The content of an HTTP answer without its transfer and content codings.

Codings are undone in the reverse of the order in which headers list them, transfer codings first;
names count in any case. `deflate` is zlib's format, and the raw one that some servers send.
Headers are not always true: content that does not look encoded is taken as it is. Of data that is
cut short, what came is kept.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO

import brotli
import zstandard
from resiliparse.parse.encoding import detect_mime
from resiliparse.parse.http import iterate_http_chunks

from pipelines.readers.records import RejectKind
from pipelines.readers.rows import BadRecord
from pipelines.readers.streams.open_stream import RECORD_LIMIT

CHUNK_HEADER = re.compile(rb"[0-9a-f]{1,8}[ \t]*(?:;[^\r\n]*)?\r?\n", re.IGNORECASE)
GZIP_BITS, ZLIB_BITS, RAW_BITS = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"
# Encoded content begins with 16 such bytes once in four million times.
PLAIN = re.compile(rb"[\t\n\f\r\x20-\x7e]*")
TRANSFER, CONTENT = "transfer-encoding", "content-encoding"


class BadCoding(ValueError):
    """The content is not what a coding makes."""


def decode_http(headers: Iterable[tuple[str, str]], content: bytes) -> bytes:
    """Return the content without its codings.

    Raises:
        BadRecord: `bad_http` for a coding that is not known or does not fit what looks encoded,
            `too_long` for content of more than RECORD_LIMIT.
    """
    listed = [(name.lower(), _split(value)) for name, value in headers]
    for header in (TRANSFER, CONTENT):
        codings = [coding for name, values in listed if name == header for coding in values]
        for coding in reversed(codings):
            try:
                content = _undo(coding, content)
            except (BadCoding, zlib.error, brotli.error, zstandard.ZstdError) as error:
                if _is_text(content):
                    return content
                raise BadRecord(RejectKind.BAD_HTTP, f"coding {coding}: {error}") from None
    return content


def _split(value: str) -> list[str]:
    return [name for part in value.split(",") if (name := part.strip().lower())]


def _undo(coding: str, content: bytes) -> bytes:
    if coding not in CODINGS:
        raise BadCoding(f"it is not known; known: {', '.join(CODINGS)}")
    decoded = CODINGS[coding](content)
    if len(decoded) > RECORD_LIMIT:
        raise BadRecord(RejectKind.TOO_LONG, f"page of more than {RECORD_LIMIT:,} bytes")
    return decoded


def _is_text(content: bytes) -> bool:
    """Say whether bytes are text by the look of them; "BM", as in BMW, does not make an image."""
    return detect_mime(content).startswith("text/") or bool(PLAIN.fullmatch(content[:16]))


def _join_chunks(content: bytes) -> bytes:
    if not CHUNK_HEADER.match(content):
        raise BadCoding("no chunk begins here")
    return b"".join(iterate_http_chunks(BytesIO(content)))


def _gunzip(content: bytes) -> bytes:
    """Undo gzip, of one member or several, or what zlib wraps instead."""
    if not content.startswith(GZIP_MAGIC):
        return _inflate(zlib.decompressobj(ZLIB_BITS), content)
    parts: list[bytes] = []
    while content:
        decoder = zlib.decompressobj(GZIP_BITS)
        parts.append(_inflate(decoder, content))
        content = decoder.unused_data.lstrip(b"\0")
        if not content.startswith(GZIP_MAGIC):
            break
    return b"".join(parts)


def _undeflate(content: bytes) -> bytes:
    """Undo deflate as zlib wraps it, or raw, which text that is not coded may look like."""
    if content.startswith(GZIP_MAGIC):
        return _gunzip(content)
    try:
        return _inflate(zlib.decompressobj(ZLIB_BITS), content)
    except zlib.error:
        decoder = zlib.decompressobj(RAW_BITS)
        decoded = _inflate(decoder, content)
    if (not decoder.eof or decoder.unused_data) and _is_text(content):
        raise BadCoding("it seems not to be coded")
    return decoded


def _inflate(decoder: "zlib._Decompress", content: bytes) -> bytes:
    decoded = decoder.decompress(content, RECORD_LIMIT + 1)
    return decoded if decoder.eof else _check_part(decoded)


def _unbrotli(content: bytes) -> bytes:
    decoder = brotli.Decompressor()
    parts, size = [decoder.process(content, output_buffer_limit=RECORD_LIMIT)], 0
    while parts[-1] and not decoder.is_finished() and size <= RECORD_LIMIT:
        size += len(parts[-1])
        parts.append(decoder.process(b"", output_buffer_limit=RECORD_LIMIT))
    decoded = b"".join(parts)
    return decoded if decoder.is_finished() else _check_part(decoded)


def _unzstd(content: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as reader:
        return _check_part(bytes(reader.read(RECORD_LIMIT + 1)))


def _check_part(decoded: bytes) -> bytes:
    """Return what data that may be cut short came to, where that is anything."""
    if not decoded:
        raise BadCoding("the data is cut short")
    return decoded


def _keep(content: bytes) -> bytes:
    return content


CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "chunked": _join_chunks,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "x-deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
    "identity": _keep,
}
