"""The reference of all commands with their arguments and options, as Markdown.

`python -m flows.commands.manual` prints it, for the documentation to hold.
"""

import sys
from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from flows.commands.app import app

NAME = "assay"


def render_reference() -> str:
    """Return a section for the command and for each command of it, in the words of their help."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return "\n".join(_render(command, NAME)) + "\n"


def _render(command: TyperCommand | TyperGroup, name: str) -> Iterator[str]:
    """Yield the lines of a command, then those of the commands in it."""
    context = typer.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    yield from (f"## `{name}`", "", command.help or "", "", "```console", f"$ {usage}", "```")
    records = (one.get_help_record(context) for one in command.get_params(context))
    rows = [record for record in records if record is not None and record[0] != "--help"]
    if rows:
        yield from ("", "| argument or option | meaning |", "|---|---|")
        yield from (f"| `{term}` | {_escape(meaning)} |" for term, meaning in rows)
    yield ""
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            assert isinstance(inner, TyperCommand | TyperGroup)
            yield from _render(inner, f"{name} {inner.name}")


def _escape(text: str) -> str:
    """Return text for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(render_reference())
