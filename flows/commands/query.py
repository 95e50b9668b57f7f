"""`assay query`: SQL over a run."""

from typing import Annotated

import typer

from flows.commands.options import Json, RunFolder, Sql
from weighting.errors import AssayError
from weighting.output import open_data_output


def query(
    run: RunFolder,
    sql: Sql,
    limit: Annotated[int, typer.Option(min=1, help="rows to print")] = 50,
    form: Annotated[
        str | None, typer.Option("--format", help="table, csv or json (an object a line)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a run's database a question in SQL."""
    from flows.database.query import read_rows, run_query, write_query
    from flows.operations.output import telling
    from flows.operations.standing import require_finished

    with telling(as_json) as output:
        if as_json and form:
            raise AssayError("--json gives one object with all rows; leave out --format")
        require_finished(run)
        if as_json:
            output.facts |= {"run": str(run), "rows": read_rows(run, sql)}
        elif form in (None, "table"):
            run_query(run, sql, output.console, limit)
        else:
            write_query(run, sql, open_data_output(), form)
