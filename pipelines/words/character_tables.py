"""What the word splitter's kernel knows of characters, read off spaCy's own rules at start-up.

A flag says how one character behaves in spaCy's English prefix, suffix and infix patterns, and what
the rules ask of it. Characters from LIMIT on (CJK, emoji, …) have no flags: chunks that hold one
go to spaCy itself.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from pipelines.words.english import (
    ALPHA,
    ALPHA_LOWER,
    ALPHA_UPPER,
    CURRENCY,
    UNITS,
    Sentencizer,
    Tokenizer,
)
from pipelines.words.punctuation import PUNCTUATION
from weighting.arrays import Uint16s

LIMIT = 0x2E80

PREFIX, SUFFIX, INFIX = 1, 2, 4  # split off at the start, at the end, anywhere; alone
ALPHA_CLASS, UPPER_CLASS, LOWER_CLASS, DIGIT = 8, 16, 32, 64  # spaCy's classes
BEFORE_DOT = 128  # a final full stop after it is split off
DOT_BEFORE, DOT_AFTER = 8192, 16384  # a full stop between the two is an infix
HYPHEN = 256
HYPHENS = "-~\N{EN DASH}\N{EM DASH}"
SENTENCE_ENDS = frozenset(Sentencizer.default_punct_chars)
# What rules ask of words.
NOT_PUNCTUATION, LETTER, UNICODE_PUNCTUATION, ENDS_SENTENCE = 512, 1024, 2048, 4096


@cache
def tabulate_characters(tokenizer: Tokenizer) -> Uint16s:
    """Return the flags of the characters below LIMIT, uint16 [LIMIT]."""
    prefix, suffix = (
        re.compile(search.__self__.pattern)
        for search in (tokenizer.prefix_search, tokenizer.suffix_search)
    )
    infix = re.compile(tokenizer.infix_finditer.__self__.pattern)
    alpha, upper, lower = (re.compile(f"[{c}]") for c in (ALPHA, ALPHA_UPPER, ALPHA_LOWER))
    tests: Mapping[int, Callable[[str], bool]] = {
        PREFIX: lambda c: bool(prefix.match(c)),
        SUFFIX: lambda c: bool(suffix.search(c)),
        INFIX: lambda c: bool(infix.search(c)),
        ALPHA_CLASS: lambda c: bool(alpha.match(c)),
        UPPER_CLASS: lambda c: bool(upper.match(c)),
        LOWER_CLASS: lambda c: bool(lower.match(c)),
        DIGIT: "0123456789".__contains__,
        BEFORE_DOT: lambda c: (found := suffix.search(c + ".")) is not None and found.start() == 1,
        DOT_BEFORE: lambda c: (found := infix.search(c + ".A")) is not None and found.start() == 1,
        DOT_AFTER: lambda c: (found := infix.search("a." + c)) is not None and found.start() == 1,
        HYPHEN: HYPHENS.__contains__,
    }
    characters = [chr(point) for point in range(LIMIT)]
    flags = np.array([mark_character(character) for character in characters], np.uint16)
    for flag, test in tests.items():
        flags[[point for point, character in enumerate(characters) if test(character)]] |= flag
    return flags


@cache
def mark_character(character: str) -> int:
    """Return the flags of any character that rules ask of words."""
    return (
        NOT_PUNCTUATION * (character not in PUNCTUATION)
        | LETTER * character.isalpha()
        | UNICODE_PUNCTUATION * unicodedata.category(character).startswith("P")
        | ENDS_SENTENCE * (character in SENTENCE_ENDS)
    )


def list_units() -> list[str]:
    """Return the units and currencies that are split from a digit before them."""
    return [unit.replace("\\", "") for unit in f"{UNITS}|{CURRENCY}".split("|")]
