"""Lines and the ends of byte ranges, against `str`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.words.text_lines import (
    MAY_BE_BREAK,
    break_size,
    count_chars,
    encode,
    ends_with,
    find_break,
    matches,
    strip_left,
    strip_right,
)

SPACES = "".join(chr(point) for point in range(0x3001) if chr(point).isspace())
BREAKS = "".join(chr(point) for point in range(0x3001) if len(f"a{chr(point)}b".splitlines()) > 1)
cased = st.text(st.sampled_from("abAB. éÉ"), max_size=6)


@given(st.text(st.sampled_from(SPACES + "ab。é"), max_size=12))
def test_stripping_is_that_of_str(text):
    data = encode(text)
    start, end = strip_left(data, 0, len(data)), strip_right(data, 0, len(data))
    assert bytes(data[start:]).decode() == text.lstrip()
    assert bytes(data[:end]).decode() == text.rstrip()


@given(st.text(st.sampled_from(BREAKS + "ab é。"), max_size=12))
def test_lines_are_those_of_splitlines(text):
    data = encode(text)
    lines, at = [], 0
    while at < len(data):
        end = find_break(data, at, len(data))
        lines.append(bytes(data[at:end]).decode())
        at = end + break_size(data, end, len(data)) if end < len(data) else end
    assert lines == text.splitlines()


def test_a_break_at_the_end_of_a_range_is_cut_there():
    data = encode("\r\n\u2028\x85")
    assert [break_size(data, 0, end) for end in (1, 2)] == [1, 2]
    assert [break_size(data, 2, end) for end in (3, 4, 5)] == [0, 0, 3]
    assert [break_size(data, 5, end) for end in (6, 7)] == [0, 2]


def test_every_first_byte_of_a_break_is_looked_at():
    firsts = {character.encode()[0] for character in BREAKS}
    assert firsts == set(np.flatnonzero(MAY_BE_BREAK).tolist())


@given(st.text(max_size=8), st.text(max_size=8))
def test_characters_are_code_points(before, text):
    before, text = (part.encode("utf-8", "replace").decode() for part in (before, text))
    data = encode(before + text)
    assert count_chars(data, len(before.encode()), len(data)) == len(text)


@given(cased, cased.map(str.lower))
def test_a_match_takes_ascii_capitals_for_small_letters(text, wanted):
    data, needle = encode(text), encode(wanted)
    lowered = text.encode().lower()  # bytes: ASCII letters alone
    assert matches(data, 0, len(data), needle) == lowered.startswith(wanted.encode())
    assert ends_with(data, 0, len(data), needle) == lowered.endswith(wanted.encode())


def test_a_match_stays_in_its_range():
    data = encode("abcd")
    assert not matches(data, 1, 3, encode("bcd"))
    assert not ends_with(data, 2, 4, encode("bcd"))
    assert ends_with(data, 1, 4, encode("bcd"))
