"""Tables of any width: whole numbers, as many columns as fit, straight edges."""

from hypothesis import given
from hypothesis import strategies as st

from flows.database.answer import Column
from flows.database.cells import make_grid, measure
from flows.database.table import ASCII, Style, choose_columns, draw_blocks, draw_table

KINDS = {
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "varchar": st.text("ab 漢", max_size=60),
}


@st.composite
def grids(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8))
    columns = [Column(f"column_{place}", kind.upper(), kind) for place, kind in enumerate(kinds)]
    row = st.tuples(*(KINDS[kind] | st.none() for kind in kinds))
    return make_grid(columns, draw(st.lists(row, max_size=4)), None)


@given(grids(), st.integers(1, 120))
def test_what_is_shown_is_whole_and_fits(grid, width):
    widths = choose_columns(grid, width)
    if not widths:  # not even one column fits
        return
    lines = list(draw_table(grid, widths, Style()))
    assert {measure(line) for line in lines} == {measure(lines[0])}
    assert measure(lines[0]) <= width
    for row in grid.rows:
        for column, text in list(zip(grid.columns, row, strict=True))[: len(widths)]:
            assert not column.is_number or any(f" {text} " in line for line in lines)
    assert any("…" in line for line in lines) == (len(widths) < len(grid.names))


@given(grids(), st.integers(1, 120))
def test_blocks_have_everything(grid, width):
    drawn = list(draw_blocks(grid, width, ASCII))
    words = "".join(drawn).replace(" ", "")
    assert sum(line.startswith("- row") for line in drawn) == len(grid.rows)
    for row in grid.rows:
        for column, text in zip(grid.columns, row, strict=True):
            found = words if not column.is_number else " ".join(drawn)
            assert text.replace(" ", "") in found


def test_without_a_width_every_column_is_as_wide_as_its_widest():
    columns = [Column("a", "VARCHAR", "varchar"), Column("b", "BIGINT", "bigint")]
    grid = make_grid(columns, [["x" * 300, "1"], ["", None]], None)
    assert choose_columns(grid, None) == [300, 4]


def test_rows_of_several_lines_are_parted():
    grid = make_grid([Column("a", "VARCHAR", "varchar")], [["one two three"], ["four"]], None)
    assert list(draw_table(grid, [7], ASCII)) == [
        "+---------+",
        "| a       |",
        "+=========+",
        "| one two |",
        "| three   |",
        "+---------+",
        "| four    |",
        "+---------+",
    ]
