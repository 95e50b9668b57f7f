"""The answer to one statement: names and types of its columns, and rows of text.

Every value is made a text by DuckDB itself. Python knows no interval of a month, no date beyond the
year 9999, no nanosecond, and shows a float of 32 bits with the digits of 64.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from flows.database.statements import Statement
from weighting.errors import AssayError

Cell = str | bytes | None

BATCH = 1000  # rows fetched at once
INTEGERS = frozenset(
    f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "big", "huge")
) | {"integer", "uinteger", "bignum", "varint"}
FLOATS = frozenset({"float", "double"})
NESTED = frozenset({"list", "array", "struct", "map", "union", "variant"})
TEXTS = frozenset({"varchar", "enum", "blob", *NESTED})
PLACE = re.compile(r"^LINE (\d+): (.*)\n( *)(\^+)", re.MULTILINE)


@dataclass(frozen=True)
class Column:
    """A column: its name, what DuckDB calls its type, and the kind of type, such as `decimal`."""

    name: str
    type: str
    kind: str

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in INTEGERS | FLOATS | {"decimal"}

    @property
    def is_whole(self) -> bool:
        """Whether part of a value would be taken for another: numbers, times, identifiers."""
        return self.kind not in TEXTS


class WrongSql(AssayError):
    """DuckDB cannot answer. `picture` shows where in the SQL: two lines, or empty."""

    def __init__(self, message: str, picture: str) -> None:
        super().__init__(message)
        self.picture = picture


@dataclass(frozen=True, eq=False)
class Answer:
    """A statement that gives rows, bound to the tables there are; every reading asks it again."""

    connection: duckdb.DuckDBPyConnection
    statement: Statement
    values: Mapping[str, str]
    columns: list[Column] = field(default_factory=list)

    def read(
        self, spell: Callable[[int, Column], str], limit: int | None = None
    ) -> Iterator[tuple[Cell, ...]]:
        """Yield rows; `spell` gives the SQL that makes a column, by its number from 1, a text.

        Raises:
            WrongSql: a value cannot be computed.
        """
        sql = ", ".join(spell(number, column) for number, column in enumerate(self.columns, 1))
        end = "" if limit is None else f" LIMIT {limit}"
        result = self._ask(f"SELECT {sql} FROM (", f"){end}")
        while rows := _told(result.fetchmany, BATCH):
            yield from rows

    def read_batches(self, spell: Callable[[int, Column], str], limit: int | None) -> Any:  # noqa: ANN401
        """Return a reader of Arrow batches; `spell` gives the SQL of a column, with its name.

        Raises:
            WrongSql: a value cannot be computed.
        """
        import pyarrow as pa

        sql = ", ".join(spell(number, column) for number, column in enumerate(self.columns, 1))
        end = "" if limit is None else f" LIMIT {limit}"
        text = f"SELECT {sql} FROM (\n{self.statement.sql}\n){end}"
        relation = _told(self.connection.sql, text, params=dict(self.values) or None)
        return pa.RecordBatchReader.from_stream(relation)

    def count(self) -> int:
        """Return the number of all rows."""
        (row,) = _told(self._ask("SELECT count(*) FROM (", ")").fetchall)
        return int(row[0])

    def try_out(self) -> None:
        """Compute no row.

        Raises:
            WrongSql: not even that can be done.
        """
        _told(self._ask("FROM (", ") LIMIT 0").fetchall)

    def _ask(self, before: str, behind: str) -> duckdb.DuckDBPyConnection:
        """Ask the statement as a part of another, where nothing but a query can stand."""
        sql = f"{before}\n{self.statement.sql}\n{behind}"
        result: duckdb.DuckDBPyConnection = _told(self.connection.execute, sql, dict(self.values))
        return result


def bind_answer(
    connection: duckdb.DuckDBPyConnection, statement: Statement, values: Mapping[str, str]
) -> Answer:
    """Return the answer to a statement that gives rows, before any is computed.

    Raises:
        WrongSql: a table or column is not there, or types do not go together.
    """
    unbound = Answer(connection, statement, values)
    try:
        relation = connection.sql(statement.sql, params=dict(values) or None)
    except duckdb.Error as error:
        unbound.try_out()  # which says where in the SQL
        raise explain_error(error) from error
    types = zip(relation.columns, relation.types, strict=True)
    return replace(unbound, columns=[Column(name, str(it), str(it.id)) for name, it in types])


def run_statement(
    connection: duckdb.DuckDBPyConnection, statement: Statement, values: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """Run a statement as it stands, and return what DuckDB says to it.

    Raises:
        WrongSql: it cannot be run.
    """
    return list(_told(connection.execute, statement.sql, dict(values), line=0).fetchall())


def explain_error(error: Exception, line: int = 0) -> WrongSql:
    """Return DuckDB's error with its hints, in one line.

    `line` lines before the user's SQL are ours.
    """
    message = str(error)
    place = PLACE.search(message)
    told = " ".join(message[: place.start() if place else None].split())
    if "Table with name" in told:
        told += " (FROM relations lists all there are)"
    if place is None:
        return WrongSql(told, "")
    number, quoted, indent, marks = place.groups()
    head = f"LINE {int(number) - line}: "
    column = len(indent) - len(f"LINE {number}: ")
    picture = f"{head}{quoted}\n{' ' * (len(head) + column)}{marks}\n"
    marked = quoted[column : column + len(marks)]
    return WrongSql(f"{told} {head}{' '.join(quoted.split())} (^ {marked})", picture)


def _told(ask: Callable[..., Any], *given: Any, line: int = 1, **named: Any) -> Any:  # noqa: ANN401
    """Call DuckDB; its errors become ours."""
    try:
        return ask(*given, **named)
    except duckdb.Error as error:
        raise explain_error(error, line) from error
