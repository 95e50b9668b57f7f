"""Chunks of texts and the white space between them."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.words import Text
from pipelines.words.chunks import MAY_BE_SPACE, count_words, expand, find_chunks, space_size
from pipelines.words.memo import CHUNK

SPACES = [chr(point) for point in range(0x110000) if chr(point).isspace()]
texts = st.text(st.sampled_from([*SPACES, *"ab", "é", "日", "\u200b", "\U0001f600"]), max_size=12)


def test_white_space_is_that_of_str():
    for point in (*range(0x3100), 0xFEFF, 0x1F600):
        if 0xD800 <= point < 0xE000:
            continue
        data = np.frombuffer(chr(point).encode(), np.uint8)
        assert space_size(data, 0, len(data)) == len(data) * chr(point).isspace(), hex(point)


def test_every_first_byte_of_white_space_is_looked_at():
    firsts = {character.encode()[0] for character in SPACES}
    assert firsts == set(np.flatnonzero(MAY_BE_SPACE).tolist())


def test_white_space_that_a_range_cuts_is_none():
    data = np.frombuffer("\u3000\xa0".encode(), np.uint8)
    assert [space_size(data, 0, end) for end in (1, 2, 3)] == [0, 0, 3]
    assert [space_size(data, 3, end) for end in (4, 5)] == [0, 2]


@given(st.lists(texts, max_size=5))
def test_chunks_are_those_of_split_text_by_text(documents):
    text = Text.view(pa.array(documents, pa.string()))
    starts, ends = np.empty((2, len(text.data) // 2 + len(text.offsets)), np.int64)
    counts = np.zeros(len(documents), np.int64)
    found = find_chunks(text.data, text.offsets, starts, ends, counts)
    assert found == counts.sum()
    assert counts.tolist() == [len(document.split()) for document in documents]
    chunks = [
        bytes(text.data[a:b]).decode() for a, b in zip(starts[:found], ends[:found], strict=True)
    ]
    assert chunks == [chunk for document in documents for chunk in document.split()]


def test_chunks_of_one_byte_fill_the_room_that_is_made():
    text = Text.view(pa.array(["a b c", "d", "e f"]))
    starts, ends = np.empty((2, len(text.data) // 2 + len(text.offsets)), np.int64)
    assert find_chunks(text.data, text.offsets, starts, ends, np.zeros(3, np.int64)) == 6


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_words_of_chunks_lie_in_a_row(sizes, data):
    firsts = np.cumsum([0, *sizes[:-1]])
    chunks = np.array(list(zip(firsts.tolist(), sizes, strict=True)), CHUNK)
    slots = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8)), np.int32)
    expected = [
        first + at for slot in slots for first in [firsts[slot]] for at in range(sizes[slot])
    ]
    counts = count_words(slots, chunks)
    assert counts.tolist() == [sizes[slot] for slot in slots]
    places = np.empty(counts.sum(), np.int64)
    expand(slots, chunks, places)
    assert places.tolist() == expected
