"""An evaluation as a table for people."""

from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from trainer.run.metrics import Evaluation

NOTHING = "-"


def print_evaluation(row: Evaluation, console: Console) -> None:
    """Print every number of an evaluation."""
    table = Table(show_header=False)
    for name, value in asdict(row).items():
        table.add_row(name, format_number(value))
    console.print(table)


def format_number(value: float | None) -> str:
    """Return a loss with four decimals, a count with thousands marked."""
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
