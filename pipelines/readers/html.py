"""HTML files, plain or compressed: the main text of a whole file is one record."""

from collections.abc import Iterator

from pipelines.readers import streams
from pipelines.readers.compression import Damage, with_compressions
from pipelines.readers.extract import decode_page, describe_page, extract_text
from pipelines.readers.rows import BadRecord, source_of, to_json
from pipelines.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, Slice

SUFFIXES = with_compressions(".html", ".htm", ".xhtml")
LOCATOR = "file"


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return [Slice(path, name, "html", 0, -1, streams.text_size(path))]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the file's main text as one record, nothing for an empty file, or why there is none.

    Metadata has the page's `title` and `language`, where it states them.
    """
    content = bytearray()
    try:
        _load(slice_.path, content)
        if content:
            html = decode_page(bytes(content))
            text = extract_text(html, options.extractor)
            source, metadata = source_of(slice_.name), to_json(describe_page(html))
            yield Record(LOCATOR, text, source, metadata)
    except BadRecord as error:
        yield Reject(LOCATOR, error.error, str(error), bytes(content[:PAYLOAD_LIMIT]))


def _load(path: str, content: bytearray) -> None:
    """Append a file's bytes to `content`, as far as they can be read."""
    try:
        for block in streams.read_blocks(path):
            content += block
            if len(content) > streams.RECORD_LIMIT:
                message = f"more than {streams.RECORD_LIMIT:,} bytes"
                raise BadRecord("too_long", message)
    except Damage as damage:
        raise BadRecord("truncated", f"byte {len(content)}: {damage}") from None
