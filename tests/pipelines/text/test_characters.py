"""What becomes of single characters: accents and points go, vowel signs stay, shapes are folded."""

import unicodedata

import pytest

from pipelines.text.characters import decompose, fold, is_blank, is_dropped
from tests.pipelines.dedupe import simple

EVERY = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
ASSIGNED = [character for character in EVERY if unicodedata.category(character) not in ("Cn", "Co")]


def test_what_is_dropped_follows_from_the_names_of_unicode():
    wrong = [c for c in ASSIGNED if is_dropped(c) != simple.is_gone(c)]
    assert wrong == []


def test_blanks_are_those_of_the_plain_way():
    wrong = [c for c in ASSIGNED if is_blank(c) != (simple.is_space(c) or c.isspace())]
    assert wrong == []


@pytest.mark.parametrize(
    ("character", "usual"),
    [
        ("\uff21", "a"),  # wide
        ("\uff76", "\u30ab"),  # half-width kana
        ("\ufb01", "fi"),
        ("\ufefb", "\u0644\u0627"),  # lam and alef
        ("\U0001d400", "a"),  # mathematical bold
        ("\u2f08", "\u4eba"),  # a radical
        ("\u0e33", "\u0e4d\u0e32"),  # Thai AM
        ("\uff0c", ","),
        ("\u00b2", "\u00b2"),  # raised: a square is not a two
        ("\u2122", "\u2122"),
        ("\u00bd", "\u00bd"),
        ("\u00a8", "\u00a8"),  # an accent that stands alone
        ("e", "e"),
    ],
)
def test_one_letter_in_another_shape_is_that_letter(character, usual):
    assert fold(character) == usual


def test_no_shape_grows_beyond_the_room_that_there_is():
    growing = [c for c in ASSIGNED if len(decompose(fold(c)).encode()) > 3 * len(c.encode())]
    assert growing == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("caf\u00e9", "cafe"),
        ("\u1ec7", "e"),
        ("\u0439", "\u0438"),  # Cyrillic short i
        ("\u03ac", "\u03b1"),
        ("\u0623\u064f", "\u0627"),  # Arabic alef with hamza and damma
        ("\u05e9\u05c1\u05b8", "\u05e9"),  # Hebrew shin with its points
        ("\u092b\u0942\u0932", "\u092b\u0942\u0932"),  # Hindi: flower, not fruit
        ("\u0e17\u0e35\u0e48", "\u0e17\u0e35\u0e48"),
        ("\u304c", "\u304b\u3099"),
        ("a\u200b\u00ad\ufeff\u2060\u200db\ufe0f", "ab"),
        ("", ""),
    ],
)
def test_marks_that_are_letters_stay(text, expected):
    assert decompose(text) == expected
