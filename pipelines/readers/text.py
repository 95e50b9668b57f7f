"""Text files, plain or compressed: a whole file is one record."""

from collections.abc import Iterator

from pipelines.readers import streams
from pipelines.readers.compression import Damage, with_compressions
from pipelines.readers.rows import source_of
from pipelines.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, Slice

SUFFIXES = with_compressions(".txt", ".md", ".markdown", ".rst")
LOCATOR = "file"


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return [Slice(path, name, "text", 0, -1, streams.text_size(path))]


def read(slice_: Slice, _options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the file's text as one record, nothing for an empty file, or why there is none."""
    content, broken = _content(slice_.path)
    head = content[:PAYLOAD_LIMIT]
    if broken:
        yield Reject(LOCATOR, *broken, head)
    elif content:
        try:
            text = content.decode().removeprefix("\ufeff")
            yield Record(LOCATOR, text, source_of(slice_.name), "{}")
        except UnicodeDecodeError as error:
            yield Reject(LOCATOR, "bad_utf8", f"byte {error.start}: {error.reason}", head)


def _content(path: str) -> tuple[bytes, tuple[str, str] | None]:
    """Return a file's bytes, and (error, message) where they are not all of it."""
    blocks: list[bytes] = []
    size = 0
    try:
        for block in streams.read_blocks(path):
            blocks.append(block)
            size += len(block)
            if size > streams.RECORD_LIMIT:
                message = f"more than {streams.RECORD_LIMIT:,} bytes; split the file"
                return b"".join(blocks), ("too_long", message)
    except Damage as damage:
        return b"".join(blocks), ("truncated", f"byte {size}: {damage}")
    return b"".join(blocks), None
