"""`assay quarantine`: the records that a run could not read, and why."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import RunFolder


def quarantine(
    run: RunFolder,
    error: Annotated[str | None, typer.Option(help="only this kind of error")] = None,
    limit: Annotated[int, typer.Option(min=0, help="records to show of each kind")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show what a run, finished or not, could not read: by kind of error, with the reason."""
    from flows.run.quarantined import choose_kind, list_kinds, print_kinds, write_json

    kinds = list_kinds(run, limit)
    if error is not None:
        kinds = choose_kind(kinds, error)
    if as_json:
        write_json(kinds, sys.stdout)
    else:
        print_kinds(kinds, Console())
