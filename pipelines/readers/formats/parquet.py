"""Parquet files: one record a row, cut by row groups.

Where a row group cannot be decoded, but its text column can, the columns at fault are null.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.readers.columns import locate_column
from pipelines.readers.json_values import LeftOut
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.rows import SAMPLED, Origin, read_batch, refuse_table
from pipelines.readers.streams.open_stream import file_size, open_input

SUFFIXES = (".parquet",)
BATCH_ROWS = 1000
# Thrift and page errors reach Python as OSError, the rest as Arrow's own.
# A damaged length may ask for any amount of memory.
DAMAGE = (pa.ArrowException, OSError, MemoryError)


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a file into runs of row groups of about `target_bytes`; the last is open.

    A file whose footer cannot be read is one slice, so that reading reports it.
    """
    try:
        sizes = _group_sizes(path)
    except DAMAGE:
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
            file = pq.ParquetFile(raw)
            schema = file.schema_arrow
        except DAMAGE as error:
            yield Reject("file", RejectKind.BAD_PARQUET, _first_line(error), b"")
            return
        with closing(file):
            refused = refuse_table(schema, options, None)
            if refused is None:
                yield from _read_groups(file, slice_, options)
            elif slice_.start == 0 and file.metadata.num_rows:
                yield refuse_table(schema, options, _sample(file)) or refused


def _sample(file: pq.ParquetFile) -> pa.RecordBatch | None:
    """Return some first rows, None where they cannot be decoded."""
    with suppress(*DAMAGE):
        return next(file.iter_batches(SAMPLED), None)
    return None


def _read_groups(
    file: pq.ParquetFile, slice_: Slice, options: ReadOptions
) -> Iterator[Record | Reject]:
    origin = Origin.of(slice_)
    end = file.num_row_groups if slice_.end < 0 else slice_.end
    rows = [file.metadata.row_group(group).num_rows for group in range(end)]
    starts = list(accumulate(rows, initial=0))
    for group in range(slice_.start, end):
        first, last = starts[group], starts[group + 1] - 1
        yield from _read_group(file, group, first, last, options, origin)


def _read_group(
    file: pq.ParquetFile, group: int, first: int, last: int, options: ReadOptions, origin: Origin
) -> Iterator[Record | Reject]:
    """Yield the rows of a row group; where some cannot be decoded, without the columns at fault."""
    at = first
    try:
        for batch in file.iter_batches(BATCH_ROWS, row_groups=[group]):
            yield from read_batch(batch, at, options, origin)
            at += batch.num_rows
    except DAMAGE as error:
        good, bad = _test_columns(file, group)
        path = locate_column(list(file.schema_arrow), options.text_field)
        if not path or file.schema_arrow.names[path[0]] not in good:
            message = f"rows {at} to {last} of row group {group}: {_first_line(error)}"
            yield Reject(f"row {at}", RejectKind.BAD_PARQUET, message, b"")
            return
        reasons = [LeftOut.BAD_COLUMN] * len(bad)
        for row, batch in _read_columns(file, group, good, at - first):
            yield from read_batch(
                _add_nulls(batch, bad), first + row, options, origin, "row", reasons
            )


def _read_columns(
    file: pq.ParquetFile, group: int, names: list[str], skip: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield batches of some columns, each with the number of its first row, from a row on."""
    row = 0
    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
        seen = min(max(skip - row, 0), batch.num_rows)
        yield row + seen, batch.slice(seen)
        row += batch.num_rows


def _test_columns(file: pq.ParquetFile, group: int) -> tuple[list[str], list[str]]:
    """Return the columns of a row group that can be decoded, and those that cannot."""
    names = list(dict.fromkeys(file.schema_arrow.names))
    good = [name for name in names if _is_sound(file, group, name)]
    return good, [name for name in names if name not in good]


def _is_sound(file: pq.ParquetFile, group: int, name: str) -> bool:
    try:
        for _ in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=[name]):
            pass
    except DAMAGE:
        return False
    return True


def _add_nulls(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    for name in names:
        batch = batch.append_column(name, pa.nulls(batch.num_rows))
    return batch


def _group_sizes(path: str) -> list[int]:
    """Return the bytes of each row group before compression."""
    with open_input(path) as raw, closing(pq.ParquetFile(raw)) as file:
        groups = range(file.num_row_groups)
        return [file.metadata.row_group(group).total_byte_size for group in groups]


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
