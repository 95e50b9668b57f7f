"""Where the records of WARC and ARC files begin and end.

Record lengths are stated in headers, and after damage (a wrong length, foreign bytes between
records, a stream that breaks off) the next header is searched for. Every byte of a stream is in
exactly one span, except empty lines after a record. Bytes that form no record are a span that
says so. A record counts as whole when its stated length is followed by its terminator, by the next
record or by the stream's end.

Limits: a search after damage cannot tell a record from a copy of one inside another's content; a
stated length that is wrong but happens to end at a terminator leaves the rest as foreign bytes.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pipelines.readers.records import PAYLOAD_LIMIT, RejectKind
from pipelines.readers.streams.compression import Damage
from pipelines.readers.streams.open_stream import RECORD_LIMIT

HEADER_LIMIT = 64 * 1024  # bytes of one record's header
EMPTY_LINES = re.compile(rb"[\r\n]*")
WARC_START = re.compile(rb"WARC/\d\.\d{1,2}\r?\n(?=[A-Za-z])")
WARC_HEADER = re.compile(
    WARC_START.pattern + rb"(?:[^\s:]++:[^\r\n]*+\r?\n|[ \t][^\r\n]*+\r?\n)++\r?\n"
)
WARC_LENGTH = re.compile(
    rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
WARC_TYPE = re.compile(rb"^warc-type:", re.IGNORECASE | re.MULTILINE)
# URL, address, date, media type (which may hold spaces; version 2 adds five fields), length.
ARC_HEADER = re.compile(
    rb"[a-z][a-z0-9+.-]{1,30}:[^\s]{1,8000} [^\s]{1,60} \d{14} [^\r\n]{0,9000}?(\d{1,18})\r?\n",
    re.IGNORECASE,
)
ARC_START = re.compile(rb"(?<=\n)" + ARC_HEADER.pattern, re.IGNORECASE)

STRAY = "stray"  # the error of bytes between records

Bytes = bytes | bytearray


class Span(NamedTuple):
    """`size` bytes of a stream from `offset` on: a whole record, or bytes that form none.

    `data` is the record, or the head of bytes that form none; then `error` is STRAY (no record
    begins here), `bad_warc`, `too_long` or `truncated`, and `message` says more.
    """

    offset: int
    size: int
    data: bytes
    error: str = ""
    message: str = ""


class Extent(NamedTuple):
    """The bytes of a record's header and of its content, as the header states them."""

    header: int
    content: int


class Layout(NamedTuple):
    """How records of one format are told.

    `start` finds where one may begin, looking back for a line's end where the format needs that;
    `measure(data, at)` returns None where none begins.
    """

    start: re.Pattern[bytes]
    measure: Callable[[Bytes, int], Extent | None]
    terminator: bytes


def begins_record(data: Bytes, layout: Layout) -> bool:
    """Whether the bytes, after empty lines, begin a record."""
    return layout.measure(data, _after_empty_lines(data, 0)) is not None


def split_records(
    blocks: Iterable[bytes | Damage],
    layout: Layout,
    offset: int = 0,
    *,
    aligned: bool = True,
    limit: int = RECORD_LIMIT,
) -> Iterator[Span]:
    """Yield the spans of a stream whose first byte is at `offset`; damage ends it.

    A stream that is not `aligned` begins one byte early, somewhere in a file: what lies before the
    first record that begins after that byte is skipped, as it belongs to a record before.
    Records of more than `limit` bytes are `too_long`.
    """
    stream = _Stream(blocks, layout, offset)
    if not aligned:
        stream.skip_to_record(1)
    stream.skip_empty_lines()
    while stream.fill(HEADER_LIMIT):
        yield _next_span(stream, limit)
        stream.skip_empty_lines()
    if stream.damage:
        yield Span(stream.offset, 0, b"", RejectKind.TRUNCATED, stream.damage)


