"""Pieces of lines between citation marks, and the texts that they make."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.line_pieces import (
    Pieces,
    citation_size,
    copy_pieces,
    join_pieces,
    list_pieces,
    strip_pieces,
)
from pipelines.words import Text
from pipelines.words.text_lines import encode

CITATION = re.compile(r"\[(?:edit|citation needed|[0-9]*)\]")
parts = st.sampled_from(
    [
        "[1]",
        "[]",
        "[edit]",
        "[citation needed]",
        "[edit",
        "[Edit]",
        "[1a]",
        "[12]",
        "a",
        " ",
        "]",
        "é",
    ]
)
lines = st.lists(parts, max_size=8).map("".join)
spaces = st.text(st.sampled_from(" \t\u3000"), max_size=2)


def view(documents):
    return Text.view(pa.array(documents, pa.string()))


def cut(line):
    """The pieces of one line: rows, and their texts."""
    data = encode(line)
    rows = np.empty((len(data) + 1, 3), np.int64)
    rows = rows[: list_pieces(data, 0, len(data), rows, 0)]
    return rows, [bytes(data[start:end]).decode() for start, end, _ in rows]


@given(lines)
def test_pieces_are_what_citations_leave(line):
    rows, pieces = cut(line)
    assert pieces == [piece for piece in CITATION.split(line) if piece]
    assert rows[:, 2].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0][: len(rows)]


@given(lines)
def test_a_citation_is_one_of_the_marks(line):
    data = encode(line)
    for match in CITATION.finditer(line):
        at = len(line[: match.start()].encode())
        assert citation_size(data, at, len(data)) == len(match[0])
        assert citation_size(data, at, at + len(match[0]) - 1) == 0  # cut off


@given(lines)
def test_copied_pieces_are_the_line_without_citations(line):
    rows, pieces = cut(line)
    scratch = np.empty(len(line.encode()) + 1, np.uint8)
    size = copy_pieces(encode(line), rows, scratch)
    assert bytes(scratch[:size]).decode() == "".join(pieces)


@given(st.lists(st.tuples(spaces, st.sampled_from(["", "a", "b c"]), spaces), max_size=6))
def test_stripping_pieces_strips_the_text_that_they_make(some):
    """Lines of white space at either end go, those within stay."""
    texts = ["".join(parts) for parts in some]
    data = encode("\n".join(texts))
    rows, at = np.empty((len(texts), 3), np.int64), 0
    for number, text in enumerate(texts):
        rows[number] = at, at + len(text.encode()), 1
        at += len(text.encode()) + 1
    size = strip_pieces(data, rows, 0, len(texts))
    made = ""
    for start, end, begins in rows[:size]:
        made += "\n" * int(begins) + bytes(data[start:end]).decode()
    assert made.strip() == "\n".join(texts).strip()
    assert made == made.strip()


def join(document, rows):
    joined = join_pieces(view([document]), Pieces(np.array(rows), np.array([0, len(rows)])))
    assert joined.span_offsets_D1.tolist() == [0, len(joined.spans_Sx4)]
    return bytes(joined.data).decode(), joined.spans_Sx4.tolist()


def test_what_stays_as_it_was_has_no_span():
    assert join("é one\ntwo", [(0, 6, 0), (7, 10, 1)]) == ("é one\ntwo", [])


@pytest.mark.parametrize(
    ("document", "rows", "text", "spans"),
    [
        ("a b c", [(0, 1, 0), (4, 5, 0)], "ac", [[1, 1, 1, 4]]),
        ("a\r\nb", [(0, 1, 0), (3, 4, 1)], "a\nb", [[1, 2, 1, 3]]),
        ("a\rb", [(0, 1, 0), (2, 3, 1)], "a\nb", [[1, 2, 1, 2]]),
        ("é gone é", [(8, 10, 0)], "é", [[0, 0, 0, 7]]),
        ("a gone", [(0, 1, 0)], "a", [[1, 1, 1, 6]]),
        ("a b", [(0, 1, 0), (2, 2, 0)], "a", [[1, 1, 1, 3]]),  # an empty piece is passed over
    ],
)
def test_changes_are_told_in_characters(document, rows, text, spans):
    assert join(document, rows) == (text, spans)


def test_a_text_without_pieces_is_empty():
    joined = join_pieces(
        view(["gone", "", "x"]), Pieces(np.array([[4, 5, 0]]), np.array([0, 0, 0, 1]))
    )
    assert joined.offsets_D1.tolist() == [0, 0, 0, 1]
    assert joined.spans_Sx4.tolist() == [[0, 0, 0, 4]]
    assert joined.span_offsets_D1.tolist() == [0, 1, 1, 1]
