"""The readers, by name: those of assay, then those of installed packages.

A new format is a module of `formats/` and a record here; or a package of its own, with an entry
point of the group `assay.readers`.
"""

from collections.abc import Mapping

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
from pipelines.readers.reader import Reader
from pipelines.readers.streams.compression import CODECS, is_compressed, with_compressions
from pipelines.readers.streams.urls import file_path
from weighting.extensions import extend

OWN: Mapping[str, Reader] = {
    "jsonl": Reader(
        meaning="a line of JSON Lines, or an item of a JSON array",
        locator="byte N, or `item N` of an array",
        suffixes=jsonl.SUFFIXES,
        cut=jsonl.cut,
        scan=jsonl.read,
        structured=True,
    ),
    "text": Reader(
        meaning="a text file",
        locator="file",
        suffixes=text.SUFFIXES,
        cut=text.cut,
        scan=text.read,
    ),
    "html": Reader(
        meaning="the main text of an HTML file",
        locator="file",
        suffixes=html.SUFFIXES,
        cut=html.cut,
        scan=html.read,
    ),
    "warc": Reader(
        meaning="a captured page of a WARC, WET or ARC file",
        locator="byte N",
        suffixes=warc.SUFFIXES,
        cut=warc.cut,
        scan=warc.read,
    ),
    "csv": Reader(
        meaning="a row of a CSV or TSV file",
        locator="byte N",
        suffixes=csv.SUFFIXES,
        cut=csv.cut,
        scan=csv.read,
        structured=True,
    ),
    "arrow": Reader(
        meaning="a row of an Arrow file or stream",
        locator="batch B row N",
        suffixes=arrow.SUFFIXES,
        cut=arrow.cut,
        scan=arrow.read,
        structured=True,
    ),
    "parquet": Reader(
        meaning="a row of a Parquet file",
        locator="row N",
        suffixes=parquet.SUFFIXES,
        cut=parquet.cut,
        scan=parquet.read,
        structured=True,
    ),
    "huggingface": Reader(
        meaning="a row of a Hugging Face dataset",
        locator="row N",
        scheme=huggingface.SCHEME,
        usage="hf:NAME",
        cut=huggingface.cut,
        scan=huggingface.read,
        digest=huggingface.digest,
        locate=huggingface.locate,
        owns=huggingface.is_saved,
        structured=True,
    ),
    "huggingface-stream": Reader(
        meaning="a row of a Hugging Face dataset, read in passing",
        locator="shard S row N",
        scheme=huggingface.STREAM_SCHEME,
        usage="hf-stream:NAME",
        cut=huggingface_stream.cut,
        scan=huggingface_stream.read,
        digest=huggingface_stream.digest,
        locate=huggingface.locate,
        structured=True,
    ),
    "python-docs": Reader(
        meaning="the documentation of a module, topic or package of this Python environment",
        locator="a module's name, `topic NAME` or `README`",
        scheme=python_docs.SCHEME,
        usage="python-docs",
        cut=python_docs.cut,
        scan=python_docs.read,
    ),
}
READERS: dict[str, Reader] = extend("readers", OWN, Reader)


def find_by_suffix(path: str) -> str | None:
    """Return the name of the reader whose suffix the path has, None where no reader has it."""
    lowered = file_path(path).lower()
    fitting = (name for name, reader in READERS.items() if lowered.endswith(reader.suffixes))
    return next(fitting, None)


def find_by_scheme(spec: str) -> str | None:
    """Return the name of the reader whose scheme an input is named by, None where it is a path."""
    return next((name for name, reader in READERS.items() if reader.is_named(spec)), None)


def find_by_folder(folder: str) -> str | None:
    """Return the name of the reader to which a folder is one input, None where it holds files."""
    owners = (name for name, reader in READERS.items() if reader.owns and reader.owns(folder))
    return next(owners, None)


def list_file_readers() -> list[str]:
    """Return the names of the readers that take files, which `read.format` may name."""
    return [name for name, reader in READERS.items() if reader.suffixes]


def known_suffixes() -> str:
    """Return every suffix that can be read, for error messages."""
    suffixes = [suffix for reader in READERS.values() for suffix in reader.suffixes]
    bare = [suffix for suffix in suffixes if not is_compressed(suffix)]
    alone = [suffix for suffix in bare if with_compressions(suffix)[-1] not in suffixes]
    packable = [suffix for suffix in bare if suffix not in alone]
    return f"{', '.join(packable)}, each also with {', '.join(CODECS)}; {', '.join(alone)}"
