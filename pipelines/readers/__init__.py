"""Readers of corpus formats. A new format is one new file and one line in `READERS`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipelines.readers import huggingface, jsonl, parquet, python_docs, streams, text
from pipelines.records import ReadOptions, Record, Reject, Slice


class Reader(NamedTuple):
    """How one format is cut, read and fingerprinted.

    `cut(path, name, target_bytes)` plans slices; `scan(slice, options)` yields what is in one and
    may raise OSError; `digest(path)` returns size in bytes and a hash of the content.
    """

    suffixes: tuple[str, ...]
    cut: Callable[[str, str, int], list[Slice]]
    scan: Callable[[Slice, ReadOptions], Iterator[Record | Reject]]
    digest: Callable[[str], tuple[int, str]] = streams.digest

    def read(self, slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
        """Yield the records and rejects of a slice, in order.

        An input that cannot be opened, or fails while it is read, becomes one reject `unreadable`
        for the rest of the slice.
        """
        try:
            yield from self.scan(slice_, options)
        except OSError as error:
            yield Reject(f"slice {slice_.start}:{slice_.end}", "unreadable", str(error), b"")


READERS: dict[str, Reader] = {
    "jsonl": Reader(jsonl.SUFFIXES, jsonl.cut, jsonl.read),
    "text": Reader(text.SUFFIXES, text.cut, text.read),
    "parquet": Reader(parquet.SUFFIXES, parquet.cut, parquet.read),
    "datasets": Reader((), huggingface.cut, huggingface.read, huggingface.digest),
    "python-docs": Reader((), python_docs.cut, python_docs.read),
}


def reader_of(path: str) -> str | None:
    """Return the name of the reader whose suffix the path has, None where no reader has it."""
    lowered = path.lower()
    fitting = (name for name, reader in READERS.items() if lowered.endswith(reader.suffixes))
    return next(fitting, None)


def known_suffixes() -> str:
    """Return every suffix that can be read, for error messages."""
    return ", ".join(suffix for reader in READERS.values() for suffix in reader.suffixes)
