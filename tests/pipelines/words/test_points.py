"""Chunks as code points, with the hash of any part."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.words.character_tables import LIMIT
from pipelines.words.english import LONGEST
from pipelines.words.hashing import hash_text, make_set
from pipelines.words.points import UNKNOWN, contains, decode, hash_part, make_points

texts = st.text(st.characters(max_codepoint=LIMIT - 1, exclude_categories=["Cs"]), max_size=20)


def decode_text(text, before=""):
    data = np.frombuffer((before + text).encode(), np.uint8)
    points = make_points()
    return decode(data, len(before.encode()), len(data), points), points


@given(texts, texts)
def test_points_are_those_of_the_text(text, before):
    count, points = decode_text(text, before)
    assert count == len(text)
    assert points.codes[:count].tolist() == [ord(character) for character in text]
    sizes = [len(character.encode()) for character in text]
    assert points.ends[: count + 1].tolist() == np.cumsum([0, *sizes]).tolist()


@given(texts, st.integers(0, 20), st.integers(0, 20))
def test_parts_have_the_hashes_of_their_bytes(text, one, other):
    _, points = decode_text(text)
    first, last = sorted((min(one, len(text)), min(other, len(text))))
    assert hash_part(points, first, last) == hash_text(text[first:last])


def test_what_is_too_long_or_beyond_the_limit_is_left_to_spacy():
    assert decode_text("é" * LONGEST)[0] == LONGEST
    assert decode_text("a" * (LONGEST + 1))[0] == UNKNOWN
    assert decode_text("a" + chr(LIMIT - 1))[0] == 2
    for character in (chr(LIMIT), "日", "\U0001f600"):
        assert decode_text("a" + character)[0] == UNKNOWN


def test_one_set_of_buffers_serves_chunk_after_chunk():
    points = make_points()
    for text in ("a long one", "é", "x9"):
        data = np.frombuffer(text.encode(), np.uint8)
        count = decode(data, 0, len(data), points)
        assert hash_part(points, 0, count) == hash_text(text)


@given(st.sets(texts, max_size=10), texts)
def test_a_set_of_hashes_contains_what_it_was_made_of(some, other):
    some = some - {""}  # its hash is 0, which marks a free slot
    keys = make_set([hash_text(text) for text in sorted(some)])
    for text in (some | {other}) - {""}:
        assert contains(keys, np.uint64(hash_text(text))) == (text in some)
