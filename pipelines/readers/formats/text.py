"""Text files, plain or compressed: a whole file is one record."""

from collections.abc import Iterator

from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import BadRecord
from pipelines.readers.streams.compression import with_compressions
from pipelines.readers.streams.whole_files import cut_file, read_file

SUFFIXES = with_compressions(".txt", ".md", ".markdown", ".rst")


def cut(path: str, name: str, _target_bytes: int) -> list[Slice]:
    """Return the one slice of a file."""
    return cut_file(path, name, "text")


def read(slice_: Slice, _options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the file's text as one record, nothing for an empty file, or why there is none."""
    return read_file(slice_, _decode)


def _decode(content: bytes) -> tuple[str, str]:
    try:
        return content.decode().removeprefix("\ufeff"), "{}"
    except UnicodeDecodeError as error:
        raise BadRecord(RejectKind.BAD_UTF8, f"byte {error.start}: {error.reason}") from None
