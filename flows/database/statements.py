"""SQL taken apart into statements, of which those that only read are let through.

The connection refuses most others by itself (`flows.database.catalog`); but it may write in the one
folder that it reads, the run's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from weighting.errors import AssayError

# Kinds of statement by what DuckDB calls them: those that give rows, and those that prepare for
# them. What these would change of the run, a connection for reading refuses.
ROWS = frozenset({"SELECT", "MULTI", "EXPLAIN"})  # MULTI: a PIVOT
PREPARING = frozenset({"CREATE", "DROP", "INSERT", "UPDATE", "DELETE", "SET"})
TO_FILE = "--format parquet --out FILE writes a result to a file"
DESCRIBING = "DESCRIBE, SUMMARIZE, FROM relations and FROM relation_columns tell what there is"
INSTEAD: Mapping[str, str] = {
    "COPY": TO_FILE,
    "EXPORT": TO_FILE,
    "INSTALL": "what it knows is built in",
    "LOAD": "what it knows is built in",
    "ATTACH": "duckdb -readonly RUN/assay.duckdb attaches other databases",
    "PRAGMA": DESCRIBING,
    "CALL": DESCRIBING,
}
EXPLAIN = re.compile(rb"(explain|analy[sz]e|verbose)\b", re.IGNORECASE)
COMMENT = "comment"  # as DuckDB's tokens name it


@dataclass(frozen=True)
class Statement:
    """One statement: its text without what ends it, and the names of its parameters."""

    sql: str
    kind: str
    parameters: frozenset[str]

    @property
    def gives_rows(self) -> bool:
        """Whether it is asked for its rows; others prepare for a later one."""
        return self.kind in ROWS

    @property
    def is_plan(self) -> bool:
        """Whether its rows are drawings of a plan."""
        return self.kind == "EXPLAIN"


def read_statements(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Statement]:
    """Return the statements of some SQL.

    Raises:
        duckdb.Error: it is not SQL.
        AssayError: there is no statement in it, or one that does more than read.
    """
    statements = [
        Statement(
            _cut_end(statement.query),
            _name_kind(statement),
            frozenset(map(str, statement.named_parameters)),
        )
        for statement in connection.extract_statements(sql)
    ]
    if not statements:
        raise AssayError("no SQL to run; try 'FROM relations'")
    for statement in statements:
        _check(connection, statement)
    return statements


def bind(statements: Sequence[Statement], given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the values of each statement's parameters.

    Raises:
        AssayError: one has no value, or a value belongs to none.
    """
    wanted = frozenset[str]().union(*(statement.parameters for statement in statements))
    for name in sorted(wanted - given.keys()):
        if name.isdigit():
            raise AssayError("parameters have names here: write $name and give --param name=value")
        raise AssayError(f"${name} has no value: give --param {name}=value")
    for name in sorted(given.keys() - wanted):
        raise AssayError(f"--param {name}: the SQL has no ${name}")
    for statement in statements:
        yield {name: given[name] for name in statement.parameters}


def read_parameters(words: Sequence[str]) -> dict[str, str]:
    """Return names and values of words like name=value.

    Raises:
        AssayError: a word is not like that, or gives a name again.
    """
    given: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise AssayError(f"--param {word}: not like name=value")
        if name in given:
            raise AssayError(f"--param {name} is given twice")
        given[name] = value
    return given


def _check(connection: duckdb.DuckDBPyConnection, statement: Statement) -> None:
    kind, sql = statement.kind, _cut_explain(statement.sql)
    allowed = ROWS | PREPARING
    if kind == "EXPLAIN":
        allowed = ROWS
        (kind,) = map(_name_kind, connection.extract_statements(sql))
    if kind not in allowed:
        word = re.split(r"\W", sql, maxsplit=1)[0].upper()
        instead = INSTEAD.get(word, "SELECT, with temporary tables and views before it")
        raise AssayError(f"{word}: assay query only reads ({instead})")


def _name_kind(statement: duckdb.Statement) -> str:
    try:
        return str(statement.type.name)
    except ValueError:  # a kind that DuckDB has no name for in Python
        return "another"


def _cut_end(sql: str) -> str:
    """Return a statement without the semicolons and comments that end it."""
    encoded = sql.encode()
    end = len(encoded)
    for start, kind in reversed(duckdb.tokenize(sql)):
        if kind.name != COMMENT and encoded[start : start + 1] != b";":
            break
        end = start
    return encoded[:end].decode().strip()


def _cut_explain(sql: str) -> str:
    """Return a statement from its first word on, or from that of the statement that it explains."""
    encoded = sql.encode()
    depth, is_explained = 0, False
    for start, kind in duckdb.tokenize(sql):
        rest = encoded[start:]
        depth += rest.startswith(b"(")
        opening = depth if is_explained else 0
        depth -= rest.startswith(b")")
        if opening or kind.name == COMMENT:
            continue
        if not EXPLAIN.match(rest):
            return rest.decode()
        is_explained = True
    return sql
