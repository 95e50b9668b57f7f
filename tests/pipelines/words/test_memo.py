"""The vocabulary: the same entries whoever split a chunk, in whatever order they came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.words.character_tables import (
    ENDS_SENTENCE,
    LETTER,
    NOT_PUNCTUATION,
    UNICODE_PUNCTUATION,
)
from pipelines.words.english import split_words
from pipelines.words.hashing import find_slot
from pipelines.words.memo import Vocabulary, describe, rehash
from tests.pipelines.words.test_splitting import chunks

VOCABULARY = Vocabulary()


def look_up(vocabulary, some):
    """The slots of chunks given as strings."""
    encoded = [chunk.encode() for chunk in some]
    data = np.frombuffer(b"".join(encoded) or b" ", np.uint8)
    sizes = np.array([len(chunk) for chunk in encoded], np.int64)
    ends = np.cumsum(sizes)
    return vocabulary.look_up(data, ends - sizes, ends)


def read(vocabulary, slot):
    first, count = vocabulary.chunks[slot]
    return [tuple(entry) for entry in vocabulary.words[first : first + count].tolist()]


@settings(max_examples=500)
@given(st.lists(chunks | st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"])), max_size=8))
def test_entries_are_the_same_whoever_splits(some):
    """Each entry of the vocabulary is what `describe` says of the words of spaCy."""
    some = [chunk for chunk in some if chunk and len(chunk.split()) == 1]
    for slot, chunk in zip(look_up(VOCABULARY, some), some, strict=True):
        assert read(VOCABULARY, slot) == [describe(word) for word in split_words(chunk)]


@pytest.mark.parametrize("limit", ["CHUNK_LIMIT", "WORD_LIMIT"])
def test_a_vocabulary_that_is_full_starts_anew(monkeypatch, limit):
    monkeypatch.setattr(f"pipelines.words.memo.{limit}", 2)
    vocabulary = Vocabulary()
    assert len(set(look_up(vocabulary, "abcd").tolist())) == 4
    again = look_up(vocabulary, "a")
    assert vocabulary.sizes[0] == 1
    assert read(vocabulary, again[0])[0][1] == 1


def test_a_chunk_that_comes_again_has_its_slot(monkeypatch):
    """Also within the call that enters it, and where spaCy has to split it."""
    monkeypatch.setattr("pipelines.words.memo.STEP", 3)
    vocabulary = Vocabulary()
    slots = look_up(vocabulary, ["it’s", "a", "it’s", "a", "日本", "it’s"])
    assert slots.tolist() == [0, 1, 0, 1, 2, 0]
    assert [len(read(vocabulary, slot)) for slot in slots] == [2, 1, 2, 1, 1, 2]
    assert look_up(vocabulary, ["日本", "a"]).tolist() == [2, 1]


def test_a_vocabulary_grows_and_keeps_what_it_has():
    vocabulary = Vocabulary()
    few = look_up(vocabulary, ["one", "two-three"])
    before = [read(vocabulary, slot) for slot in few]
    many = [f"w{number}" for number in range(5000)]
    slots = look_up(vocabulary, many)
    assert [read(vocabulary, slot) for slot in few] == before
    assert len(set(slots.tolist())) == 5000
    assert look_up(vocabulary, [*many, "one"]).tolist() == [*slots.tolist(), few[0]]


@given(st.lists(st.integers(1, 2**64 - 1), max_size=60, unique=True), st.integers(0, 500))
def test_rehashing_keeps_all_entries(values, size):
    keys, slots = np.zeros(128, np.uint64), np.zeros(128, np.int32)
    for number, value in enumerate(values):
        place = find_slot(keys, np.uint64(value))
        keys[place], slots[place] = value, number
    more_keys, more_slots = rehash(keys, slots, size)
    assert len(more_keys) == max(128, 1 << (size - 1).bit_length() if size else 128)
    for number, value in enumerate(values):
        assert more_slots[find_slot(more_keys, np.uint64(value))] == number


def test_a_word_is_described_by_its_characters():
    assert describe("café")[1:3] == (4, 5)
    flags = {word: describe(word)[3] for word in ("a1", ".", "...", "-", "42")}
    assert [bool(flags[word] & LETTER) for word in flags] == [True, False, False, False, False]
    assert [bool(flags[word] & NOT_PUNCTUATION) for word in flags] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert [bool(flags[word] & UNICODE_PUNCTUATION) for word in flags] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert [bool(flags[word] & ENDS_SENTENCE) for word in flags] == [
        False,
        True,
        False,
        False,
        False,
    ]
