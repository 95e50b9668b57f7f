"""Text files, plain or compressed: a whole file is one record.

The encoding is UTF-8, or UTF-16 or UTF-32 where the first bytes say so.
"""

from collections.abc import Iterator
from functools import partial

from pipelines.readers.fields import keep
from pipelines.readers.json_values import to_json
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import BadRecord, Origin
from pipelines.readers.streams.compression import with_compressions
from pipelines.readers.streams.content import describe_content, find_encoding
from pipelines.readers.streams.whole_files import cut_file, read_file

SUFFIXES = with_compressions(".txt", ".md", ".markdown", ".rst")


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return cut_file(path, name, "text")


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the file's text as one record, nothing for an empty file, or why there is none.

    Metadata has the fields of the file's folders, where these name some.
    """
    fields = Origin.of(slice_).fields
    metadata = to_json(keep({**fields}, options.fields))
    return read_file(slice_, partial(_decode, slice_.path, metadata))


def _decode(path: str, metadata: str, content: bytes) -> tuple[str, str]:
    encoding = find_encoding(content[:4])
    try:
        return content.decode(encoding).removeprefix("\ufeff"), metadata
    except UnicodeDecodeError as error:
        if foreign := describe_content(path, b"", content).foreign:
            raise BadRecord(RejectKind.WRONG_FORMAT, foreign) from None
        raise BadRecord(RejectKind.BAD_UTF8, f"byte {error.start}: {error.reason}") from None
