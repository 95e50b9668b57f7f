"""Files that may be token shards: those of a folder, and the record batches of one.

A file's format is told by how it begins, whatever its suffix: an Arrow IPC file (Feather of version
2 is one), an Arrow IPC stream, or Parquet. Uncompressed Arrow is memory-mapped; the rest is decoded
into memory, batch by batch.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from weighting.contracts.splits import SPLITS
from weighting.errors import AssayError, BrokenContract

SUFFIXES = (".arrow", ".arrows", ".feather", ".ipc", ".parquet")
SPLIT_NAME = re.compile(rf"({'|'.join(SPLITS)})(?![A-Za-z])")
PARQUET_ROWS = 8192  # documents that are decoded at once
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class Opened(NamedTuple):
    """An open file: its columns, what it says of itself, and its rows, read as they are asked for.

    Raises:
        BrokenContract: while `batches` are read: the file is not whole.
    """

    schema: pa.Schema
    metadata: Mapping[bytes, bytes]
    batches: Iterator[pa.RecordBatch]


def list_shards(folder: Path) -> list[Path]:
    """Return the files of a folder, and of train/ and validation/ in it, in order of path.

    Raises:
        AssayError: it is no folder, or holds files of several suffixes: twice the same, perhaps.
    """
    if folder.is_file():
        raise AssayError(f"{folder}: a file; name the folder that it lies in")
    places = [folder, *(folder / split for split in SPLITS)]
    found = sorted(path for place in places for path in place.glob("*") if _may_be_shard(path))
    suffixes = sorted({path.suffix for path in found})
    if len(suffixes) > 1:
        raise AssayError(
            f"{folder}: holds {' and '.join(suffixes)} files, and which count is not clear; keep "
            "those of one suffix"
        )
    return found


def tell_split(path: Path) -> str | None:
    """Return the split that a file's name begins with, else that its folder is named after.

    >>> tell_split(Path("train-00000.parquet")), tell_split(Path("validation/data-0.arrow"))
    ('train', 'validation')
    >>> tell_split(Path("training.parquet"))
    """
    if told := SPLIT_NAME.match(path.name):
        return told[1]
    return path.parent.name if path.parent.name in SPLITS else None


def open_batches(path: Path, columns: Sequence[str]) -> Opened:
    """Open a file; of Parquet only the named columns are read.

    Raises:
        BrokenContract: there is no such file, it is of no known format, or not whole.
    """
    try:
        name, reader = _tell_format(path)
        opened = reader(path, columns)
    except FileNotFoundError:
        raise BrokenContract(f"{path}: no such shard") from None
    except (pa.ArrowException, OSError) as error:
        raise _word(path, name, error) from None
    return opened._replace(batches=_explain(path, name, opened.batches))


def _may_be_shard(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith((".", "_")) and path.is_file()


def _tell_format(path: Path) -> tuple[str, Callable[[Path, Sequence[str]], Opened]]:
    with path.open("rb") as file:
        head = file.read(8)
    for magic, format_ in FORMATS.items():
        if head.startswith(magic):
            return format_
    if head.startswith(b"FEA1"):
        raise BrokenContract(f"{path}: Feather of version 1; write version 2, an Arrow IPC file")
    begins = f"it begins with {str(head)[1:]}" if head else "it is empty"
    raise BrokenContract(f"{path}: neither an Arrow IPC nor a Parquet file ({begins})")


def _open_file(path: Path, columns: Sequence[str]) -> Opened:  # noqa: ARG001 - as the others
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    return Opened(reader.schema, reader.schema.metadata or {}, batches)


def _open_stream(path: Path, columns: Sequence[str]) -> Opened:  # noqa: ARG001 - as the others
    with path.open("rb") as file:
        file.seek(-len(END_OF_STREAM), 2)
        if file.read() != END_OF_STREAM:
            raise pa.ArrowInvalid("the stream has no end mark")
    reader = pa.ipc.open_stream(pa.memory_map(str(path)))
    return Opened(reader.schema, reader.schema.metadata or {}, iter(reader))


def _open_parquet(path: Path, columns: Sequence[str]) -> Opened:
    file = pq.ParquetFile(path, memory_map=True)
    schema = file.schema_arrow
    wanted = [name for name in columns if name in schema.names]
    metadata = {**(file.metadata.metadata or {}), **(schema.metadata or {})}
    return Opened(schema, metadata, file.iter_batches(batch_size=PARQUET_ROWS, columns=wanted))


FORMATS = {  # by how a file begins
    b"ARROW1": ("Arrow IPC file", _open_file),
    b"\xff\xff\xff\xff": ("Arrow IPC stream", _open_stream),
    b"PAR1": ("Parquet file", _open_parquet),
}


def _explain(path: Path, name: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise _word(path, name, error) from None


def _word(path: Path, name: str, error: Exception) -> BrokenContract:
    return BrokenContract(f"{path}: not a whole {name} ({' '.join(str(error).split())})")
