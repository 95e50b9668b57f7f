"""A table that does not fit is told in words: every cell is printed whole at any width."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.whole_tables import print_table


def draw(table: Table, width: int) -> str:
    stream = io.StringIO()
    print_table(table, Console(file=stream, width=width))
    return stream.getvalue()


@pytest.fixture
def funnel() -> Table:
    table = Table(title="What became of them", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("records", "%", "tokens"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("read", "1,234,567,890", "100.0", "9,876,543,210,123", style="bold")
    table.add_row(Text("dropped by rules"), "12", "<0.1", "-")
    return table


@pytest.mark.parametrize("width", [10, 30, 50, 52, 53, 80])
def test_no_cell_is_cut_at_any_width(funnel, width):
    drawn = draw(funnel, width)
    for cell in ("1,234,567,890", "9,876,543,210,123", "<0.1"):
        assert cell in drawn
    assert "…" not in drawn


def test_what_fits_is_a_table_and_what_does_not_is_told_in_words(funnel):
    assert len(draw(funnel, 80).splitlines()) == 4
    assert draw(funnel, 30).splitlines() == [
        "What became of them",
        "read: 1,234,567,890 records,",
        "100.0 %, 9,876,543,210,123",
        "tokens",
        "dropped by rules: 12 records,",
        "<0.1 %, - tokens",
    ]


def test_a_column_that_folds_gives_way():
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("1,234,567", "word " * 20)
    assert "1,234,567  word" in draw(table, 40)
