"""Scripts without spaces: what is one word there."""

import unicodedata

import numpy as np
import pytest

from pipelines.text.unspaced import (
    CHARACTER,
    FIRST_BYTE,
    GRAPHEME,
    MARK,
    SPACED,
    find_graphemes,
    tabulate_unspaced,
)
from pipelines.text.word_hashes import list_words
from tests.pipelines.dedupe.simple import view


def test_kinds_of_characters():
    kinds = tabulate_unspaced()
    for text, kind in (
        ("\u4e2d\u3042\u30ab\uff76\ua000\U00020b9f", CHARACTER),
        ("\u0e01\u0e81\u1000\u1780\ua984\u1b05", GRAPHEME),
        ("\u0e35\u0eb4\u102d\u17b7\ua9b6\u3099", MARK),
        ("a\u00e9\u0915\u093f\ud55c\u0628\u0f40\u1200", SPACED),
    ):
        assert {int(kinds[ord(character)]) for character in text} == {kind}


def test_no_unspaced_character_has_a_lower_first_byte():
    unspaced = np.flatnonzero(tabulate_unspaced() != SPACED)
    assert min(chr(point).encode()[0] for point in unspaced) == FIRST_BYTE


def test_marks_are_marks_of_unicode():
    marks = np.flatnonzero(tabulate_unspaced() == MARK).tolist()
    assert {unicodedata.category(chr(point))[0] for point in marks} == {"M"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48 water", 3),  # two syllables of Thai
        ("\u1780\u17d2\u1798\u17b6", 2),  # Khmer: a consonant and the one below it
        ("\u0f56\u0f7c\u0f51\u0f0b\u0f61\u0f72\u0f42", 2),  # Tibetan syllables, with a dot between
        ("\u65e5\u672c\u8a9e", 3),
        ("\u0939\u093f\u0902\u0926\u0940 \u092d\u093e\u0937\u093e", 2),
    ],
)
def test_words(text, words):
    assert len(list_words(view([text])).hashes_N) == words


def test_graphemes_are_told_from_other_words():
    text = view(["\u0e17\u0e35\u0e48 x", "\u65e5\u0e01"])
    starts = list_words(text).starts_N
    assert find_graphemes(text.data, starts, tabulate_unspaced()).tolist() == [
        True,
        False,
        False,
        True,
    ]
