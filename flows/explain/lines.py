"""Pieces that both pages are printed of: titles, quoted text, tables without lines, numbers."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.graphemes import set_apart
from flows.visible import show

Story = Mapping[str, Any]  # as JSON has it: `assay explain --json` prints all of it

NOTHING = "-"
MARK = "bold reverse"
OPEN, CLOSE = (
    "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}"
)
END = "end of text"


def open_table(*right: str) -> Table:
    """Return a table without lines; the columns named are of numbers, after one of names."""
    table = Table(box=None, pad_edge=False, show_header=any(right))
    table.add_column("", no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def print_title(title: str, console: Console) -> None:
    """Print a heading."""
    console.print(Text(f"\n{title}", style="bold"))


def print_facts(facts: Mapping[str, str], console: Console) -> None:
    """Print names and what is known of them, in two columns."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(show(name)), Text(show(value)))
    console.print(table)


def quote(context: Mapping[str, Any]) -> Text:
    """Return a token in its context, marked so that it shows without colour too."""
    return Text.assemble(
        "…" if context.get("more_before") else "",
        show(context["before"]),
        (OPEN + (show(set_apart(context["token"])) or END) + CLOSE, MARK),
        show(set_apart(context["after"])),
        "…" if context.get("more_after") else "",
    )


def number(value: float | None, form: str = ",.3f") -> str:
    """Return a number with a minus sign that is one, or a dash for none."""
    return NOTHING if value is None else format(value, form).replace("-", "\N{MINUS SIGN}")
