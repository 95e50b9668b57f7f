"""Tables at any width: whole cells, and a word on what is not shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.display.fitting import READABLE, fit_table, wrap

HEADINGS = ("arm", "seeds", "validation", "bits/byte", "rare")
ROWS = [
    ("plain", "3", "2.0038 ± 0.0041", "2.8909 ± 0.0060", "4.08 ± 0.21"),
    ("shuffled_w", "2 of 3", "2.011 ± 0.011", "2.901 ± 0.016", "-"),
]


def test_all_columns_where_there_is_room():
    lines = list(fit_table(HEADINGS, ROWS, 1, None))
    assert lines == [
        "arm          seeds       validation        bits/byte         rare",
        "----------  ------  ---------------  ---------------  -----------",
        "plain            3  2.0038 ± 0.0041  2.8909 ± 0.0060  4.08 ± 0.21",
        "shuffled_w  2 of 3    2.011 ± 0.011    2.901 ± 0.016            -",
    ]
    assert list(fit_table(HEADINGS, ROWS, 1, 65)) == lines


def test_fewer_columns_and_a_word_on_the_others():
    lines = list(fit_table(HEADINGS, ROWS, 1, 64))
    assert lines[2] == "plain            3  2.0038 ± 0.0041  2.8909 ± 0.0060"
    assert lines[-1] == "(1 of 5 columns do not fit and are not shown: rare)"


def test_a_block_a_row_where_a_table_does_not_fit():
    lines = list(fit_table(HEADINGS, ROWS, 1, 30))
    assert lines[:6] == [
        "arm         plain",
        "seeds       3",
        "validation  2.0038 ± 0.0041",
        "bits/byte   2.8909 ± 0.0060",
        "rare        4.08 ± 0.21",
        "",
    ]
    assert list(fit_table(HEADINGS, ROWS, 1, 20))[2:4] == ["validation", "  2.0038 ± 0.0041"]


cells = st.text("abc0123456789.±-", min_size=1, max_size=12)


@given(
    rows=st.integers(1, 6).flatmap(
        lambda size: st.lists(st.tuples(*[cells] * size), min_size=1, max_size=4)
    ),
    width=st.integers(1, 90),
)
def test_no_cell_is_ever_cut_and_none_is_lost_in_silence(rows, width):
    headings = [f"column_{number}" for number in range(len(rows[0]))]
    shown, _, told = " ".join(fit_table(headings, rows, 1, width)).partition(" (")
    assert len(told.partition("shown: ")[2].split()) == len(headings) - sum(
        heading in shown for heading in headings
    )
    for row in rows:
        for heading, cell in zip(headings, row, strict=True):
            assert cell in shown.split() or heading in told


@pytest.mark.parametrize("width", [None, 40, 200])
def test_words_are_wrapped_to_what_can_be_read(width):
    text = "word " * 60 + "a" * 120
    lines = wrap(text, width)
    assert max(map(len, lines[:-1])) <= min(width or READABLE, READABLE)
    assert lines[-1].strip() == "a" * 120
