"""`assay query`: SQL over a run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Json, RunFolder, repair_text
from weighting.errors import AssayError
from weighting.output import OutputClosed, open_data_output

if TYPE_CHECKING:
    from flows.database.query import Question
    from flows.operations.output import Output

Sql = Annotated[
    str,
    typer.Argument(
        help="SQL over the run's tables and views; @FILE: from a file, -: from standard input",
        metavar="SQL",
        parser=repair_text,
    ),
]


def query(
    run: RunFolder,
    sql: Sql,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="rows to print; by default 50 on a terminal, else all; 0: all"),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="table, csv, json, jsonl, parquet or arrow")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="file to write, whose suffix may name the format", metavar="FILE"),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(help="the text that $NAME stands for in the SQL", metavar="NAME=VALUE"),
    ] = None,
    vertical: Annotated[
        bool, typer.Option("--vertical", help="print a block a row, a line a column")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask a run's database a question in SQL."""
    from flows.database.query import Question, find_limit, find_screen
    from flows.database.statements import read_parameters
    from flows.operations.output import telling
    from flows.operations.standing import require_finished

    with telling(as_json) as output:
        form = settle_form(form, out, vertical, as_json)
        values = read_parameters(param or [])
        require_finished(run)
        rows = find_limit(limit, find_screen(sys.stdout)) if form == "table" else limit or None
        question = Question(run, read_sql(sql), values, rows)
        reply(question, output, form if not as_json else None, out, vertical)


def reply(
    question: "Question", output: "Output", form: str | None, out: Path | None, vertical: bool
) -> None:
    """Ask a question, and put the answer where it was asked for; without a form it is JSON's."""
    from flows.database.answer import WrongSql
    from flows.database.query import find_screen, read_rows, run_query

    try:
        if form is None:
            output.facts["run"] = str(question.run)
            output.texts["rows"] = read_rows(question)
        elif form == "table":
            run_query(question, find_screen(sys.stdout), vertical)
        else:
            deliver(question, form, out)
    except WrongSql as error:
        if sys.stderr.isatty():
            sys.stderr.write(error.picture)
        raise


def settle_form(form: str | None, out: Path | None, vertical: bool, as_json: bool) -> str:
    """Return the format of an answer, from what was asked for.

    Raises:
        AssayError: there is no such format, or what was asked for does not go together.
    """
    from flows.database.exports import BINARY, FORMS, guess_form

    if as_json and (form or out):
        raise AssayError("--json gives one object with all rows; leave out --format and --out")
    chosen = form or (guess_form(out) if out else None) or "table"
    if chosen not in ("table", *FORMS):
        raise AssayError(f"unknown format {chosen!r}; valid: table, {', '.join(FORMS)}")
    if out and chosen == "table":
        raise AssayError(f"{out}: give --format, one of {', '.join(FORMS)}")
    if vertical and (as_json or chosen != "table"):
        raise AssayError("--vertical is a way to print tables; leave it out, or the format")
    if chosen in BINARY and not out and sys.stdout.isatty():
        raise AssayError(f"{chosen} is nothing for a terminal; give --out FILE")
    return chosen


def read_sql(given: str) -> str:
    """Return the SQL that an argument is, or that the file has which it names.

    Raises:
        AssayError: the file cannot be read, or is not UTF-8.
    """
    if given != "-" and not given.startswith("@"):
        return given
    name = "standard input" if given == "-" else given[1:]
    try:
        return sys.stdin.buffer.read().decode() if given == "-" else Path(name).read_text("utf-8")
    except OSError as error:
        raise AssayError(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise AssayError(f"{name}: not UTF-8") from None


def deliver(question: "Question", form: str, out: Path | None) -> None:
    """Write an answer for programs; rows that a limit leaves out are counted on standard error."""
    from flows.database.exports import BINARY
    from flows.database.query import write_file, write_query

    try:
        if out:
            number, total = write_file(question, form, out)
        else:
            stream = sys.stdout.buffer if form in BINARY else open_data_output()
            number, total = write_query(question, form, stream)
            stream.flush()
    except BrokenPipeError:  # of bytes; of texts the stream itself says so
        raise OutputClosed from None
    if out or number < total:
        where = f"{out}: " if out else ""
        sys.stderr.write(f"{where}{number:,} of {total:,} rows\n")
