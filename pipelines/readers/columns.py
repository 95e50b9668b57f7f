"""Arrow columns as Python values: at once where Python holds all of them, else column by column.

What Python cannot hold costs its cell, never its row: it becomes null, with the reason. A time zone
that Python does not know is no such value: the instant is kept, in UTC. Fields of a struct that
share a name are told apart by their number, as columns are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from pipelines.readers.json_values import LeftOut

Reasons = dict[int, list[str]]  # by row


class Column(NamedTuple):
    """The values of a column, and why cells of it are null, by row."""

    values: list[Any]
    left_out: Reasons


class Rows(NamedTuple):
    """Rows as dicts, and why cells are null, by row.

    `doubtful` says that values may not fit JSON: some were left out, or are NaN or infinite.
    """

    values: list[dict[str, Any]]
    left_out: Reasons
    doubtful: bool


Undecoded = str | UnicodeDecodeError | None


def to_rows(batch: pa.RecordBatch) -> Rows:
    """Return the rows of a batch whose columns have names of their own."""
    doubtful = any(_holds_nan(column) for column in batch.columns)
    try:
        return Rows(batch.to_pylist(), {}, doubtful)
    except Exception:  # whatever a type raises: cells that can be read are found one by one
        columns = [_convert(column) for column in batch.columns]
    values = [column.values for column in columns]
    names = batch.schema.names
    rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    return Rows(rows, _merge([column.left_out for column in columns]), doubtful=True)


def name_fields(fields: Iterable[pa.Field]) -> list[str]:
    """Return the names of fields as `name_columns` does, bytes that are not UTF-8 as U+FFFD."""
    return name_columns([_name(field) for field in fields])


def name_columns(names: Sequence[str]) -> list[str]:
    """Return the columns' names; one that is there already gets its column's number."""
    first = {name: number for number, name in reversed(list(enumerate(names, start=1)))}
    return [
        name if first[name] == number else f"{name}.{number}"
        for number, name in enumerate(names, start=1)
    ]


def locate_column(fields: Sequence[pa.Field], name: str) -> list[int]:
    """Return the numbers that lead to a column, through structs for a name with dots.

    A column of that very name comes first, at each level. Empty if no column fits.
    """
    names = name_fields(fields)
    if name in names:
        return [names.index(name)]
    for at, character in enumerate(name):
        if character == "." and name[:at] in names:
            number = names.index(name[:at])
            type_ = storage_type(fields[number].type)
            inner = list(type_.fields) if kinds.is_struct(type_) else []
            if rest := locate_column(inner, name[at + 1 :]):
                return [number, *rest]
    return []


def find_needed(schema: pa.Schema, wanted: Sequence[str]) -> list[str] | None:
    """Return the columns that fields of these names lie in; None for all of a table.

    All where a name could mean several columns, or none is there.
    """
    names = name_fields(schema)
    if names != schema.names or any("." in name for name in names):
        return None
    heads = {name.partition(".")[0] for name in wanted}
    return [name for name in names if name in heads] or None


def storage_type(type_: pa.DataType) -> pa.DataType:
    """Return the type of a column's values, whatever they are wrapped or packed in."""
    while True:
        if isinstance(type_, pa.BaseExtensionType):
            type_ = type_.storage_type
        elif kinds.is_dictionary(type_) or kinds.is_run_end_encoded(type_):
            type_ = type_.value_type
        else:
            return type_


def type_at(fields: Sequence[pa.Field], path: Sequence[int]) -> pa.DataType:
    """Return the type of a column that `locate_column` found."""
    type_ = fields[path[0]].type
    for number in path[1:]:
        type_ = storage_type(type_).field(number).type
    return storage_type(type_)


def is_textual(type_: pa.DataType) -> bool:
    """Say whether values of a type are strings, or bytes that may be UTF-8."""
    return _is_string(type_) or _is_bytes(type_)


def read_texts(batch: pa.RecordBatch, path: Sequence[int]) -> list[Undecoded]:
    """Return the texts of a column that is textual; an error for each that is not UTF-8."""
    array = unwrap(batch.column(path[0]))
    for number in path[1:]:
        array = unwrap(array.flatten()[number])
    if _is_string(array.type):
        try:
            return list(array.to_pylist())
        except UnicodeDecodeError:
            array = array.cast(pa.large_binary())
    padding = b"\0" if kinds.is_fixed_size_binary(array.type) else b""
    return [_decode(value, padding) for value in array.to_pylist()]


