"""What readers hand on: slices of files going in, records and rejects coming out."""

from typing import NamedTuple

PAYLOAD_LIMIT = 64 * 1024  # bytes of a reject's payload that are kept


class Slice(NamedTuple):
    """A piece of one input file that can be read on its own.

    `start` and `end` count in the reader's own measure (decompressed bytes for lines, stored bytes
    where the frames of a compressed file are read apart, row groups for Parquet, rows for a
    dataset, shards for a streamed one). A reader yields the records that *begin* in [start, end);
    `end` of -1 means to the end of the file. `name` is the path relative to the folder that holds
    all inputs, so that ids do not depend on where a corpus lies; `size` estimates the bytes of
    text, for planning.
    """

    path: str
    name: str
    reader: str
    start: int
    end: int
    size: int


class Record(NamedTuple):
    """One readable input record. `metadata` is the record's other fields as JSON text."""

    locator: str
    text: str
    source: str
    metadata: str


class Reject(NamedTuple):
    """One unreadable record, or the unreadable rest of a file, on its way to quarantine.

    `error` is a short stable type (`bad_json`, `bad_utf8`, `missing_field`, `wrong_type`,
    `truncated`, …), `message` says what was found, `payload` is the raw bytes (at most 64 KiB).
    """

    locator: str
    error: str
    message: str
    payload: bytes


class Skipped(NamedTuple):
    """One stored record that is intact, but not a document, such as a crawler's note."""

    kind: str


Item = Record | Reject | Skipped


class ReadOptions(NamedTuple):
    """What readers need to know: where text and source are, and how HTML becomes text."""

    text_field: str = "text"  # of a structured record
    source_field: str = "source"
    html: bool = False  # the text of structured records is HTML: extract its main text
    extractor: str = "resiliparse"  # of the main text of HTML; see `readers.extract.EXTRACTORS`
