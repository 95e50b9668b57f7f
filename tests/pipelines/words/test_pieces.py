"""Chunks that are too long to be split as they are."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words import Text, forget_words, memo, split_texts, split_words
from pipelines.words.english import LONGEST, PIECE, cut_text
from pipelines.words.hashing import hash_text
from pipelines.words.pieces import cut_chunks, skip_chars

# Runs of any length around the limits, of characters of 1 to 4 bytes.
runs = st.builds(
    lambda some, length: (some * (length // len(some) + 1))[:length],
    st.text(st.sampled_from("a1=.,(é☃日\U0001f600"), min_size=1, max_size=5),
    st.sampled_from([1, 2, PIECE, PIECE + 1, LONGEST - 1, LONGEST, LONGEST + 1, 5 * PIECE + 1]),
)
texts = st.lists(runs | st.sampled_from([" ", "\n", "\u2028"]), max_size=6).map("".join)
# What made spaCy take minutes for 100 kB, or hours.
UNENDING = (
    "=", "*", "!", "?", ";", "&", "([", "\"'", "\0", "\ufffd", "\ufffda", ":)", "http://",
    "fe80::", "deadbeef:", "a:@", "a.b@c.", "1.1.1.", "don't", "\U0001f468\u200d", "\U0001f600",
)  # fmt: skip


def view(*documents):
    return Text.view(pa.array(documents, pa.string()))


def list_pieces(text):
    """The pieces of each chunk of a text, as strings."""
    data = np.frombuffer(text.encode(), np.uint8)
    sizes = [len(chunk.encode()) for chunk in text.split()]
    words = split_texts(view(text))
    assert (words.chunk_ends - words.chunk_starts).tolist() == sizes
    pieces = cut_chunks(data, words.chunk_starts, words.chunk_ends)
    strings = [
        bytes(data[start:end]).decode()
        for start, end in zip(pieces.starts_P, pieces.ends_P, strict=True)
    ]
    bounds = pieces.offsets_K1.tolist()
    return [strings[a:b] for a, b in pairwise(bounds)]


@settings(max_examples=60)
@given(texts)
@example("é" * LONGEST)
@example("é" * (LONGEST + 1) + " a")
def test_long_chunks_are_cut_and_no_other(text):
    assert "".join(cut_text(text)) == text
    of_text = [piece for part in cut_text(text) for piece in part.split()]
    of_chunks = list_pieces(text)
    assert of_text == [piece for pieces in of_chunks for piece in pieces]
    for chunk, pieces in zip(text.split(), of_chunks, strict=True):
        if len(chunk) <= LONGEST:
            assert pieces == [chunk]
        else:
            assert {len(piece) for piece in pieces[:-1]} == {PIECE}
            assert 1 <= len(pieces[-1]) <= PIECE


@settings(max_examples=60)
@given(st.lists(texts, max_size=3))
def test_words_of_a_long_chunk_are_those_of_its_pieces(documents):
    words = split_texts(view(*documents))
    for at, text in enumerate(documents):
        places = words.places[words.offsets[at] : words.offsets[at + 1]]
        expected = [word for part in cut_text(text) for word in split_words(part)]
        assert split_words(text) == expected
        assert words.vocabulary["hash"][places].tolist() == [hash_text(w) for w in expected]
        counts = words.chunk_words[words.chunk_offsets[at] : words.chunk_offsets[at + 1]]
        assert counts.tolist() == [len(split_words(chunk)) for chunk in text.split()]


@pytest.mark.parametrize("some", UNENDING)
def test_spacy_is_asked_little_of_a_text_that_has_no_end(monkeypatch, some):
    """So the time is linear in the text: 100 kB of one kind are a few pieces that come again."""
    asked = []

    def split(chunk, _):
        asked.append(chunk)
        return [chunk]

    monkeypatch.setattr(memo, "split_words", split)
    forget_words()
    text = (some * 100_000)[:100_000]
    words = split_texts(view(text))
    assert words.chunk_ends.tolist() == [len(text.encode())]
    assert sum(map(len, asked)) <= (len(some) + 1) * PIECE
    assert max(map(len, asked), default=0) <= PIECE
    forget_words()


def test_characters_are_skipped_whole():
    data = np.frombuffer("aé☃\U0001f600".encode(), np.uint8)
    assert [skip_chars(data, 0, len(data), chars) for chars in range(6)] == [0, 1, 3, 6, 10, 10]
