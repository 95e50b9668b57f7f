"""From one whole WARC or ARC record to the page it captured, or why there is none.

A page is a response with a status of 2xx, a resource with a web address, or a conversion (the text
records of WET files), whose content is HTML, XHTML or plain text. Its type is what the crawler
identified, else what HTTP states, else told by its first bytes; content that is of a known binary
format is believed before any label.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple
from urllib.parse import urlsplit

from fastwarc.warc import HeaderMap, WarcRecord, WarcRecordType
from resiliparse.parse.encoding import detect_mime

from pipelines.readers.records import RejectKind, Skipped
from pipelines.readers.rows import BadRecord
from pipelines.readers.streams.http_codings import decode_http

HTML_TYPES = ("text/html", "application/xhtml+xml")
PAGE_TYPES = (*HTML_TYPES, "text/plain")
XML_TYPES = ("application/xml", *HTML_TYPES)  # as the first bytes of XHTML are told
UNTOLD_TYPES = ("", "application/octet-stream", "unk", "unknown", "no-type")
PAGE_KINDS = ("response", "resource", "conversion")
WEB = ("http:", "https:", "ftp:")  # what was fetched; crawlers also store notes of their own
HTML_START = re.compile(rb"<(?:!doctype\s+html|html|head|body|title)\b", re.IGNORECASE)
SNIFFED = 2048  # bytes in which HTML shows itself
CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
PARAMETERS = re.compile(r"[;,\s]")


class Capture(NamedTuple):
    """A page: its decoded content and what is known of it. `charset` is what HTTP states."""

    content: bytes
    is_html: bool
    charset: str | None
    metadata: dict[str, str | int]


class _Source(NamedTuple):
    """What a record's own header says; `content` is what follows it."""

    kind: str
    url: str
    media_type: str
    is_http: bool
    content: bytes
    metadata: Mapping[str, str | None]


def read_warc(record: bytes) -> Capture | Skipped:
    """Return the page in a WARC record.

    Raises:
        BadRecord: `bad_http` for a response that is not HTTP or cannot be decoded, `segmented` for
            a part of a page that is stored in several records, `bad_warc` for a header that cannot
            be parsed.
    """
    try:
        warc = WarcRecord.from_reader(BytesIO(record), quirks_mode=True)
        content = warc.reader.read()
    except OSError as error:
        raise BadRecord(RejectKind.BAD_WARC, str(error)) from None
    stated = warc.headers.get
    kind = (stated("WARC-Type") or "").lower()
    url = (stated("WARC-Target-URI") or "").strip("<> ")
    if "WARC-Segment-Number" in warc.headers:
        raise BadRecord(
            RejectKind.SEGMENTED, f"part {stated('WARC-Segment-Number')} of the page {url}"
        )
    media_type = stated("WARC-Identified-Payload-Type") or ""
    is_http = kind == "response" and url.lower().startswith(("http:", "https:"))
    if not is_http:
        media_type = media_type or stated("Content-Type") or ""
    metadata = {
        "date": stated("WARC-Date"),
        "record_id": (stated("WARC-Record-ID") or "").strip("<> "),
        "language": stated("WARC-Identified-Content-Language"),
        "truncated": stated("WARC-Truncated"),
    }
    return _read(_Source(kind, url, media_type, is_http, content, metadata))


def read_arc(record: bytes) -> Capture | Skipped:
    """Return the page in an ARC record; a response without HTTP headers is taken as it is.

    Raises:
        BadRecord: `bad_http` as in `read_warc`.
    """
    line, _, content = record.partition(b"\n")
    # Fields are apart by ASCII spaces; the text may hold others. The last is the length.
    url, _, date, *stated, _ = (field.decode("utf-8", "replace") for field in line.split())
    if url.lower().startswith("filedesc:"):
        return Skipped("filedesc")
    metadata = {"date": _arc_date(date)}
    is_http = content.startswith(b"HTTP/")
    media_type = "" if is_http else " ".join(stated[:1])
    return _read(_Source("response", url, media_type, is_http, content, metadata))


def _read(source: _Source) -> Capture | Skipped:
    if source.kind not in PAGE_KINDS:
        return Skipped(source.kind or "untyped")
    if source.kind != "conversion" and not source.url.lower().startswith(WEB):
        return Skipped(f"{source.kind} {source.url.partition(':')[0]}")
    headers, content = HeaderMap(), source.content
    if source.is_http:
        headers, content = _parse_http(source.content)
        if headers.status_code is None:
            raise BadRecord(RejectKind.BAD_HTTP, "there is no HTTP status line")
        if headers.status_code // 100 != 2:
            return Skipped(f"status {headers.status_code}")
    label = source.media_type or headers.get("Content-Type") or ""
    if _bare(label) not in (*PAGE_TYPES, *UNTOLD_TYPES):
        return Skipped(_bare(label))
    if source.is_http:
        content = decode_http(headers.items(), content)
    media_type = _media_type(label, content)
    if media_type not in PAGE_TYPES:
        return Skipped(media_type)
    charset = CHARSET.search(headers.get("Content-Type") or label)
    return Capture(
        content,
        media_type in HTML_TYPES,
        charset[1] if charset else None,
        _complete(source, headers, media_type),
    )


def _complete(source: _Source, headers: HeaderMap, media_type: str) -> dict[str, str | int]:
    """Return the metadata that a page has; what is not stated is left out."""
    known = {
        **source.metadata,
        "url": source.url,
        "host": _host(source.url),
        "media_type": media_type,
        "status": headers.status_code,
    }
    return {name: value for name, value in known.items() if value}


def _parse_http(message: bytes) -> tuple[HeaderMap, bytes]:
    """Return the headers and stored content of an HTTP message.

    Raises:
        BadRecord: `bad_http`.
    """
    warc = WarcRecord()
    warc.init_headers(WarcRecordType.response)
    warc.set_bytes_content(message)
    warc.is_http = True
    try:
        warc.parse_http(auto_decode="none", quirks_mode=True)
        return warc.http_headers, warc.reader.read()
    except OSError as error:
        raise BadRecord(RejectKind.BAD_HTTP, str(error)) from None


def _media_type(label: str, content: bytes) -> str:
    found = str(detect_mime(content))
    if _bare(label) in UNTOLD_TYPES:
        return HTML_TYPES[0] if HTML_START.search(content, 0, SNIFFED) else found
    is_text = found.startswith("text/") or found in (*UNTOLD_TYPES, *XML_TYPES)
    return _bare(label) if is_text else found


def _bare(label: str) -> str:
    """Return a media type without its parameters, which not all servers begin with a semicolon."""
    return PARAMETERS.split(label.strip(), maxsplit=1)[0].lower()


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets that hold no IPv6 address
        return None


def _arc_date(date: str) -> str:
    """Return YYYYMMDDhhmmss as WARC writes dates."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:14]}Z"
