"""JSON Lines, plain or compressed: one record a line, cut and located as `readers.lines` says.

Blank lines are not records. JSON that is not interchangeable is refused as `bad_json`: NaN and
Infinity, lone surrogates such as "\\ud800", raw control characters.
"""

from collections.abc import Iterator

import orjson

from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import BadRecord, source_of, to_record
from pipelines.readers.streams import lines
from pipelines.readers.streams.compression import with_compressions
from pipelines.readers.streams.lines import read_lines

SUFFIXES = with_compressions(".jsonl", ".ndjson")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # before a file, and so inside files that were put together


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into slices of about `target_bytes` of decompressed bytes; the last is open."""
    return lines.cut(path, name, "jsonl", target_bytes)


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the records and rejects of the lines of a slice."""
    source = source_of(slice_.name)
    for line in read_lines(slice_.path, slice_.start, slice_.end):
        if isinstance(line, Reject):
            yield line
        elif line[1] and not line[1].isspace():
            yield parse_line(*line, options, source)


def parse_line(locator: str, line: bytes, options: ReadOptions, source: str) -> Record | Reject:
    """Return the record on a line, or why there is none."""
    try:
        row = orjson.loads(line.removeprefix(BYTE_ORDER_MARK))
        return to_record(row, locator, options, source)
    except orjson.JSONDecodeError as error:
        kind, message = _explain(line, error)
        return Reject(locator, kind, message, line[:PAYLOAD_LIMIT])
    except BadRecord as error:
        return Reject(locator, error.error, str(error), line[:PAYLOAD_LIMIT])


def _explain(line: bytes, error: orjson.JSONDecodeError) -> tuple[RejectKind, str]:
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return RejectKind.BAD_UTF8, f"byte {bad.start} of the line: {bad.reason}"
    return RejectKind.BAD_JSON, str(error)
