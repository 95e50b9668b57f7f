"""`assay quarantine`: the records that a run could not read, and why."""

from typing import Annotated

import typer

from flows.commands.options import Json, RunFolder


def quarantine(
    run: RunFolder,
    error: Annotated[str | None, typer.Option(help="only this kind of error")] = None,
    limit: Annotated[int, typer.Option(min=0, help="records to show of each kind")] = 3,
    as_json: Json = False,
) -> None:
    """Show what a run, finished or not, could not read: by kind of error, with the reason."""
    from flows.operations.output import telling
    from flows.operations.quarantined import choose_kind, describe_kinds, list_kinds, print_kinds

    with telling(as_json) as output:
        kinds = list_kinds(run, limit)
        if error is not None:
            kinds = choose_kind(kinds, error)
        output.facts |= {"run": str(run), "quarantined": describe_kinds(kinds)}
        print_kinds(kinds, output.console)
