"""Parquet files: one record a row, cut by row groups.

Where a row group cannot be decoded, but its text column can, the columns at fault are null. Pages
that have checksums are compared with them. With `read.fields` only the columns that it needs are
read.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.readers.columns import find_needed, locate_column
from pipelines.readers.formats.memory import raise_want
from pipelines.readers.json_values import LeftOut
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import SAMPLED, Origin, read_batch, refuse_table
from pipelines.readers.streams.open_stream import file_size, open_input

SUFFIXES = (".parquet",)
BATCH_ROWS = 1000
BATCH_BYTES = 64 * 2**20  # of a batch, where rows are large
# A decoder's buffers grow by doubling.
SLACK, GROWTH = 2**20, 2
# Thrift and page errors reach Python as OSError, the rest as Arrow's own.
# A damaged length may ask for any amount of memory: see `readers.formats.memory`.
DAMAGE = (pa.ArrowException, OSError, MemoryError)


class _Group:
    """One row group of a file, and the columns of it that are read; None for all."""

    def __init__(
        self, file: pq.ParquetFile, path: str, number: int, columns: list[str] | None = None
    ) -> None:
        self.file, self.path, self.number, self.columns = file, path, number, columns
        self.stated = file.metadata.row_group(number)
        self.rows = self.stated.num_rows
        sizes = [chunk.total_uncompressed_size for chunk in self._chunks()] if columns else ()
        size = sum(sizes) if columns else self.stated.total_byte_size
        self.batch_rows = min(BATCH_ROWS, max(1, BATCH_BYTES * self.rows // max(1, size)))

    @property
    def names(self) -> list[str]:
        """The names of the columns that are read, each once."""
        return self.columns or list(dict.fromkeys(self.file.schema_arrow.names))

    @property
    def most_bytes(self) -> int:
        """The most that a decoder may rightly ask for at once, by what the footer states.

        One value of a dictionary may stand in each row of a batch.
        """
        most = SLACK
        for chunk in self._chunks():
            times = self.batch_rows if chunk.has_dictionary_page else 1
            most += GROWTH * times * chunk.total_uncompressed_size
        return most

    def read(self, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        """Yield some columns of its rows; all for None.

        Raises:
            One of DAMAGE: they cannot be decoded.
        """
        groups = [self.number]
        yield from self.file.iter_batches(self.batch_rows, row_groups=groups, columns=columns)

    def _chunks(self) -> Iterator[pq.ColumnChunkMetaData]:
        for number in range(self.stated.num_columns):
            chunk = self.stated.column(number)
            if self.columns is None or chunk.path_in_schema.partition(".")[0] in self.columns:
                yield chunk

    def is_sound(self, name: str) -> bool:
        """Say whether a column can be decoded.

        Raises:
            MemoryError: the machine has too little memory for it.
        """
        try:
            for _ in self.read([name]):
                pass
        except DAMAGE as error:
            raise_want(error, self.most_bytes, self.path)
            return False
        return True


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into runs of row groups of about `target_bytes`; the last is open.

    A file whose footer cannot be read is one slice, so that reading reports it.
    """
    try:
        sizes = _group_sizes(path)
    except DAMAGE as error:
        raise_want(error, file_size(path), path)
        sizes = []
    starts, filled = [0], [0]
    for group, size in enumerate(sizes):
        if filled[-1] and filled[-1] + size > target_bytes:
            starts.append(group)
            filled.append(0)
        filled[-1] += size
    if not sizes:
        filled = [file_size(path)]
    ends = [*starts[1:], -1]
    return [
        Slice(path, name, "parquet", start, end, size)
        for start, end, size in zip(starts, ends, filled, strict=True)
    ]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the rows of a slice's row groups; locators are `row N`, counted over the file.

    A row group whose texts cannot be decoded is one reject `bad_parquet` from its first unread row;
    a file without a readable footer, or without the text column (`missing_field`), is one.
    """
    with open_input(slice_.path) as raw:
        try:
            file = _open(raw)
            schema = file.schema_arrow
        except DAMAGE as error:
            raise_want(error, file_size(slice_.path), slice_.path)
            yield Reject("file", RejectKind.BAD_PARQUET, _first_line(error), b"")
            return
        with closing(file):
            refused = refuse_table(schema, options, None)
            if refused is None:
                yield from _read_groups(file, slice_, options)
            elif slice_.start == 0 and file.metadata.num_rows:
                yield refuse_table(schema, options, _sample(file, slice_.path)) or refused


def _sample(file: pq.ParquetFile, path: str) -> pa.RecordBatch | None:
    """Return some first rows of a file that has rows, None where they cannot be decoded."""
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    group = _Group(file, path, next(number for number, rows in enumerate(sizes) if rows))
    try:
        return next(group.read(None)).slice(0, SAMPLED)
    except DAMAGE as error:
        raise_want(error, group.most_bytes, path)
        return None


def _read_groups(
    file: pq.ParquetFile, slice_: Slice, options: ReadOptions
) -> Iterator[Record | Reject]:
    origin = Origin.of(slice_)
    end = file.num_row_groups if slice_.end < 0 else slice_.end
    rows = [file.metadata.row_group(group).num_rows for group in range(end)]
    starts = list(accumulate(rows, initial=0))
    columns = None
    if options.fields is not None:
        wanted = (options.text_field, options.source_field, *options.fields)
        columns = find_needed(file.schema_arrow, wanted)
    for number in range(slice_.start, end):
        group = _Group(file, slice_.path, number, columns)
        yield from _read_group(group, starts[number], options, origin)


def _read_group(
    group: _Group, first: int, options: ReadOptions, origin: Origin
) -> Iterator[Record | Reject]:
    """Yield the rows of a row group; where some cannot be decoded, without the columns at fault."""
    at = first
    try:
        for batch in group.read(group.columns):
            yield from read_batch(batch, at, options, origin)
            at += batch.num_rows
    except DAMAGE as error:
        raise_want(error, group.most_bytes, group.path)
        good = [name for name in group.names if group.is_sound(name)]
        bad = [name for name in group.names if name not in good]
        schema = group.file.schema_arrow
        path = locate_column(list(schema), options.text_field)
        if not path or schema.names[path[0]] not in good:
            last = first + group.rows - 1
            message = f"rows {at} to {last} of row group {group.number}: {_first_line(error)}"
            yield Reject(f"row {at}", RejectKind.BAD_PARQUET, message, b"")
            return
        reasons = [LeftOut.BAD_COLUMN] * len(bad)
        for row, batch in _skip_rows(group.read(good), at - first):
            yield from read_batch(
                _add_nulls(batch, bad), first + row, options, origin, "row", reasons
            )


def _skip_rows(
    batches: Iterator[pa.RecordBatch], skip: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield what is left of batches from a row on, each with the number of its first row."""
    row = 0
    for batch in batches:
        seen = min(max(skip - row, 0), batch.num_rows)
        yield row + seen, batch.slice(seen)
        row += batch.num_rows


def _open(raw: BinaryIO) -> pq.ParquetFile:
    return pq.ParquetFile(raw, page_checksum_verification=True)


def _add_nulls(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    for name in names:
        batch = batch.append_column(name, pa.nulls(batch.num_rows))
    return batch


def _group_sizes(path: str) -> list[int]:
    """Return the bytes of each row group before compression."""
    with open_input(path) as raw, closing(_open(raw)) as file:
        groups = range(file.num_row_groups)
        return [file.metadata.row_group(group).total_byte_size for group in groups]


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
