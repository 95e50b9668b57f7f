"""What readers hand on: slices of files going in, records and rejects coming out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple

from weighting.knobs import Names, knob

PAYLOAD_LIMIT = 64 * 1024  # bytes of a reject's payload that are kept


class Slice(NamedTuple):
    """A piece of one input file that can be read on its own.

    `start` and `end` count in the reader's own measure (decompressed bytes for lines, stored bytes
    where the frames of a compressed file are read apart, row groups for Parquet, rows for a
    dataset, shards for a streamed one). A reader yields the records that *begin* in [start, end);
    `end` of -1 means to the end of the file. `name` is the path relative to the folder that holds
    all inputs, so that ids do not depend on where a corpus lies; `size` estimates the bytes of
    text, for planning. `stored` and `hash` are the whole file's size and hash when the run was
    planned (see `Reader.digest`), by which reading tells that it is the same; without a hash,
    nothing is known of it.
    """

    path: str
    name: str
    reader: str
    start: int
    end: int
    size: int
    stored: int = 0
    hash: str = ""


class Record(NamedTuple):
    """One readable input record. `metadata` is the record's other fields as JSON text.

    `left_out` has a reason (`json_values.LeftOut`) for each value that is null there because it
    could not be kept.
    """

    locator: str
    text: str
    source: str
    metadata: str
    left_out: tuple[str, ...] = ()


class RejectKind(StrEnum):
    """Why a record could not be read: what quarantine, ledger and report call it."""

    BAD_ARROW = "bad_arrow"  # a batch, or a file, that Arrow cannot decode
    BAD_CSV = "bad_csv"  # a line that breaks the rules of quoting
    BAD_HEADER = "bad_header"  # a CSV file's first row
    BAD_HTML = "bad_html"  # a page that the extractor fails on
    BAD_HTTP = "bad_http"  # a capture without a readable answer of the server
    BAD_JSON = "bad_json"
    BAD_PARQUET = "bad_parquet"  # a row group, or a file, that cannot be decoded
    BAD_SHARD = "bad_shard"  # the rest of a streamed dataset's shard
    BAD_SOURCE = "bad_source"  # a module that Python cannot parse
    BAD_UTF8 = "bad_utf8"
    BAD_WARC = "bad_warc"  # bytes that are no record, or a length that does not hold
    MISSING_FIELD = "missing_field"  # a record, or a file, without the text field
    RAGGED_ROW = "ragged_row"  # more or fewer fields than the first row
    SEGMENTED = "segmented"  # a capture that is stored in parts
    TOO_COMPLEX = "too_complex"  # a page that would take an extractor minutes
    TOO_LONG = "too_long"
    TRUNCATED = "truncated"  # the data breaks off, or its compression is damaged
    UNREADABLE = "unreadable"  # the input cannot be opened, or fails while it is read
    WRONG_FORMAT = "wrong_format"  # the first bytes of a file are of another format
    WRONG_TYPE = "wrong_type"  # a record that is no object, a field that is no string


class Reject(NamedTuple):
    """One unreadable record, or the unreadable rest of a file, on its way to quarantine.

    `error` is a RejectKind, or a short stable word of an installed reader; `message` says what was
    found, `payload` is the raw bytes (at most 64 KiB).
    """

    locator: str
    error: str
    message: str
    payload: bytes


class Skipped(NamedTuple):
    """One stored record that is intact, but not a document, such as a crawler's note."""

    kind: str


Item = Record | Reject | Skipped


class Found(NamedTuple):
    """A record, and the name of the file that it came from."""

    name: str
    record: Record


@dataclass(frozen=True)
class ReadOptions:
    """How records are read."""

    text_field: str = knob(
        "text", "The field that holds a record's text; one in an object with a dot: data.text."
    )
    source_field: str = knob(
        "source", "The field that names its source; without it the file's name does."
    )
    html: bool = knob(
        False, "The text of JSONL, CSV, Parquet and the like is HTML: take the main text of it."
    )
    extractor: Annotated[str, Names("extractor")] = knob(
        "resiliparse",
        "What finds the main text of HTML: resiliparse (fast), trafilatura (careful), raw (none).",
    )
    fields: tuple[str, ...] | None = knob(
        None, "The other fields that are kept as metadata; not given: all."
    )
    format: Annotated[str, Names("format")] | None = knob(
        None, "The reader of all files, whatever their suffix; not given: the suffix tells."
    )
