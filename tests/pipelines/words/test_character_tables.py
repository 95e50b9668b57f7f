"""What the kernels know of characters is what spaCy's rules and Unicode say."""

import unicodedata

import pytest

from pipelines.words import character_tables
from pipelines.words.character_tables import (
    ALPHA_CLASS,
    DIGIT,
    ENDS_SENTENCE,
    HYPHEN,
    INFIX,
    LETTER,
    LIMIT,
    LOWER_CLASS,
    NOT_PUNCTUATION,
    PREFIX,
    SUFFIX,
    UNICODE_PUNCTUATION,
    UPPER_CLASS,
    list_units,
    mark_character,
    tabulate_characters,
)
from pipelines.words.english import english
from pipelines.words.punctuation import PUNCTUATION

FLAGS = tabulate_characters(english())


@pytest.mark.parametrize("point", [0x0, 0x24, 0x28, 0x2E, 0x41, 0x61, 0xAB, 0x2014, LIMIT - 1])
def test_prefixes_and_suffixes_are_those_of_one_character(point):
    character = chr(point)
    assert bool(FLAGS[point] & PREFIX) == bool(english().prefix_search(character))
    assert bool(FLAGS[point] & SUFFIX) == bool(english().suffix_search(character))
    assert bool(FLAGS[point] & INFIX) == any(english().infix_finditer(character))


def test_classes_of_letters():
    small, capital, other = (FLAGS[ord(letter)] for letter in "aAא")
    assert small & ALPHA_CLASS
    assert small & LOWER_CLASS
    assert not small & UPPER_CLASS
    assert capital & UPPER_CLASS
    assert not capital & LOWER_CLASS
    assert other & ALPHA_CLASS
    assert [bool(FLAGS[ord(c)] & DIGIT) for c in "09a٣"] == [True, True, False, False]
    assert {chr(point) for point in range(LIMIT) if FLAGS[point] & HYPHEN} == set("-~–—")


def test_flags_of_words_are_those_of_their_characters():
    for point in (*range(0x250), 0x2026, 0x3002):
        character = chr(point)
        flags = mark_character(character)
        assert bool(flags & NOT_PUNCTUATION) == (character not in PUNCTUATION)
        assert bool(flags & LETTER) == character.isalpha()
        assert bool(flags & UNICODE_PUNCTUATION) == (unicodedata.category(character)[0] == "P")
        if point < LIMIT:
            assert FLAGS[point] & flags == flags
    assert [bool(mark_character(c) & ENDS_SENTENCE) for c in ".!?。,a"] == [True] * 4 + [False] * 2


def test_no_two_flags_share_a_bit():
    names = "PREFIX SUFFIX INFIX ALPHA_CLASS UPPER_CLASS LOWER_CLASS DIGIT BEFORE_DOT DOT_BEFORE"
    names += " DOT_AFTER HYPHEN NOT_PUNCTUATION LETTER UNICODE_PUNCTUATION ENDS_SENTENCE"

    flags = [getattr(character_tables, name) for name in names.split()]
    assert all(flag.bit_count() == 1 for flag in flags)
    assert len(set(flags)) == len(flags)
    assert max(flags) < 2**16


def test_units_are_plain_strings():
    units = list_units()
    assert {"km", "GB", "$", "°"} <= {*units, "°"}
    assert not any("\\" in unit for unit in units)
