"""Excerpts end where a reader's characters do."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.graphemes import LONGEST, cut_around, find_border, set_apart, shorten

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # three people and two joiners
FLAGS = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"  # two letters each
ACCENTED = unicodedata.normalize("NFD", "é")
SYLLABLE = "क्षि"  # four code points, one character to a reader

parts = st.sampled_from([FAMILY, FLAGS, ACCENTED, SYLLABLE, "\r\n", "a", " ", "世"])
texts = st.lists(parts, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "at", "border"),
    [
        (f"a{FAMILY}b", 3, 1),
        (f"a{FAMILY}b", 6, 6),
        (FLAGS, 1, 0),
        (FLAGS, 2, 2),
        (FLAGS, 3, 2),
        (f"caf{ACCENTED}", 4, 3),
        (SYLLABLE, 3, 0),
        ("a\r\nb", 2, 1),
        ("abc", -5, 0),
        ("abc", 3, 3),
        ("abc", 9, 3),
    ],
)
def test_a_border_is_where_a_character_begins(text, at, border):
    assert find_border(text, at) == border


@given(texts, st.integers(-2, 60))
def test_a_border_is_near_before_and_stays(text, at):
    border = find_border(text, at)
    assert 0 <= border <= max(at, 0)
    assert min(at, len(text)) - border <= LONGEST
    assert find_border(text, border) == border


@given(texts)
def test_plain_characters_are_all_borders(text):
    plain = "".join(x for x in text if x in "a 世")
    assert [find_border(plain, at) for at in range(len(plain))] == [*range(len(plain))]


def test_a_letter_under_a_heap_of_marks_is_cut():
    heap = "z" + "\u0301" * 500
    assert find_border(heap, 300) == 300
    assert shorten(heap, 60) == heap[:59] + "…"


@pytest.mark.parametrize("width", range(2, 9))
def test_shortening_keeps_characters_whole(width):
    text = f"a{FAMILY}{FLAGS}"
    short = shorten(text, width)
    assert len(short) <= width
    assert short.endswith("…")
    assert short[:-1] in ("a", f"a{FAMILY}")
    assert shorten(text, 10) == text


def test_a_token_is_shown_among_whole_characters():
    text = f"{FAMILY}ab{FLAGS}"
    assert cut_around(text, 5, 6, 2) == (FAMILY, "b")  # not a child alone, not half a flag
    assert cut_around(text, 5, 6, 5) == (FAMILY, f"b{FLAGS[:2]}")
    assert cut_around(text, 5, 6, 99) == (FAMILY, f"b{FLAGS}")
    # The token itself may end within a character, whose accent takes no room.
    assert cut_around(f"x{ACCENTED}yz", 1, 2, 1) == ("x", f"{ACCENTED[1:]}y")


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("\u0301", "◌\u0301"),
        ("ि", "◌ि"),
        ("\u200d", "⟨U+200D⟩"),
        ("\ufe0f\u200d", "⟨U+FE0F⟩⟨U+200D⟩"),
        (FAMILY, FAMILY),
        (ACCENTED, ACCENTED),
        ("", ""),
    ],
)
def test_what_stands_alone_can_be_seen(text, alone):
    assert set_apart(text) == alone


def test_room_is_measured_in_cells():
    text = "字" * 50 + "TOKEN" + "字" * 50
    assert cut_around(text, 50, 55, 30) == ("字" * 15, "字" * 15)
    assert cut_around("a" * 50 + "TOKEN" + "b" * 50, 50, 55, 30) == ("a" * 30, "b" * 30)