class _Stream:
    """A window on a stream: the bytes from `offset` on that have been read."""

    def __init__(self, blocks: Iterable[bytes | Damage], layout: Layout, offset: int) -> None:
        self.blocks = iter(blocks)
        self.layout = layout
        self.offset = offset
        self.window = bytearray()
        self.damage = ""

    def fill(self, size: int, *, exactly: bool = False) -> bool:
        """Read until `size` bytes are in the window or the stream ends.

        Returns whether any are in it; with `exactly`, whether `size` are.
        """
        while len(self.window) < size:
            block = next(self.blocks, None)
            if block is None:
                break
            if isinstance(block, Damage):
                self.damage = str(block)
                self.blocks = iter(())
                break
            self.window += block
        return len(self.window) >= (size if exactly else 1)

    def drop(self, size: int) -> None:
        """Move the window past its first `size` bytes."""
        del self.window[:size]
        self.offset += size

    def measure(self, at: int) -> Extent | None:
        """Return the extent of the record at a place in the window, None if none begins there."""
        self.fill(at + HEADER_LIMIT)
        return self.layout.measure(self.window, at)

    def skip_empty_lines(self) -> None:
        """Move past line ends."""
        while self.fill(1) and (size := _after_empty_lines(self.window, 0)):
            self.drop(size)

    def skip_to_record(self, at: int) -> int:
        """Move to the next record from a place in the window on; return the bytes passed."""
        began = self.offset
        while self.fill(at + HEADER_LIMIT):
            match = self.layout.start.search(self.window, at)
            if match:
                self.drop(match.start())
                if self.measure(0):
                    break
                at = 1
            else:
                # A start may lie across the window's end: short of the stream's, keep the tail.
                ended = not self.fill(len(self.window) + 1, exactly=True)
                self.drop(len(self.window) if ended else max(at, len(self.window) - HEADER_LIMIT))
                at = 0
        return self.offset - began


def _next_span(stream: _Stream, limit: int) -> Span:
    extent = stream.measure(0)
    if extent is None:
        stray = _cut_off(stream, 1, STRAY, "no record begins here")
        if not stream.damage or stream.window:
            return stray
        message, stream.damage = stream.damage, ""
        return stray._replace(error=RejectKind.TRUNCATED, message=message)
    size = sum(extent)
    if size > limit:
        message = f"record of {size:,} bytes; the limit is {limit:,}"
        return _cut_off(stream, extent.header, RejectKind.TOO_LONG, message)
    if _ends_at(stream, size):
        span = Span(stream.offset, size, bytes(stream.window[:size]))
        stream.drop(size)
        return span
    return _broken(stream, extent)


def _ends_at(stream: _Stream, size: int) -> bool:
    """Whether the record in front is whole if it has `size` bytes."""
    stream.fill(size + HEADER_LIMIT)
    window = stream.window
    after = _after_empty_lines(window, size)
    if len(window) < size or (after == len(window) and stream.damage):
        return False  # the last bytes before damage are not to be trusted
    if after == len(window) or window.startswith(stream.layout.terminator, size):
        return True
    return bool(stream.layout.start.match(window, after) and stream.measure(after))


def _broken(stream: _Stream, extent: Extent) -> Span:
    """Return the span of a record that does not end where its header says."""
    stated = f"its header states {extent.content:,} bytes of content"
    cut = _cut_off(stream, extent.header, RejectKind.BAD_WARC, "")
    there = f"{cut.size - extent.header:,} are there"
    if stream.window:
        return cut._replace(message=f"{stated}, {there} before the next record")
    if cut.size < sum(extent) or stream.damage:
        reason, stream.damage = stream.damage or "the data ends", ""
        return cut._replace(error=RejectKind.TRUNCATED, message=f"{stated}, {there}: {reason}")
    return cut._replace(message=f"{stated}, {there}")


def _cut_off(stream: _Stream, at: int, error: str, message: str) -> Span:
    """Return the span of bytes that form no record, from a place in the window to the next."""
    offset, head = stream.offset, bytes(stream.window[:PAYLOAD_LIMIT])
    size = stream.skip_to_record(at)
    return Span(offset, size, head[:size], error, message)


def _after_empty_lines(data: Bytes, at: int) -> int:
    match = EMPTY_LINES.match(data, at)
    return match.end() if match else at


def _measure_warc(data: Bytes, at: int) -> Extent | None:
    match = WARC_HEADER.match(data, at, at + HEADER_LIMIT)
    header = match[0] if match else b""
    lengths = WARC_LENGTH.findall(header)
    # Two of a kind: a header that was cut short and runs into the next.
    if len(lengths) != 1 or len(WARC_TYPE.findall(header)) != 1:
        return None
    return Extent(len(header), int(lengths[0]))


def _measure_arc(data: Bytes, at: int) -> Extent | None:
    match = ARC_HEADER.match(data, at)
    return Extent(match.end() - match.start(), int(match[1])) if match else None


WARC = Layout(WARC_START, _measure_warc, b"\r\n\r\n")
ARC = Layout(ARC_START, _measure_arc, b"\n")
