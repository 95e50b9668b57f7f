"""Readers of corpus formats. A new format is one new file and one line in `READERS`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipelines.readers.extract import extract_records
from pipelines.readers.formats import (
    arrow,
    csv,
    html,
    huggingface,
    huggingface_stream,
    jsonl,
    parquet,
    python_docs,
    text,
    warc,
)
from pipelines.readers.records import Item, ReadOptions, Reject, Slice
from pipelines.readers.streams import open_stream
from pipelines.readers.streams.compression import CODECS, is_compressed, with_compressions


class Reader(NamedTuple):
    """How one format is cut, read and fingerprinted.

    `cut(path, name, target_bytes)` plans slices; `scan(slice, options)` yields what is in one and
    may raise OSError; `digest(path)` returns size in bytes and a hash of the content.
    """

    suffixes: tuple[str, ...]
    cut: Callable[[str, str, int], list[Slice]]
    scan: Callable[[Slice, ReadOptions], Iterator[Item]]
    digest: Callable[[str], tuple[int, str]] = open_stream.digest
    structured: bool = False  # records have fields, and the text one may hold HTML

    def read(self, slice_: Slice, options: ReadOptions) -> Iterator[Item]:
        """Yield what is in a slice, in order.

        An input that cannot be opened, or fails while it is read, becomes one reject `unreadable`
        for the rest of the slice.
        """
        try:
            items = self.scan(slice_, options)
            if options.html and self.structured:
                items = extract_records(items, options.extractor)
            yield from items
        except OSError as error:
            yield Reject(f"slice {slice_.start}:{slice_.end}", "unreadable", str(error), b"")


READERS: dict[str, Reader] = {
    "jsonl": Reader(jsonl.SUFFIXES, jsonl.cut, jsonl.read, structured=True),
    "text": Reader(text.SUFFIXES, text.cut, text.read),
    "html": Reader(html.SUFFIXES, html.cut, html.read),
    "warc": Reader(warc.SUFFIXES, warc.cut, warc.read),
    "csv": Reader(csv.SUFFIXES, csv.cut, csv.read, structured=True),
    "arrow": Reader(arrow.SUFFIXES, arrow.cut, arrow.read, structured=True),
    "parquet": Reader(parquet.SUFFIXES, parquet.cut, parquet.read, structured=True),
    "datasets": Reader((), huggingface.cut, huggingface.read, huggingface.digest, structured=True),
    "datasets-stream": Reader(
        (),
        huggingface_stream.cut,
        huggingface_stream.read,
        huggingface_stream.digest,
        structured=True,
    ),
    "python-docs": Reader((), python_docs.cut, python_docs.read),
}


def reader_of(path: str) -> str | None:
    """Return the name of the reader whose suffix the path has, None where no reader has it."""
    lowered = path.lower()
    fitting = (name for name, reader in READERS.items() if lowered.endswith(reader.suffixes))
    return next(fitting, None)


def known_suffixes() -> str:
    """Return every suffix that can be read, for error messages."""
    suffixes = [suffix for reader in READERS.values() for suffix in reader.suffixes]
    bare = [suffix for suffix in suffixes if not is_compressed(suffix)]
    alone = [suffix for suffix in bare if with_compressions(suffix)[-1] not in suffixes]
    packable = [suffix for suffix in bare if suffix not in alone]
    return f"{', '.join(packable)}, each also with {', '.join(CODECS)}; {', '.join(alone)}"
