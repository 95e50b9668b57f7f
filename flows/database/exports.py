"""Results for programs: CSV, JSON, Parquet and Arrow, every value exact.

CSV has NULL as an empty field, an empty text in quotes. JSON has null for NULL and for numbers that
are not finite, decimals with all their digits, and texts for what it has no form of.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TextIO

import duckdb

from flows.database.answer import (
    FLOATS,
    INTEGERS,
    NESTED,
    Answer,
    Cell,
    Column,
    explain_error,
)
from weighting.errors import AssayError

NUMBERS = INTEGERS | FLOATS | {"decimal"}
NO_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')  # texts, and what may stand between them
QUOTED = re.compile(r'[",\r\n]|^$')
FLOAT = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|\bFLOAT\b""")  # quoted: a name in a type
# What Arrow has no type for, or one that loses digits or the time zone.
AS_TEXT: Mapping[str, tuple[str, ...]] = {
    "arrow": ("UHUGEINT", "BIGNUM", "VARINT", "BIT", "TIME WITH TIME ZONE", "VARIANT"),
    "parquet": ("INTERVAL", "UNION"),
}


def write_csv(answer: Answer, limit: int | None, stream: TextIO) -> int:
    """Write a line of names and a line a row; return the number of rows."""
    stream.write(",".join(_quote(column.name) for column in answer.columns) + "\n")
    number = 0
    for row in answer.read(_spell, limit):
        cells = zip(answer.columns, row, strict=True)
        stream.write(",".join(_make_field(column, cell) for column, cell in cells) + "\n")
        number += 1
    return number


def write_json(answer: Answer, limit: int | None, stream: TextIO) -> int:
    """Write an array of objects, a line each; return the number of rows."""
    number = 0
    for number, row in enumerate(encode_rows(answer, limit), 1):
        stream.write(("[" if number == 1 else ",\n") + row)
    stream.write("]\n" if number else "[]\n")
    return number


def write_jsonl(answer: Answer, limit: int | None, stream: TextIO) -> int:
    """Write an object a line; return the number of rows."""
    number = 0
    for number, row in enumerate(encode_rows(answer, limit), 1):  # noqa: B007 - it is returned
        stream.write(row + "\n")
    return number


def encode_rows(answer: Answer, limit: int | None) -> Iterator[str]:
    """Yield every row as a JSON object.

    Raises:
        AssayError: two columns have one name, of which an object would lose one.
    """
    keys = [json.dumps(name, ensure_ascii=False) for name in _name_columns(answer)]
    encoders = list(map(_choose_encoder, answer.columns))
    for row in answer.read(_spell, limit):
        cells = zip(keys, encoders, row, strict=True)
        members = (f"{key}: {_encode(encode, cell)}" for key, encode, cell in cells)
        yield "{" + ", ".join(members) + "}"


def write_binary(answer: Answer, limit: int | None, stream: IO[bytes], form: str) -> int:
    """Write a Parquet or an Arrow file; return the number of rows.

    Raises:
        AssayError: the file has no type for a column, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    _name_columns(answer)
    number = 0
    batches = answer.read_batches(lambda place, column: _spell_binary(place, column, form), limit)
    try:
        opening = pa.ipc.new_file if form == "arrow" else pq.ParquetWriter
        with opening(stream, batches.schema) as writer:
            for batch in batches:
                batch.validate(full=True)  # a HUGEINT may have a digit more than Arrow's decimals
                writer.write_batch(batch)
                number += batch.num_rows
    except (duckdb.Error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk
            raise
        raise explain_error(error, 1) from error
    except (pa.ArrowException, OverflowError) as error:
        reason = str(error).partition(" Detail: ")[0]
        raise AssayError(f"--format {form}: {reason}; CAST the column to VARCHAR?") from None
    return number


def spool(write: Callable[[IO[bytes]], int], stream: IO[bytes]) -> int:
    """Write a file that needs to know its places, then copy it to a stream that has none."""
    with tempfile.TemporaryFile() as file:
        number = write(file)
        file.seek(0)
        shutil.copyfileobj(file, stream)
    stream.flush()
    return number


WRITERS: Mapping[str, Callable[[Answer, int | None, TextIO], int]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
}
BINARY = ("parquet", "arrow")
FORMS = (*WRITERS, *BINARY)


def guess_form(out: Path) -> str | None:
    """Return the format that a file's suffix names, None if it names none."""
    suffix = out.suffix.removeprefix(".").lower()
    return suffix if suffix in FORMS else None


def _name_columns(answer: Answer) -> list[str]:
    names = [column.name for column in answer.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise AssayError(f"column {twice[0]} stands twice in the result; name one with AS")
    return names


def _spell(number: int, column: Column) -> str:
    if column.kind == "blob":
        return f"lower(hex(#{number}))"
    if column.kind not in NESTED:
        return f"CAST(#{number} AS VARCHAR)"
    value = f"#{number}"
    if FLOAT.search(column.type):  # to the digits that a float of 32 bits is shown with
        for other in ("VARCHAR", "DOUBLE"):
            value = f"CAST({value} AS {_replace_float(column.type, other)})"
    return f"CAST(to_json({value}) AS VARCHAR)"


def _replace_float(type_: str, other: str) -> str:
    return FLOAT.sub(lambda found: found[0] if found[1] else other, type_)


def _spell_binary(number: int, column: Column, form: str) -> str:
    name = column.name.replace('"', '""')
    texts = AS_TEXT["arrow"] + (AS_TEXT["parquet"] if form == "parquet" else ())
    is_text = any(text in column.type for text in texts)
    return f'{f"CAST(#{number} AS VARCHAR)" if is_text else f"#{number}"} AS "{name}"'


def _make_field(column: Column, cell: Cell) -> str:
    if cell is None:
        return ""
    return _quote(_drop_non_finite(str(cell)) if column.kind in NESTED else str(cell))


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if QUOTED.search(text) else text


def _choose_encoder(column: Column) -> Callable[[str], str]:
    """Return what makes JSON of a column's texts, as DuckDB writes them."""
    if column.kind in FLOATS:
        return _encode_float
    if column.kind in NUMBERS or column.kind == "boolean":
        return str
    if column.kind in NESTED:
        return _drop_non_finite
    if column.type == "JSON":
        return _join_lines
    return _encode_text


def _encode(encode: Callable[[str], str], cell: Any) -> str:  # noqa: ANN401 - a text or null
    return "null" if cell is None else encode(cell)


def _encode_float(text: str) -> str:
    return "null" if text in ("nan", "inf", "-inf") else text


def _encode_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _join_lines(text: str) -> str:
    """Return JSON on one line; within its texts there is no end of a line."""
    return text.replace("\r", " ").replace("\n", " ")


def _drop_non_finite(text: str) -> str:
    return NO_JSON.sub(lambda found: found[0] if found[0].startswith('"') else "null", text)
