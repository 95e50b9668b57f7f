"""Fields by name, also in objects; which of them is the text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.fields import FieldStats, keep, locate, select, suggest_text, take, tally

ROW = {"a": {"b": {"c": 1}, "b.c": 2}, "a.b": {"c": 3}, "x": [{"y": 4}], "n": None}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a.b",)),
        ("a.b.c", ("a", "b.c")),
        ("x.y", None),
        ("n", ("n",)),
        ("n.m", None),
        ("", None),
        ("a.", None),
        (".a", None),
    ],
)
def test_a_name_leads_through_objects_and_whole_names_come_first(name, path):
    assert locate(ROW, name) == path


def test_taking_removes_the_field_only():
    row = {"data": {"text": "t", "n": 1}, "m": 2}
    assert take(row, "data.text") == "t"
    assert row == {"data": {"n": 1}, "m": 2}
    assert take(row, "data.text") is None
    assert take(row, "none") is None
    assert row == {"data": {"n": 1}, "m": 2}


def test_selecting_leaves_fields_where_they_stand():
    assert select(ROW, ["a.b.c", "n", "none"]) == {"a": {"b.c": 2}, "n": None}
    assert select(ROW, []) == {}
    assert keep(ROW, None) is ROW


NAMES = st.text("ab.", min_size=1, max_size=3)
ROWS = st.recursive(
    st.dictionaries(NAMES, st.integers(), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | st.integers(), max_size=3),
    max_leaves=6,
)


@given(ROWS, NAMES)
def test_what_is_located_is_selected_and_taken(row, name):
    path = locate(row, name)
    chosen = select(row, [name])
    assert (chosen == {}) == (path is None)
    if path:
        value = row
        for key in path:
            value = value[key]
            chosen = chosen[key]
        assert chosen == value


def test_what_rows_say_of_fields():
    rows: list[dict[str, Any]] = [
        {"t": "four", "m": {"u": 1}},
        {"t": None, "m": {}},
        {"t": "sixsix", "m": {"u": "x"}},
    ]
    stats = tally(rows)
    assert stats["t"] == FieldStats(2, ("string", "null"), 2, 10)
    assert stats["t"].mean_characters == 5
    assert stats["m.u"] == FieldStats(2, ("integer", "string"), 1, 1)
    assert stats["m"].kinds == ("object",)


def test_the_text_is_the_longest_string_by_its_mean():
    rows = [{"id": "x" * 9, "body": "a" * 5}, {"id": "x" * 9, "body": "b" * 50}]
    assert suggest_text(rows) == "body"
    assert suggest_text([{"n": 1, "empty": ""}]) is None
    assert suggest_text([]) is None
