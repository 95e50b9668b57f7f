"""From a structured record, wherever it came from, to text, source and metadata."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import orjson
import pyarrow as pa

from pipelines.readers.columns import (
    Undecoded,
    is_textual,
    locate_column,
    name_fields,
    read_texts,
    to_rows,
    type_at,
)
from pipelines.readers.fields import locate, name_kind, select, suggest_text, take
from pipelines.readers.json_values import (
    SURROGATE,
    LeftOut,
    explain_surrogates,
    fit,
    to_json,
    write_fitted,
)
from pipelines.readers.partitions import read_partitions
from pipelines.readers.records import PAYLOAD_LIMIT, ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.streams.compression import without_compression

NAMES_SHOWN = 12
SAMPLED = 100  # rows among which a text field to suggest is looked for
ABSENT = object()  # in place of a field that is not there, as null is there
WHOLE_ROWS = ""  # a text field of this name: records have no text, metadata has all fields


class BadRecord(ValueError):
    """A record that was read but cannot be used; `error` is the type that quarantine shows."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Origin:
    """What an input's name says of its records: their source, where they name none, and fields."""

    source: str
    fields: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, slice_: Slice) -> "Origin":
        """Return what a file's name and folders say."""
        return cls(source_of(slice_.name), read_partitions(slice_.path))


def to_record(
    row: object,
    locator: str,
    options: ReadOptions,
    origin: Origin,
    left_out: Sequence[str] | None = None,
) -> Record:
    """Return the record of a decoded row, which is used up.

    A text that is null counts as absent. The row's other fields, and those of its file's folders,
    become JSON with sorted keys; what does not fit is null. `left_out` says that there may be such
    fields, and what is null already.

    Raises:
        BadRecord: `wrong_type`, `missing_field`, or `bad_utf8`.
    """
    if not isinstance(row, dict):
        message = f"the record is {_kind(row)}, must be an object"
        raise BadRecord(RejectKind.WRONG_TYPE, message)
    text = row.pop(options.text_field, ABSENT)  # of nearly all rows
    if type(text) is not str:
        text = _find_text(row, text, options)
    return complete(row, text, locator, options, origin, left_out)


def complete(
    row: dict[str, Any],
    text: str,
    locator: str,
    options: ReadOptions,
    origin: Origin,
    left_out: Sequence[str] | None = None,
) -> Record:
    """Return the record of a text and the row of the other fields, as `to_record` does.

    Raises:
        BadRecord: `bad_utf8` for a text that is not.
    """
    if origin.fields:
        row = {**origin.fields, **row}
    source = row.pop(options.source_field, None)  # of nearly all rows, text or nothing
    of_source: tuple[str, ...] = ()
    if type(source) is not str:
        source = _take_source(row, options.source_field, source) or origin.source
        of_source = (LeftOut.SOURCE_TYPE,) if row.get(options.source_field) is not None else ()
    if options.fields is not None:
        row = select(row, options.fields)
    if left_out is None:
        try:
            return Record(locator, text, source, to_json(row), of_source)
        except orjson.JSONEncodeError:
            left_out = ()
    text, of_text = _mend(text)
    if explain_surrogates(source):
        row[options.source_field], source = source, origin.source
    fitted = fit(row)
    reasons = (*of_source, *left_out, *fitted.left_out, *of_text)
    return Record(locator, text, source, write_fitted(fitted.value), reasons)


def read_batch(
    batch: pa.RecordBatch | pa.Table,
    first: int,
    options: ReadOptions,
    origin: Origin,
    place: str = "row",
    left_out: Sequence[str] = (),
) -> Iterator[Record | Reject]:
    """Yield a record or reject for each row of a batch, located as `row N` from `first` on.

    The text column must be there and textual, as `refuse_table` finds out. `left_out` are reasons
    why fields of every row are null already.
    """
    for part in batch.to_batches() if isinstance(batch, pa.Table) else [batch]:
        for item in _read_part(part, first, options, origin, place):
            if left_out and isinstance(item, Record):
                yield item._replace(left_out=(*left_out, *item.left_out))
            else:
                yield item
        first += part.num_rows


def refuse_table(
    schema: pa.Schema, options: ReadOptions, sample: pa.RecordBatch | pa.Table | None
) -> Reject | None:
    """Return the one reject of a table whose text column is missing or is no text; else None.

    `sample` are some of its rows, among which another column to set is looked for.
    """
    if options.text_field == WHOLE_ROWS:
        return None
    fields, name = list(schema), options.text_field
    path = locate_column(fields, name)
    if path and is_textual(type_ := type_at(fields, path)):
        return None
    kind = RejectKind.WRONG_TYPE if path else RejectKind.MISSING_FIELD
    names = name_fields(schema)
    found = f"column {name!r} is of type {type_}" if path else _missing("column", name, names)
    found += " in every row" if path and pa.types.is_null(type_) else ""
    rows = [] if sample is None else to_rows(_named(sample)).values
    return Reject("file", kind, found + hint(suggest_text(rows)), b"")


