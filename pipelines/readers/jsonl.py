"""JSON Lines, plain or compressed: one record a line.

Plain files are cut at byte ranges. A compressed file is cut at ranges of *decompressed* bytes, and
a slice decompresses from the file's start up to its range: cheap beside cleaning, and bounded by a
limit on the number of slices. Blank lines are no records. JSON that is not interchangeable is
refused as `bad_json`: NaN and Infinity, lone surrogates such as "\\ud800", raw control characters.
"""

from collections.abc import Iterator
from itertools import pairwise

import orjson

from pipelines.readers import streams
from pipelines.readers.lines import read_lines
from pipelines.readers.rows import BadRecord, source_of, to_record
from pipelines.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, Slice

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
# Sixteen slices decompress a file eight and a half times between them.
COMPRESSED_SLICES = 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into slices of about `target_bytes` of decompressed bytes; the last is open."""
    size = streams.text_size(path)
    count = max(1, round(size / target_bytes))
    if streams.is_compressed(path):
        count = min(count, COMPRESSED_SLICES)
    step = -(-size // count)
    bounds = [*range(0, step * count, step), -1] if size else [0, -1]
    return [Slice(path, name, "jsonl", start, end, step) for start, end in pairwise(bounds)]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the records and rejects of the lines that begin in a slice.

    Locators are `byte N`, the line's first byte once decompressed.
    """
    source = source_of(slice_.name)
    for line in read_lines(slice_.path, slice_.start, slice_.end):
        if isinstance(line, Reject):
            yield line
        elif line[1] and not line[1].isspace():
            yield parse_line(*line, options, source)


def parse_line(offset: int, line: bytes, options: ReadOptions, source: str) -> Record | Reject:
    """Return the record on a line, or why there is none."""
    locator = f"byte {offset}"
    try:
        row = orjson.loads(line if offset else line.removeprefix(BYTE_ORDER_MARK))
        return to_record(row, locator, options, source)
    except orjson.JSONDecodeError as error:
        return Reject(locator, *_explain(line, error), line[:PAYLOAD_LIMIT])
    except BadRecord as error:
        return Reject(locator, error.error, str(error), line[:PAYLOAD_LIMIT])


def _explain(line: bytes, error: orjson.JSONDecodeError) -> tuple[str, str]:
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return "bad_utf8", f"byte {bad.start} of the line: {bad.reason}"
    return "bad_json", str(error)
