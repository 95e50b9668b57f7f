"""Files that are one slice, and files that are one record as a whole."""

from collections.abc import Callable, Iterator

from pipelines.readers.records import PAYLOAD_LIMIT, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import BadRecord, source_of
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.compression import Damage
from pipelines.readers.streams.content import Content

LOCATOR = "file"

Convert = Callable[[bytes], tuple[str, str]]


def cut_file(path: str, name: str, reader: str) -> list[Slice]:
    """Return the one slice of a file."""
    return [Slice(path, name, reader, 0, -1, open_stream.text_size(path))]


def is_whole(slice_: Slice) -> bool:
    """Say whether a slice is a whole file."""
    return slice_.start == 0 and slice_.end < 0


def refuse_format(content: Content) -> Reject:
    """Return the one reject of a file that is of another format."""
    return Reject(LOCATOR, RejectKind.WRONG_FORMAT, content.foreign, content.head[:PAYLOAD_LIMIT])


def read_file(slice_: Slice, convert: Convert) -> Iterator[Record | Reject]:
    """Yield a file as one record, nothing for an empty file, or why there is none.

    `convert` returns the text and the metadata (JSON) that a file's bytes stand for; it may raise
    BadRecord.
    """
    content = bytearray()
    try:
        _load(slice_.path, content)
        if content:
            text, metadata = convert(bytes(content))
            yield Record(LOCATOR, text, source_of(slice_.name), metadata)
    except BadRecord as error:
        yield Reject(LOCATOR, error.error, str(error), bytes(content[:PAYLOAD_LIMIT]))


def _load(path: str, content: bytearray) -> None:
    """Append a file's bytes to `content`, as far as they can be read.

    Raises:
        BadRecord: `too_long` or `truncated`.
    """
    try:
        for block in open_stream.read_blocks(path):
            content += block
            if len(content) > open_stream.RECORD_LIMIT:
                message = f"more than {open_stream.RECORD_LIMIT:,} bytes; split the file"
                raise BadRecord(RejectKind.TOO_LONG, message)
    except Damage as damage:
        raise BadRecord(RejectKind.TRUNCATED, f"byte {len(content)}: {damage}") from None
