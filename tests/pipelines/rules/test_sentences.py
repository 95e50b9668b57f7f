"""Sentences of lines, as spaCy's own sentencizer counts them."""

import numpy as np
import pyarrow as pa
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rules.line_pieces import Pieces
from pipelines.rules.sentences import SPLIT_AGAIN, count_sentences, is_space_word, list_lines
from pipelines.words import Text, split_texts
from pipelines.words.text_lines import encode

parts = st.sampled_from(
    ["One", "two", ".", "!", "?", '"', ")", "...", " ", " ", "  ", "Mr.", "é", ",", "。"]
)
lines = st.lists(parts, max_size=10).map("".join)


@pytest.fixture(scope="module")
def sentencizer():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def view(documents):
    return Text.view(pa.array(documents, pa.string()))


def count(documents):
    text = view(documents)
    return count_sentences(text, split_texts(text), list_lines(text))


@settings(max_examples=150)
@given(st.lists(lines, min_size=1, max_size=4))
def test_sentences_are_spacys_line_by_line(sentencizer, some):
    some = [line.strip() for line in some]
    expected = sum(len(list(sentencizer(line).sents)) for line in some if line)
    assert count(["\n".join(some)])[1].tolist() == [expected]


@given(st.lists(st.text(st.sampled_from("ab\n\r."), max_size=8), max_size=4))
def test_lines_are_ended_by_newlines_alone(documents):
    text = view(documents)
    pieces = list_lines(text)
    for document, (first, last) in enumerate(
        zip(pieces.offsets_D1, pieces.offsets_D1[1:], strict=False)
    ):
        found = [bytes(text.data[a:b]).decode() for a, b, _ in pieces.rows_Px3[first:last]]
        wanted = documents[document].split("\n")
        assert found == (wanted[:-1] if wanted[-1] == "" else wanted)
    assert (pieces.rows_Px3[:, 2] == 1).all()


def test_words_are_those_of_the_lines():
    text = view(["One two.\nThree, four!", "five"])
    pieces = Pieces(np.array([[9, 21, 0], [21, 25, 0]]), np.array([0, 1, 2]))
    assert count_sentences(text, split_texts(text), pieces).tolist() == [[4, 1], [1, 1]]


def test_a_line_in_pieces_has_to_be_split_again():
    text = view(["One [1] two.", "three."])
    pieces = Pieces(np.array([[0, 4, 0], [7, 12, 0], [12, 18, 0]]), np.array([0, 2, 3]))
    counts = count_sentences(text, split_texts(text), pieces)
    assert counts[0].tolist() == [SPLIT_AGAIN, 2]
    assert counts[1, 1] == 1


def test_white_space_is_a_word_unless_it_is_one_blank_after_a_word():
    data = encode(" \t  ")
    assert not is_space_word(data, 0, 0, True)
    assert not is_space_word(data, 0, 1, False)
    assert is_space_word(data, 0, 1, True)
    assert is_space_word(data, 1, 2, False)
    assert is_space_word(data, 2, 4, False)
