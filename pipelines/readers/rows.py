"""From a structured record, wherever it came from, to text, source and metadata."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson
import pyarrow as pa

from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind
from pipelines.readers.streams.compression import without_compression

NAMES_SHOWN = 12
NO_PYTHON_VALUE = (ValueError, OverflowError)  # UnicodeDecodeError is the first


class BadRecord(ValueError):
    """A record that was read but cannot be used; `error` is the type that quarantine shows."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def to_record(row: object, locator: str, options: ReadOptions, source: str) -> Record:
    """Return the record of a decoded row; `source` is used if the row names none.

    Null counts as absent. The row's other fields become JSON with sorted keys. `row` is used up.

    Raises:
        BadRecord: `wrong_type`, `missing_field`, or `bad_json` for fields that JSON cannot hold.
    """
    if not isinstance(row, dict):
        raise BadRecord(RejectKind.WRONG_TYPE, f"the record is {_kind(row)}, must be an object")
    names = list(row)
    text = row.pop(options.text_field, None)
    named = row.pop(options.source_field, None)
    if text is None:
        raise BadRecord(
            RejectKind.MISSING_FIELD, f"no field {options.text_field!r}; there is {_listed(names)}"
        )
    text = _string(text, options.text_field)
    source = source if named is None else _string(named, options.source_field)
    try:
        return Record(locator, text, source, to_json(row))
    except orjson.JSONEncodeError as error:
        raise BadRecord(
            RejectKind.BAD_JSON, f"its other fields do not fit JSON ({error})"
        ) from None


def to_json(value: object) -> str:
    """Return JSON text, keys sorted; bytes as base64, other unknown types as their str()."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()


def read_batch(
    batch: pa.RecordBatch | pa.Table,
    first: int,
    options: ReadOptions,
    source: str,
    place: str = "row",
) -> Iterator[Record | Reject]:
    """Yield a record or reject for each row of a batch, located as `row N` from `first` on."""
    batch = batch.rename_columns(name_columns(batch.schema.names))
    for number, row in enumerate(_decode(batch), start=first):
        locator = f"{place} {number}"
        if isinstance(row, UnicodeDecodeError):
            yield Reject(locator, RejectKind.BAD_UTF8, str(row), row.object[:PAYLOAD_LIMIT])
            continue
        if isinstance(row, Exception):
            yield Reject(locator, RejectKind.BAD_VALUE, str(row), b"")
            continue
        try:
            yield to_record(dict(row), locator, options, source)
        except BadRecord as error:
            yield Reject(locator, error.error, str(error), _payload(row))


def name_columns(names: Sequence[str]) -> list[str]:
    """Return the columns' names; one that is there already gets its column's number."""
    first = {name: number for number, name in reversed(list(enumerate(names, start=1)))}
    return [
        name if first[name] == number else f"{name}.{number}"
        for number, name in enumerate(names, start=1)
    ]


def missing_column(names: list[str], options: ReadOptions) -> Reject:
    """Return the one reject of a table that has no text column at all."""
    message = f"no column {options.text_field!r}; there is {_listed(names)}"
    return Reject("file", RejectKind.MISSING_FIELD, message, b"")


def source_of(name: str) -> str:
    """Return the source of records that name none: the file's name without its last suffixes."""
    return PurePosixPath(without_compression(name)).stem


def _decode(batch: pa.RecordBatch | pa.Table) -> Iterator[dict[str, Any] | Exception]:
    """Turn rows into dicts at once, and one by one where Python cannot hold some value.

    Parquet promises neither UTF-8 in its strings nor dates before the year 10000.
    """
    try:
        yield from batch.to_pylist()
    except NO_PYTHON_VALUE:
        for index in range(batch.num_rows):
            try:
                yield batch.slice(index, 1).to_pylist()[0]
            except NO_PYTHON_VALUE as error:
                yield error


def _string(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise BadRecord(
            RejectKind.WRONG_TYPE, f"field {field!r} is {_kind(value)}, must be a string"
        )
    return value


def _payload(row: dict[str, Any]) -> bytes:
    try:
        return to_json(row).encode()[:PAYLOAD_LIMIT]
    except orjson.JSONEncodeError:
        return repr(row).encode("utf-8", "replace")[:PAYLOAD_LIMIT]


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _kind(value: object) -> str:
    return "null" if value is None else f"of type {type(value).__name__}"


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more or "none"