def unwrap(array: pa.Array) -> pa.Array:
    """Return an array of plain values: what an extension stores, a dictionary or runs stand for."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif kinds.is_dictionary(array.type):
            array = array.dictionary_decode()
        elif kinds.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        else:
            return array


def _name(field: pa.Field) -> str:
    try:
        return str(field.name)
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "replace")


def _decode(value: bytes | None, padding: bytes) -> Undecoded:
    if value is None:
        return None
    try:
        return (value.rstrip(padding) if padding else value).decode()
    except UnicodeDecodeError as error:
        return error


def _convert(array: pa.Array) -> Column:
    """Return a column's values, struct by struct and cell by cell where that has to be."""
    try:
        return Column(array.to_pylist(), {})
    except Exception:  # whatever the type raises; see `_convert_cell`
        array = _in_known_zone(unwrap(array))
    if kinds.is_struct(array.type):
        return _convert_struct(array)
    cells = [_convert_cell(array[number]) for number in range(len(array))]
    left_out = {number: reasons for number, (_, reasons) in enumerate(cells) if reasons}
    return Column([value for value, _ in cells], left_out)


def _convert_struct(array: pa.StructArray) -> Column:
    names = name_fields(array.type.fields)
    columns = [_convert(part) for part in array.flatten()]
    values = [
        dict(zip(names, (column.values[number] for column in columns), strict=True))
        if valid
        else None
        for number, valid in enumerate(array.is_valid().to_pylist())
    ]
    return Column(values, _merge([column.left_out for column in columns]))


def _convert_cell(cell: pa.Scalar) -> tuple[Any, list[str]]:
    """Return a cell's value; of a list, with null for the items that Python cannot hold."""
    try:
        return cell.as_py(), []
    except Exception as error:  # whatever the type raises: the cell is what cannot be kept
        items = getattr(cell, "values", None)
        if isinstance(items, pa.Array):
            column = _convert(items)
            return column.values, [reason for found in column.left_out.values() for reason in found]
        return None, [_explain(cell.type, error)]


def _explain(type_: pa.DataType, error: Exception) -> LeftOut:
    if isinstance(error, UnicodeDecodeError):
        return LeftOut.BAD_UTF8
    is_date = kinds.is_date(type_) or kinds.is_timestamp(type_)
    return LeftOut.BAD_DATE if is_date else LeftOut.BAD_VALUE


def _in_known_zone(array: pa.Array) -> pa.Array:
    """Return timestamps in UTC, which is how they are stored; other arrays as they are."""
    if kinds.is_timestamp(array.type) and array.type.tz:
        return array.cast(pa.timestamp(array.type.unit, "UTC"))
    return array


def _holds_nan(array: pa.Array) -> bool:
    """Say whether some number in a column may be NaN or infinite."""
    type_ = array.type
    if kinds.is_floating(type_):
        return not pc.all(pc.is_finite(array), min_count=0).as_py()
    if not _may_hold_floats(type_):
        return False
    if isinstance(type_, pa.BaseExtensionType):
        return _holds_nan(array.storage)
    if kinds.is_struct(type_) or _is_list(type_):
        parts = array.flatten()
        return any(map(_holds_nan, parts if kinds.is_struct(type_) else [parts]))
    return True  # maps, unions, dictionaries and runs are rare: each value is looked at


def _may_hold_floats(type_: pa.DataType) -> bool:
    if isinstance(type_, pa.BaseExtensionType):
        return _may_hold_floats(type_.storage_type)
    if kinds.is_dictionary(type_) or kinds.is_run_end_encoded(type_):
        return _may_hold_floats(type_.value_type)
    inner = [type_.field(number).type for number in range(type_.num_fields)]
    return kinds.is_floating(type_) or any(map(_may_hold_floats, inner))


def _merge(parts: Sequence[Reasons]) -> Reasons:
    merged: Reasons = defaultdict(list)
    for part in parts:
        for number, reasons in part.items():
            merged[number] += reasons
    return dict(merged)


def _is_string(type_: pa.DataType) -> bool:
    return type_ in (pa.string(), pa.large_string(), pa.string_view())


def _is_bytes(type_: pa.DataType) -> bool:
    plain = type_ in (pa.binary(), pa.large_binary(), pa.binary_view())
    return plain or bool(kinds.is_fixed_size_binary(type_))


def _is_list(type_: pa.DataType) -> bool:
    lists = (kinds.is_list, kinds.is_large_list, kinds.is_fixed_size_list)
    views = (kinds.is_list_view, kinds.is_large_list_view)
    return any(is_kind(type_) for is_kind in (*lists, *views))