def missing_column(
    names: list[str], options: ReadOptions, rows: Sequence[Mapping[str, Any]] = ()
) -> Reject:
    """Return the one reject of a table that has no text column at all; `rows` are some of it."""
    message = _missing("column", options.text_field, names) + hint(suggest_text(rows))
    return Reject("file", RejectKind.MISSING_FIELD, message, b"")


def hint(field: str | None) -> str:
    """Return how to read another field as the text, to end an error; nothing for None."""
    return "" if field is None else f'; set read.text_field = "{field}"'


def source_of(name: str) -> str:
    """Return the source of records that name none: the file's name without its last suffixes."""
    return PurePosixPath(without_compression(name)).stem


def _read_part(
    batch: pa.RecordBatch, first: int, options: ReadOptions, origin: Origin, place: str
) -> Iterator[Record | Reject]:
    batch = _named(batch)
    path = locate_column(list(batch.schema), options.text_field)
    texts: Sequence[Undecoded] = read_texts(batch, path) if path else [""] * batch.num_rows
    if len(path) == 1:
        batch = batch.remove_column(path[0])
    rows = to_rows(batch)
    for number, (text, row) in enumerate(zip(texts, rows.values, strict=True)):
        locator = f"{place} {first + number}"
        left_out = rows.left_out.get(number, ()) if rows.doubtful else None
        if isinstance(text, UnicodeDecodeError):
            payload = text.object[:PAYLOAD_LIMIT]
            yield Reject(locator, RejectKind.BAD_UTF8, str(text), payload)
            continue
        if len(path) > 1:
            take(row, options.text_field)
        if text is None:
            missing = _refuse(None, row, options)
            payload = write_fitted(fit({options.text_field: None, **row}).value).encode()
            yield Reject(locator, missing.error, str(missing), payload[:PAYLOAD_LIMIT])
            continue
        yield complete(row, text, locator, options, origin, left_out)


def _named(batch: pa.RecordBatch | pa.Table) -> pa.RecordBatch:
    """Return a batch with names of their own for its columns; of a table, some first rows."""
    if isinstance(batch, pa.Table):
        batch = next(iter(batch.to_batches()), pa.RecordBatch.from_pylist([], batch.schema))
    return batch.rename_columns(name_fields(batch.schema))


def _find_text(row: dict[str, Any], value: object, options: ReadOptions) -> str:
    """Return the text in an object of a row; `value` is what was removed by its name.

    Raises:
        BadRecord: there is none, or it is no text.
    """
    if options.text_field == WHOLE_ROWS:
        return ""
    if (value is ABSENT or value is None) and locate(row, options.text_field):
        value = take(row, options.text_field)
    if isinstance(value, str):
        return value
    raise _refuse(value, row, options)


def _refuse(text: object, row: dict[str, Any], options: ReadOptions) -> BadRecord:
    """Return why a row has no text, and which field to set."""
    name, other = options.text_field, hint(suggest_text([row]))
    if text is None:
        return BadRecord(RejectKind.MISSING_FIELD, f"field {name!r} is null{other}")
    if text is not ABSENT:
        message = f"field {name!r} is {_kind(text)}, must be a string{other}"
        return BadRecord(RejectKind.WRONG_TYPE, message)
    return BadRecord(RejectKind.MISSING_FIELD, _missing("field", name, list(row)) + other)


def _take_source(row: dict[str, Any], name: str, value: object) -> str | None:
    """Return the source in an object of a row, and remove it.

    A source that is no text stays a field like others; `value` is what was removed by its name.
    """
    if value is None:
        value = take(row, name)
    if value is None or isinstance(value, str):
        return value
    row[name] = value
    return None


def _mend(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text with U+FFFD for half characters, and that there were any.

    Raises:
        BadRecord: `bad_utf8` for bytes of the input that are no characters at all.
    """
    reason = explain_surrogates(text)
    if reason is LeftOut.BAD_UTF8:
        raise BadRecord(RejectKind.BAD_UTF8, "the text is not UTF-8")
    if reason is None:
        return text, ()
    return SURROGATE.sub("\ufffd", text), (LeftOut.SURROGATE_IN_TEXT,)


def _missing(what: str, name: str, names: Sequence[str]) -> str:
    more = ", …" if len(names) > NAMES_SHOWN else ""
    listed = ", ".join(names[:NAMES_SHOWN]) + more or "none"
    return f"no {what} {name!r}; there is {listed}"


def _kind(value: object) -> str:
    kind = name_kind(value)
    return kind if kind == "null" else f"of type {type(value).__name__}"
