"""`assay replay`: what could not be read, read again."""

from typing import Annotated

import typer

from flows.commands.options import Json, RunFolder, Workers
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
    as_json: Json = False,
) -> None:
    """Read a run's quarantined records again after a fix, and merge what is recovered."""
    from flows import report
    from flows.operations.log import keeping_log
    from flows.operations.output import describe_run, telling
    from flows.run import presentation
    from flows.run.replay import replay as read_again
    from flows.run.session import open_session
    from flows.run.summary import print_outcome
    from weighting.storage.json_records import to_json

    given = {"text_field": text_field, "source_field": source_field, "extractor": extractor}
    fields = {key: value for key, value in given.items() if value is not None}
    with telling(as_json) as output, locking(run), keeping_log(run) as log:
        session = open_session(run, workers, output.console, log=log)
        outcome = read_again(run, fields, paths or [], session)
        if outcome is None:
            output.console.print("nothing is quarantined; the run stays as it is")
        else:
            print_outcome(outcome, output.console)
            if not (run / report.NAME).exists():  # the report of the state before went with it
                presentation.present(run, output.console)
        output.facts |= {"replay": to_json(outcome), **describe_run(run)}
