"""JSON: one record a line (JSON Lines), or one an item of an array; plain or compressed.

What a file holds, its first bytes tell, whatever its suffix: lines, which are cut and located as
`readers.lines` says; or an array, or objects that are written over several lines, which are one
slice and located as `item N`. Blank lines are not records. Lines that end in CR alone are read by
one worker.

A line with several objects, as `cat` makes of parts without a last newline, has as many records:
the first is located as the line is, `byte N`, others as `byte N+M`, M bytes into the line.

Of names that a line has twice, the last counts. What orjson refuses is parsed once more, patiently:
NaN and Infinity, half characters such as "\\ud800", raw control characters, bytes that are not
UTF-8 and deep nesting cost their field, not the record. In the text, a half character becomes
U+FFFD, and other bytes that are not UTF-8 make it a reject. Integers beyond 64 bits are kept.
"""

import re
from collections.abc import Iterator

import orjson

from pipelines.readers.formats.json_items import holds_lines, read_items, split_values
from pipelines.readers.json_values import parse
from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import BadRecord, Origin, to_record
from pipelines.readers.streams import lines, open_stream
from pipelines.readers.streams.compression import with_compressions
from pipelines.readers.streams.content import Content
from pipelines.readers.streams.lines import read_lines
from pipelines.readers.streams.whole_files import cut_file, is_whole, refuse_format

SUFFIXES = with_compressions(".jsonl", ".ndjson", ".json")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # before a file, and so inside files that were put together
LARGE_NUMBER = re.compile(r"\de\+\d")  # as orjson writes an integer that it read as a float


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file of lines into slices of about `target_bytes` of decompressed bytes.

    The last is open. Any other file is one slice.
    """
    slices = lines.cut(path, name, "jsonl", target_bytes)
    if len(slices) > 1 and not _can_cut(open_stream.peek(path)):
        return cut_file(path, name, "jsonl")
    return slices


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the records and rejects of the lines of a slice, or of a file's items."""
    origin = Origin.of(slice_)
    content = open_stream.peek(slice_.path) if is_whole(slice_) else None
    if content and content.foreign:
        yield refuse_format(content)
        return
    by_line = content is None or holds_lines(content.head)
    newline = content.newline if content else b"\n"
    parts = (
        read_lines(slice_.path, slice_.start, slice_.end, newline=newline)
        if by_line
        else read_items(slice_.path)
    )
    for part in parts:
        if isinstance(part, Reject):
            yield part
        elif part[1] and not part[1].isspace():
            item = parse_line(*part, options, origin)
            if isinstance(item, Reject) and by_line:
                yield from _split_line(item, part[1], options, origin)
            else:
                yield item


def parse_line(locator: str, line: bytes, options: ReadOptions, origin: Origin) -> Record | Reject:
    """Return the record on a line, or why there is none."""
    line = line.removeprefix(BYTE_ORDER_MARK)
    try:
        record = to_record(orjson.loads(line), locator, options, origin)
        if "e+" not in record.metadata or not LARGE_NUMBER.search(record.metadata):
            return record
    except orjson.JSONDecodeError:
        pass
    except BadRecord as error:
        return Reject(locator, error.error, str(error), line[:PAYLOAD_LIMIT])
    return _parse_patiently(locator, line, options, origin)


def _split_line(
    reject: Reject, line: bytes, options: ReadOptions, origin: Origin
) -> Iterator[Record | Reject]:
    """Yield what the objects of a line say, or the reject of the line where it has no several."""
    is_syntax = reject.error in (RejectKind.BAD_JSON, RejectKind.BAD_UTF8)
    values = split_values(line) if is_syntax else []
    if not values:
        yield reject
        return
    first = values[0][0]
    for place, value in values:
        locator = reject.locator if place == first else f"{reject.locator}+{place}"
        yield parse_line(locator, value, options, origin)


def _parse_patiently(
    locator: str, line: bytes, options: ReadOptions, origin: Origin
) -> Record | Reject:
    try:
        row, left_out = parse(line)
        return to_record(row, locator, options, origin, left_out)
    except BadRecord as error:
        kind, message = error.error, str(error)
    except ValueError as error:
        kind, message = RejectKind.BAD_JSON, str(error)
    if kind in (RejectKind.BAD_JSON, RejectKind.BAD_UTF8):
        kind, message = _explain(line, message)
    return Reject(locator, kind, message, line[:PAYLOAD_LIMIT])


def _explain(line: bytes, message: str) -> tuple[RejectKind, str]:
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return RejectKind.BAD_UTF8, f"byte {bad.start} of the line: {bad.reason}"
    return RejectKind.BAD_JSON, message


def _can_cut(content: Content) -> bool:
    """Say whether a file is what its suffix says, and holds lines."""
    is_usual = content.is_plain and not content.foreign and content.newline == b"\n"
    return is_usual and holds_lines(content.head)
