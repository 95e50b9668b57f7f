"""SQL over a run: its catalog and, through Arrow, its token shards; for people and for programs."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TextIO, TypeVar

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.database.catalog import open_catalog
from flows.database.shard_stream import Shards
from flows.graphemes import set_apart, shorten
from flows.visible import show
from weighting.contracts.documents import Row
from weighting.contracts.reasons import Reason
from weighting.errors import AssayError

CELL_WIDTH = 60  # characters of a value that a table shows
TEXT_WIDTH = 12  # columns of the screen that a text keeps when space is short
BATCH = 1000  # rows fetched at once
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMBERS = frozenset((*INTEGERS, *(f"U{name}" for name in INTEGERS), "FLOAT", "DOUBLE", "DECIMAL"))
NULL = Text("NULL", style="dim italic")

Result = TypeVar("Result")


@contextmanager
def open_database(run: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a run for reading: its catalog, and the views of its shards.

    These are `shards`, `token_weights` and, where the run keeps its signals, `explained`.

    Raises:
        AssayError: the run is not whole, or another program is writing to its database.
    """
    with open_catalog(run) as connection:
        paths = sorted((run / "shards").glob("*.arrow"))
        if paths:
            connection.register("shards", Shards(paths))
            connection.execute(_TOKEN_WEIGHTS)
            if "token_story" in list_tables(connection):
                connection.execute(_EXPLAINED)
        yield connection


def run_query(run: Path, sql: str, console: Console, limit: int) -> None:
    """Print the first `limit` rows of a query as a table, and how many there are in all.

    Raises:
        AssayError: the SQL is wrong or there is none; the message names the tables there are.
    """
    with open_database(run) as connection, _explaining(connection):
        relation = _ask(connection.sql, sql)
        rows = relation.limit(limit).fetchall()
        total = len(rows) if len(rows) < limit else _count(relation)
        console.print(_tabulate(relation, rows))
    console.print(f"{len(rows):,} of {total:,} rows", highlight=False)


def read_rows(run: Path, sql: str) -> list[dict[str, object]]:
    """Return every row of a query, its values as JSON has them.

    Raises:
        AssayError: the SQL is wrong, or gives two columns one name.
    """
    with open_database(run) as connection, _explaining(connection):
        result = _ask(connection.execute, sql)
        names = [column[0] for column in result.description]
        return list(_list_objects(names, _fetch(result)))


def write_query(run: Path, sql: str, stream: TextIO, form: str) -> None:
    """Write every row of a query to `stream`, as `csv` or as `json` (one object a line).

    CSV shows NULL as an empty field; JSON has null for NULL and for numbers that are not finite.

    Raises:
        AssayError: unknown form, or the SQL is wrong.
    """
    if form not in FORMS:
        raise AssayError(f"unknown format {form!r}; valid: table, {', '.join(FORMS)}")
    with open_database(run) as connection, _explaining(connection):
        result = _ask(connection.execute, sql)
        names = [column[0] for column in result.description]
        FORMS[form](names, _fetch(result), stream)


def _write_csv(names: list[str], rows: Iterator[Row], stream: TextIO) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        cells = map(make_plain, row)
        writer.writerow(_dump(cell) if isinstance(cell, list | dict) else cell for cell in cells)


def _write_json(names: list[str], rows: Iterator[Row], stream: TextIO) -> None:
    stream.writelines(_dump(row) + "\n" for row in _list_objects(names, rows))


def _list_objects(names: list[str], rows: Iterator[Row]) -> Iterator[dict[str, object]]:
    """Yield every row as an object."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AssayError(f"column {twice[0]} stands twice in the result; name one with AS")
    for row in rows:
        yield {name: make_plain(value) for name, value in zip(names, row, strict=True)}


def make_plain(value: object) -> object:
    """Return a value of DuckDB as JSON has it: bytes as hex, no number that is not finite."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(value) else None
        case bytes():
            return value.hex()
        case dict():
            return {str(key): make_plain(item) for key, item in value.items()}
        case list() | tuple():
            return [make_plain(item) for item in value]
        case _:
            return str(value)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


FORMS: Mapping[str, Callable[[list[str], Iterator[Row], TextIO], None]] = {
    "csv": _write_csv,
    "json": _write_json,
}
_REASONS = ", ".join(
    f"CASE WHEN flags & {reason.value} > 0 THEN '{str(reason.name).lower()}' END"
    for reason in Reason
)
_TOKEN_WEIGHTS = f"""
CREATE TEMP VIEW token_weights AS
SELECT
    doc_id, position, token_id, weight,
    [name FOR name IN [{_REASONS}] IF name IS NOT NULL] AS reasons
FROM (
    SELECT
        doc_id, unnest(range(len(input_ids))) AS position,
        unnest(input_ids) AS token_id, unnest(weights) AS weight, unnest(reasons) AS flags
    FROM shards
)
"""
# Outer, because a selection leaves documents out of the shards.
_EXPLAINED = """
CREATE TEMP VIEW explained AS
SELECT token_story.*, weight, reasons
FROM token_story LEFT JOIN token_weights USING (doc_id, position)
"""


@contextmanager
def _explaining(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Turn DuckDB's errors into one line that says what can be asked for."""
    try:
        yield
    except duckdb.Error as error:
        message = str(error).partition("\n")[0]
        names = ", ".join(list_tables(connection))
        raise AssayError(f"{message} (tables and views: {names})") from None


def list_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables and views, by name."""
    sql = "SELECT DISTINCT table_name FROM information_schema.tables ORDER BY table_name"
    return [name for (name,) in connection.execute(sql).fetchall()]


def _ask(ask: Callable[[str], Result | None], sql: str) -> Result:
    result = ask(sql)
    if result is None:
        raise AssayError("no SQL to run; try 'FROM rule_cost'")
    return result


def _tabulate(relation: duckdb.DuckDBPyRelation, rows: Sequence[Row]) -> Table:
    table = Table()
    cells = [[_format(value) for value in row] for row in rows]
    types = [str(type_).partition("(")[0] for type_ in relation.types]
    for number, (name, type_) in enumerate(zip(relation.columns, types, strict=True)):
        longest = max((row[number].cell_len for row in cells), default=0)
        # Where space is short, texts give way and numbers stay whole.
        table.add_column(
            Text(show(name), overflow="fold"),
            justify="right" if type_ in NUMBERS else "left",
            min_width=longest if type_ in NUMBERS else min(longest, TEXT_WIDTH),
        )
    for row in cells:
        table.add_row(*row)
    return table


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    return int(relation.aggregate("count(*)").fetchall()[0][0])


def _fetch(result: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while rows := result.fetchmany(BATCH):
        yield from rows


def _format(value: object) -> Text:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Text(str(value).lower())
    if isinstance(value, int):
        return Text(f"{value:,}")
    if isinstance(value, float):
        return Text(f"{value:,.6g}" if math.isfinite(value) else str(value))
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
    elif isinstance(value, list | tuple | dict):
        text = _dump(make_plain(value))
    else:
        text = str(value)
    return Text(shorten(show(set_apart(text)), CELL_WIDTH), no_wrap=True, overflow="ellipsis")
