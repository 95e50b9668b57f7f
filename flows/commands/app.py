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
from flows.commands.weigh import Weigh, weigh

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help is plain text: rich would take longer to load than all of it
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


COMMANDS = (demo, look, curate, weigh, explain, query, report, quarantine, replay, verify)
for command in COMMANDS:
    about = str(command.__doc__).partition("\n")[0]  # whole; typer would end it after 45 letters
    app.command(cls=Weigh if command is weigh else None, short_help=about)(command)
app.add_typer(recipes, name="recipe")
