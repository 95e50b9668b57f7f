"""Passages that several documents hold, against plain counting."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.dedupe.passages import find_pieces, mark, to_arrow
from pipelines.settings import PassageSettings
from pipelines.words import Text
from tests.pipelines.dedupe.plain import SETTINGS, documents, mark_all, mark_plainly, view
from weighting.contracts.documents import PASSAGES


@settings(max_examples=400)
@given(documents, st.integers(1, 5), st.integers(1, 9), st.integers(2, 3))
@example(["a b c d e f", "a b c", "b c d", "a b c"], 3, 30, 2)
@example(["line\r\nline", "line\rline\n\n", "line"], 9, 1, 2)
@example(["日本日本 éé\u2028日本", "日本日本 éé\x85\n日本"], 2, 4, 2)
def test_marks_are_those_of_plain_counting(texts_D, words, line_chars, least):
    wanted = PassageSettings(words, line_chars, least)
    assert mark_all(texts_D, wanted) == mark_plainly(texts_D, wanted)


@given(documents, st.lists(st.integers(0, 3), max_size=4), st.integers(1, 5), st.randoms())
def test_marks_do_not_depend_on_units_partitions_and_order(texts_D, sizes, partitions, random):
    expected = mark_all(texts_D, SETTINGS)
    assert mark_all(texts_D, SETTINGS, sizes, partitions) == expected
    order = random.sample(range(len(texts_D)), len(texts_D))
    shuffled = mark_all([texts_D[at] for at in order], SETTINGS, sizes, partitions)
    assert shuffled == [expected[at] for at in order]


@given(st.lists(st.text(max_size=12), max_size=4))
def test_any_text_is_marked_as_plain_counting_does(texts_D):
    clean = [text.encode("utf-8", "replace").decode() for text in texts_D]
    clean += clean[:1]
    assert mark_all(clean, SETTINGS) == mark_plainly(clean, SETTINGS)


TAIL = "one two three four"


@pytest.mark.parametrize(
    ("texts_D", "expected"),
    [
        (["", "\n", "\r\n \x85", "a b"], [[], [], [], []]),
        (["same line\nsame line\nsame line", "other"], [[], []]),  # within one document only
        (
            [f"x {TAIL}!", f"One\n(two)\nthree, four {'y' * 9}"],
            [[(2, 20, "run", 2)], [(0, 21, "run", 2)]],
        ),
        (  # the middle is in three, the ends in two
            ["p a b c d e q", "r a b c d e s", "t b c d u"],
            [
                [(2, 3, "run", 2), (4, 9, "run", 3), (10, 11, "run", 2)],
                [(2, 3, "run", 2), (4, 9, "run", 3), (10, 11, "run", 2)],
                [(2, 7, "run", 3)],
            ],
        ),
        (  # a line is told apart by case, a run is not
            [" a line \nz", "a line", "A Line"],
            [[(1, 7, "line", 2)], [(0, 6, "line", 2)], []],
        ),
        (  # a paragraph within which the white space at the ends of lines does not matter
            ["x\n\n  ab\n\tcd\n\ny", "ab \r\ncd"],
            [[(5, 11, "paragraph", 2)], [(0, 7, "paragraph", 2)]],
        ),
        (["v1.5 2 30,4", "V1.5: 2 304", "v1.6 2 30,4"], [[(0, 11, "run", 2)]] * 2 + [[]]),
        (["ab\n\ncd", "ab\ncd", "ab\n \ncd"], [[], [], []]),  # one line is no paragraph
    ],
)
def test_examples(texts_D, expected):
    assert mark_all(texts_D, SETTINGS) == expected


def test_windows_of_equal_counts_that_meet_are_one_run():
    texts_D = ["a b c d e f", "a b c", "d e f", "x"]
    assert mark_all(texts_D, SETTINGS)[0] == [(0, 11, "run", 2)]


def mark_everything(text):
    pieces = find_pieces(text, SETTINGS)
    return mark(text, pieces, np.full(len(pieces.keys_M), 2, np.uint64))


def test_a_slice_of_an_array_is_marked_by_its_own_places():
    passages = mark_everything(Text.view(pa.array(["before", "é a b c", "a b c"]).slice(1)))
    assert passages.starts_P.tolist() == [0, 0, 0, 0]
    assert passages.ends_P.tolist() == [7, 7, 5, 5]


def test_passages_go_to_arrow():
    array = to_arrow(mark_everything(view(["a b c", "", "a b c d"])))
    array.validate(full=True)
    assert array.type == PASSAGES
    assert array.to_pylist()[:2] == [
        [
            {"start": 0, "end": 5, "kind": "line", "documents": 2},
            {"start": 0, "end": 5, "kind": "run", "documents": 2},
        ],
        [],
    ]
    assert to_arrow(mark_everything(view([]))) == pa.array([], PASSAGES)
