"""Tables whose numbers are whole: where one does not fit the screen, each row is a paragraph."""

import textwrap

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

GAP = 2  # columns of the screen between two of the table
FOLDED = 20  # columns of the screen that a column which folds is not narrower than


def print_table(table: Table, console: Console) -> None:
    """Print a table without lines, or, where it does not fit, its rows in words.

    Columns whose overflow is "fold" give way; of all others rich would cut cells.
    """
    if sum(map(_measure, table.columns)) + GAP * (len(table.columns) - 1) <= console.width:
        console.print(table)
        return
    if table.title:
        _print_words(Text(str(table.title), "bold"), console)
    names, *columns = (list(column.cells) for column in table.columns)
    headings = [str(column.header) for column in table.columns[1:]]
    for name, row, *cells in zip(names, table.rows, *columns, strict=True):
        pairs = zip(cells, headings, strict=True)
        parts = [f"{cell} {heading}".rstrip() for cell, heading in pairs]
        _print_words(Text(f"{name}: {', '.join(filter(None, parts))}", row.style or ""), console)


def _print_words(text: Text, console: Console) -> None:
    """Print lines that end between words: a number that is wider than the screen is left whole."""
    for line in textwrap.wrap(
        text.plain, max(console.width, 1), break_long_words=False, break_on_hyphens=False
    ):
        console.print(Text(line, text.style), soft_wrap=True)


def _measure(column: Column) -> int:
    """Return the columns of the screen that a column takes at least."""
    widest = max(_as_text(cell).cell_len for cell in (column.header, *column.cells))
    return min(widest, FOLDED) if column.overflow == "fold" else widest


def _as_text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))
