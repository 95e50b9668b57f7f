"""Texts on a screen: no character is lost or cut, and no line is wider than it may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.database.answer import Column
from flows.database.cells import fold, make_grid, measure, pad

TEXT = Column("t", "VARCHAR", "varchar")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))), st.integers(2, 40))
def test_folding_loses_nothing_but_spaces_at_the_end_of_a_line(text, width):
    lines = fold(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(measure(line) <= width for line in lines if line.isascii())


@pytest.mark.parametrize(("text", "cells"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("", 0)])
def test_cells_of_a_terminal(text, cells):
    assert measure(text) == cells
    assert measure(pad(text, 9, is_right=True)) == 9


def test_no_character_is_cut():
    assert fold("ae\u0301" * 4, 3) == ["ae\u0301a", "e\u0301ae\u0301", "ae\u0301"]
    assert [measure(line) for line in fold("漢" * 5, 5)] == [4, 4, 2]
    assert fold("👨‍👩‍👧" * 2, 2)[-1].endswith("👨‍👩‍👧")


def test_a_number_is_never_shortened():
    number = Column("n", "HUGEINT", "hugeint")
    grid = make_grid([number, TEXT], [["1" * 30, "x" * 30]], 10)
    assert grid.rows == [["1" * 30, "x" * 9 + "…"]]
    assert grid.cut == 1


def test_null_and_bytes_have_texts():
    grid = make_grid([TEXT, Column("b", "BLOB", "blob")], [[None, b"\xff\x1ba"]], None)
    assert grid.rows == [["NULL", "\\xff␛a"]]
