"""Chunks that are words as they stand, against spaCy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text.normal_chunks import copy_others, find_chunks, list_letters
from pipelines.words import Text, split_words
from pipelines.words.english import english
from pipelines.words.hashing import hash_text, scatter
from tests.pipelines.dedupe.simple import split_unspaced, view

LETTERS = [chr(point) for point in np.flatnonzero(list_letters())]
SPECIALS = sorted(special for special in english().rules if special.split() == [special])
pieces = st.sampled_from(
    [*SPECIALS, "0", "0km", "dont", "\u65e5\u672c", "\uff76x\U00020b9f", "a.m", "x0", "-"]
)
pieces = pieces | st.text(st.sampled_from(LETTERS), min_size=1, max_size=6)
chunks = st.lists(pieces, max_size=3).map("".join) | st.just("")
normal_texts = st.lists(chunks, max_size=12).map(" ".join)


@given(st.lists(normal_texts, max_size=4))
def test_whole_chunks_are_words(documents):
    text = view(documents)
    chunks = find_chunks(text)
    expected = [chunk for document in documents for chunk in split_unspaced(document)]
    bounds = zip(chunks.starts_K, chunks.ends_K, strict=True)
    assert [bytes(text.data[start:end]).decode() for start, end in bounds] == expected
    counts_D = [len(split_unspaced(document)) for document in documents]
    assert chunks.offsets_D1.tolist() == np.cumsum([0, *counts_D]).tolist()
    for chunk, value, whole in zip(expected, chunks.hashes_K, chunks.whole_K, strict=True):
        assert value == scatter(np.uint64(hash_text(chunk)))
        assert not whole or split_words(chunk) == [chunk]
    others = [c for c, whole in zip(expected, chunks.whole_K, strict=True) if not whole]
    assert bytes(copy_others(text.data, chunks)).decode() == "".join(f"{c} " for c in others)


def test_no_letter_is_cut_at():
    chunks = [f"{a}{letter}{b}" for letter in LETTERS for a in ("", "x") for b in ("", "x")]
    assert [chunk for chunk in chunks if split_words(chunk) != [chunk]] == []


def test_words_of_letters_are_whole_and_special_cases_are_not():
    found = find_chunks(view(["water вода νερο 0 cannot dont 0km x0"]))
    assert found.whole_K.tolist() == [True, True, True, True, *[False] * 4]


def test_each_character_of_a_script_without_spaces_is_a_word():
    """Chinese and Japanese; kana with their dots, Thai and Burmese letters with their signs."""
    characters = [*"\u4e2d\u6587b\u30ab\u30bf\U00020b9f", "\u304b\u3099", "\u0e19\u0e35\u0e49"]
    characters += ["\u1019\u103c", "\ua98f\ua9c0"]
    text = view(["a" + "".join(characters) + " \u1112\u1161 \u0939\u093f\u0902\u0926\u0940"])
    found = find_chunks(text)
    bounds = zip(found.starts_K, found.ends_K, strict=True)
    words = [bytes(text.data[start:end]).decode() for start, end in bounds]
    assert words == ["a", *characters, "\u1112\u1161", "\u0939\u093f\u0902\u0926\u0940"]
    assert found.whole_K.all()


def test_the_texts_data_may_begin_and_end_elsewhere():
    text = view(["one", "two words", "x"])
    some = Text(text.data, text.offsets[1:3])
    found = find_chunks(some)
    assert found.starts_K.tolist() == [3, 7]
    assert found.offsets_D1.tolist() == [0, 2]
