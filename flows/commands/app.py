"""The `assay` command, put together from its commands."""

import sys
from typing import Annotated

import typer

from flows.commands.curate import curate
from flows.commands.demo import demo
from flows.commands.explain import explain
from flows.commands.look import look
from flows.commands.quarantine import quarantine
from flows.commands.query import query
from flows.commands.recipes import recipes
from flows.commands.replay import replay
from flows.commands.report import report
from flows.commands.verify import verify
from flows.commands.weigh import weigh

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_versions(wanted: bool) -> None:
    if wanted:
        from weighting.versions import describe_versions

        sys.stdout.write(describe_versions())
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="print the versions of assay and of what it stands on",
            callback=_print_versions,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Find the gold in a pretraining corpus, and measure whether finding it helped."""
    # What there is to do is done by the option's callback or by a command.


for command in (demo, look, curate, weigh, explain, query, report, quarantine, replay, verify):
    app.command()(command)
app.add_typer(recipes, name="recipe")
