"""Symbol lines against a plain reading of the reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.edits.symbols import remove_symbol_lines
from pipelines.words.punctuation import PUNCTUATION
from tests.pipelines.edits.test_spans import assert_leads_back

texts = st.lists(
    st.sampled_from(
        ["* * *", "---", "word", " ", "\n", "\r\n", "\u2028", "\x1f", "\x85", "- x", "…", "¡"]
    )
    | st.text(max_size=3),
    max_size=14,
).map("".join)


def is_symbolic(line):
    return bool(line.strip()) and all(c in PUNCTUATION or c == " " for c in line)


@given(texts)
def test_symbol_lines_go_and_nothing_else(text):
    lines = text.splitlines()
    kept = [line for line in lines if not is_symbolic(line)]
    edited = remove_symbol_lines(text)
    assert edited.text == ("\n".join(kept) if len(kept) < len(lines) else text)
    assert_leads_back(text, edited.text, edited.spans)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("one\n* * *\ntwo\n", "one\ntwo"),
        ("***\n\none\r\n---", "\none"),
        ("---\n???", ""),
        ("one\r\n\r\ntwo\r\n", "one\r\n\r\ntwo\r\n"),
        ("- one\n\t\n", "- one\n\t\n"),
        ("", ""),
    ],
)
def test_examples(text, cleaned):
    assert remove_symbol_lines(text).text == cleaned


def test_spans_say_which_line_went():
    text = "one\n* * *\ntwo"
    edited = remove_symbol_lines(text)
    assert [text[a:b] for _, _, a, b in edited.spans] == ["\n* * *\n"]
