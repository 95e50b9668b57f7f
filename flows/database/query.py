"""Questions to a run: what is asked and how, and where the answer goes."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO, cast

import duckdb

from flows.database.answer import Answer, bind_answer, explain_error, run_statement
from flows.database.cells import LONGEST, make_grid, spell_for_people
from flows.database.exports import BINARY, WRITERS, encode_rows, spool, write_binary
from flows.database.shard_views import open_database
from flows.database.statements import Statement, bind, read_statements
from flows.database.table import (
    ASCII,
    BOLD,
    DIM,
    PLAIN,
    Style,
    choose_columns,
    draw_blocks,
    draw_table,
)
from weighting.errors import AssayError
from weighting.storage.files import replacing

LIMIT = 50  # rows that a terminal shows


@dataclass(frozen=True)
class Question:
    """SQL to a run, values of its parameters by name, and how many rows are wanted."""

    run: Path
    sql: str
    values: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None  # all


@dataclass(frozen=True)
class Screen:
    """Where tables are shown: `width` in cells, None for what has no end, as a pipe."""

    stream: TextIO
    width: int | None = None
    style: Style = field(default_factory=Style)


def find_screen(stream: TextIO) -> Screen:
    """Return what is known of the screen that a stream is shown on."""
    is_utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
    style = Style() if is_utf8 else ASCII
    if not stream.isatty():
        return Screen(stream, style=style)
    if os.environ.get("NO_COLOR") is None and os.environ.get("TERM") != "dumb":
        style = Style(**{**vars(style), "name": (BOLD, PLAIN), "null": (DIM, PLAIN)})
    return Screen(stream, shutil.get_terminal_size().columns, style)


def find_limit(asked: int | None, screen: Screen) -> int | None:
    """Return how many rows are shown, None for all, of what was asked: 0 is all."""
    if asked is None:
        return None if screen.width is None else LIMIT
    return asked or None


def run_query(question: Question, screen: Screen, vertical: bool = False) -> None:
    """Show what every statement gives: a table, a block a row, or a plan as it is drawn.

    A terminal gets as many columns as fit; one row of more columns is a block.

    Raises:
        AssayError: the SQL is wrong, or does more than read.
    """
    shown = 0
    with _opening(question) as asked:
        for connection, statement, values in asked:
            if not statement.gives_rows:
                run_statement(connection, statement, values)
                continue
            screen.stream.write("\n" if shown else "")
            shown += 1
            if statement.is_plan:
                for *_, plan in run_statement(connection, statement, values):
                    screen.stream.write(f"{plan.rstrip()}\n")
            else:
                answer = bind_answer(connection, statement, values)
                _show(answer, question.limit, screen, vertical)


def write_query(question: Question, form: str, stream: IO[str] | IO[bytes]) -> tuple[int, int]:
    """Write the rows of the one statement that gives some; return how many, and of how many.

    Raises:
        AssayError: the SQL is wrong, or does more than read; or several statements give rows.
    """
    with _answering(question, f"--format {form}") as answer:
        number = _write(answer, question.limit, form, stream)
        return number, _count(answer, number, question.limit)


def write_file(question: Question, form: str, out: Path) -> tuple[int, int]:
    """Write the rows to a file, whole or not at all; return how many, and of how many.

    Raises:
        AssayError: as `write_query`, or the file would be one of the run.
    """
    if out.resolve().is_relative_to(question.run.resolve()):
        raise AssayError(f"{out}: is in the run folder, which a question does not change")
    with replacing(out) as temporary:
        if form in BINARY:
            with temporary.open("wb") as file:
                return write_query(question, form, file)
        with temporary.open("w", encoding="utf-8", newline="") as texts:
            return write_query(question, form, texts)


def read_rows(question: Question) -> str:
    """Return all rows as a JSON array.

    Raises:
        AssayError: as `write_query`, or two columns have one name.
    """
    with _answering(question, "--json") as answer:
        return "[" + ", ".join(encode_rows(answer, question.limit)) + "]"


@contextmanager
def _opening(
    question: Question,
) -> Iterator[Iterator[tuple[duckdb.DuckDBPyConnection, Statement, dict[str, str]]]]:
    """Yield the statements of a question, each with the values of its parameters."""
    with open_database(question.run, question.sql) as connection:
        try:
            statements = read_statements(connection, question.sql)
        except duckdb.Error as error:
            raise explain_error(error) from error
        values = list(bind(statements, question.values))
        pairs = zip(statements, values, strict=True)
        yield ((connection, statement, given) for statement, given in pairs)


@contextmanager
def _answering(question: Question, purpose: str) -> Iterator[Answer]:
    """Yield the answer to the one statement that gives rows; those before it are run."""
    with _opening(question) as asked:
        statements = list(asked)
        giving = [one for _, one, _ in statements if one.gives_rows]
        if len(giving) != 1 or not statements[-1][1].gives_rows:
            raise AssayError(
                f"{len(giving)} of {len(statements)} statements give rows; {purpose} takes one, "
                "the last"
            )
        if giving[0].is_plan:
            raise AssayError(f"{purpose} writes rows; EXPLAIN draws a plan, as a table")
        for connection, statement, values in statements[:-1]:
            run_statement(connection, statement, values)
        yield bind_answer(*statements[-1])


def _show(answer: Answer, limit: int | None, screen: Screen, vertical: bool) -> None:
    rows = list(answer.read(spell_for_people, None if limit is None else limit + 1))
    total = len(rows) if limit is None or len(rows) <= limit else answer.count()
    rows = rows[:limit]
    longest = None if vertical or screen.width is None else LONGEST
    grid = make_grid(answer.columns, rows, longest)
    widths = [] if vertical else choose_columns(grid, screen.width)
    if not widths or (len(widths) < len(grid.names) and len(rows) == 1):
        grid = make_grid(answer.columns, rows, None)
        widths = []
        lines = draw_blocks(grid, screen.width, screen.style)
    else:
        lines = draw_table(grid, widths, screen.style)
    screen.stream.writelines(f"{line}\n" for line in lines)
    notes = [f"{len(rows):,} of {total:,} rows"]
    if widths and len(widths) < len(grid.names):
        notes.append(f"{len(grid.names)} columns, {len(widths)} shown; --vertical shows all")
    if grid.cut:
        notes.append(f"{grid.cut:,} texts end with …; --vertical shows all of them")
    screen.stream.writelines(f"{note}\n" for note in notes)


def _write(answer: Answer, limit: int | None, form: str, stream: IO[str] | IO[bytes]) -> int:
    if form not in BINARY:
        return WRITERS[form](answer, limit, cast("TextIO", stream))
    file = cast("IO[bytes]", stream)
    if file.seekable():
        return write_binary(answer, limit, file, form)
    return spool(lambda spooled: write_binary(answer, limit, spooled, form), file)


def _count(answer: Answer, number: int, limit: int | None) -> int:
    """Return the number of all rows, of which `number` were read."""
    return number if limit is None or number < limit else answer.count()
