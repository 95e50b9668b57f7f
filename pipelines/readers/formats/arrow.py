"""Arrow IPC: files (Feather version 2 among them), cut by record batches, and streams.

Which of the two an input is, is told by its first bytes. Strings of any width, views and
dictionaries are read alike. Locators are `batch B row N`.

A batch that cannot be decoded is one reject `bad_arrow`; the others are kept. Where the frame of a
stream's messages is broken, so is all that follows. A file whose footer is damaged is read as the
stream that it contains.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, pairwise
from sys import maxsize
from typing import BinaryIO

import pyarrow as pa

from pipelines.readers.columns import name_fields
from pipelines.readers.formats.memory import raise_want
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import SAMPLED, Origin, read_batch, refuse_table
from pipelines.readers.streams.open_stream import file_size, open_input

SUFFIXES = (".arrow", ".arrows", ".feather", ".ipc")
FILE_MAGIC = b"ARROW1"
STREAM_START = 8  # in a file: its stream follows the magic and two bytes of padding
MESSAGE_START = b"\xff\xff\xff\xff"
BATCH_ROWS = 1000
HIGHEST_RATIO = 2**15  # of Zstandard, which a batch may be packed with; of LZ4 it is 255
# A damaged length may ask for any amount of memory: see `readers.formats.memory`.
# Python cannot decode an error that quotes a damaged name.
DAMAGE = (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError)


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into runs of record batches of about `target_bytes`; the last is open.

    A stream, or a file whose footer cannot be read, is one slice.
    """
    size, batches = file_size(path), 0
    try:
        with open_input(path) as raw:
            if _is_file(raw):
                file = _open_file(raw)
                batches = file.num_record_batches
    except DAMAGE as error:
        _raise_want(error, path)
    count = max(1, min(batches, round(size / target_bytes)))
    bounds = [batches * index // count for index in range(count)] + [-1]
    return [
        Slice(path, name, "arrow", start, end, size // count) for start, end in pairwise(bounds)
    ]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the rows of a slice's record batches, `missing_field` once without a text column."""
    with open_input(slice_.path) as raw:
        try:
            schema, batches = _open(raw, slice_.start, slice_.end)
        except DAMAGE as error:
            _raise_want(error, slice_.path)
            yield Reject("file", RejectKind.BAD_ARROW, _first_line(error), b"")
            return
        origin = Origin.of(slice_)
        first = next((item for item in batches if _has_rows(item[1])), None)
        if first is None:
            return
        sample = first[1] if isinstance(first[1], pa.RecordBatch) else None
        if refused := refuse_table(schema, options, None):
            if slice_.start == 0:
                yield refuse_table(schema, options, _check_sample(sample)) or refused
            return
        for number, batch in chain((first,), batches):
            if isinstance(batch, Exception):
                _raise_want(batch, slice_.path)
            yield from _read_batch(number, batch, options, origin)


def _check_sample(batch: pa.RecordBatch | None) -> pa.RecordBatch | None:
    """Return some first rows of a batch, None where it is damaged."""
    if batch is None:
        return None
    with suppress(*DAMAGE):
        _check(batch)
        return batch.slice(0, SAMPLED)
    return None


def _has_rows(batch: pa.RecordBatch | Exception) -> bool:
    return isinstance(batch, Exception) or batch.num_rows > 0


def _test(batch: pa.RecordBatch, place: str) -> pa.RecordBatch | Exception:
    """Return a batch, or what is wrong with it."""
    try:
        _check(batch)
    except DAMAGE as error:
        raise_want(error, maxsize, place)  # what is read already asks for no more than it is
        return error
    return batch


def _raise_want(error: Exception, path: str) -> None:
    """Raise an error that is the machine's want of memory."""
    raise_want(error, file_size(path) * HIGHEST_RATIO, path)


def _read_batch(
    number: int, batch: pa.RecordBatch | Exception, options: ReadOptions, origin: Origin
) -> Iterator[Record | Reject]:
    place = f"batch {number}"
    if not isinstance(batch, Exception):
        batch = _test(batch, place)
    if isinstance(batch, Exception):
        yield Reject(place, RejectKind.BAD_ARROW, _first_line(batch), b"")
        return
    for first in range(0, batch.num_rows, BATCH_ROWS):
        yield from read_batch(
            batch.slice(first, BATCH_ROWS), first, options, origin, f"{place} row"
        )


def _open(
    raw: BinaryIO, start: int, end: int
) -> tuple[pa.Schema, Iterator[tuple[int, pa.RecordBatch | Exception]]]:
    """Return the schema and the numbered batches of a file or stream, damaged ones as errors."""
    if not _is_file(raw):
        reader = pa.ipc.open_stream(raw)
        return reader.schema, enumerate(_stream(raw, reader))
    try:
        file = _open_file(raw)
    except DAMAGE as error:
        raw.seek(STREAM_START)
        reader = pa.ipc.open_stream(raw)
        return reader.schema, enumerate(_stream(raw, reader, error))
    return file.schema, _batches(file, start, end if end >= 0 else file.num_record_batches)


def _batches(
    file: pa.RecordBatchFileReader, start: int, end: int
) -> Iterator[tuple[int, pa.RecordBatch | Exception]]:
    for number in range(start, end):
        try:
            yield number, file.get_batch(number)
        except DAMAGE as error:
            yield number, error


def _stream(
    raw: BinaryIO, reader: pa.RecordBatchStreamReader, footer: Exception | None = None
) -> Iterator[pa.RecordBatch | Exception]:
    """Yield a stream's batches as long as its messages can be told apart, then a footer's error."""
    while True:
        try:
            yield reader.read_next_batch()
        except StopIteration:
            break
        except DAMAGE as error:
            yield error
            if not _at_message(raw):
                break
    if footer:
        yield footer


def _is_file(raw: BinaryIO) -> bool:
    head = raw.read(len(FILE_MAGIC))
    raw.seek(0)
    return head == FILE_MAGIC


def _open_file(raw: BinaryIO) -> pa.RecordBatchFileReader:
    return pa.ipc.open_file(raw)


def _at_message(raw: BinaryIO) -> bool:
    place = raw.tell()
    head = raw.read(len(MESSAGE_START))
    raw.seek(place)
    return head == MESSAGE_START


def _check(batch: pa.RecordBatch) -> None:
    """Refuse a batch whose offsets or indices lead outside of its buffers.

    A column of strings may hold what is not UTF-8: that costs single rows.

    Raises:
        ArrowInvalid: the batch is damaged.
    """
    batch.validate()
    names = name_fields(batch.schema)
    for name, column in zip(names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            if not (_is_text(column.type) and "UTF8" in str(error)):
                raise pa.ArrowInvalid(f"column {name!r}: {error}") from None


def _is_text(type_: pa.DataType) -> bool:
    return type_ in (pa.string(), pa.large_string(), pa.string_view())


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
