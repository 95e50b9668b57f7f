"""`assay query`: SQL over a run."""

from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import RunFolder, Sql
from weighting.output import open_data_output


def query(
    run: RunFolder,
    sql: Sql,
    limit: Annotated[int, typer.Option(min=1, help="rows to print")] = 50,
    form: Annotated[str, typer.Option("--format", help="table, csv or json")] = "table",
) -> None:
    """Ask a run's database a question in SQL."""
    from flows.database.query import run_query, write_query

    if form == "table":
        run_query(run, sql, Console(), limit)
    else:
        write_query(run, sql, open_data_output(), form)
