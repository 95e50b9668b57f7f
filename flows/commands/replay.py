"""`assay replay`: what could not be read, read again."""

from typing import Annotated

import typer
from rich.console import Console

from flows.commands.options import RunFolder, Workers
from weighting.storage.lock import locking


def replay(
    run: RunFolder,
    paths: Annotated[
        list[str] | None, typer.Argument(help="the inputs, if they were moved")
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(help="read.text_field for what could not be read")
    ] = None,
    source_field: Annotated[str | None, typer.Option(help="the same for read.source_field")] = None,
    extractor: Annotated[str | None, typer.Option(help="the same for read.extractor")] = None,
    workers: Workers = None,
) -> None:
    """Read a run's quarantined records again after a fix, and merge what is recovered."""
    from flows import report
    from flows.run import presentation
    from flows.run.replay import replay as read_again
    from flows.run.session import open_session
    from flows.run.summary import print_outcome

    console = Console()
    given = {"text_field": text_field, "source_field": source_field, "extractor": extractor}
    fields = {key: value for key, value in given.items() if value is not None}
    session = open_session(run, workers, console)
    with locking(run):
        outcome = read_again(run, fields, paths or [], session)
        if outcome is None:
            console.print("nothing is quarantined; the run stays as it is")
            return
        print_outcome(outcome, console)
        if not (run / report.NAME).exists():  # the report of the state before went with it
            presentation.present(run, console)
