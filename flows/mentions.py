"""Words of any script: where one begins and ends in a text, and where it stood before."""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

OTHER, LETTER, UNSPACED = range(3)  # kinds of characters; UNSPACED: of scripts without spaces
LONGEST = 64  # characters of a word on either side of a token; a longer one is no word


class Span(NamedTuple):
    """A part of a text, from `start` to `end`, exclusive."""

    start: int
    end: int


@cache
def sort_character(character: str) -> int:
    """Return the kind of a character; a mark is a letter, since it stands on one."""
    from pipelines.text.unspaced import SPACED, tabulate_unspaced  # compiles: slow to import

    if unicodedata.category(character)[0] not in "LM":
        return OTHER
    return LETTER if tabulate_unspaced()[ord(character)] == SPACED else UNSPACED


def find_word(text: str, start: int, end: int) -> Span | None:
    """Return the whole word that a token, `start` to `end`, is or is a part of; None: of no word.

    Digits count as letters. In scripts without spaces a word is what the token has of it. Of
    several words the first counts. A single letter is not a word.
    """
    first = next((at for at in range(start, end) if _is_inner(text[at])), None)
    if first is None:
        return None
    last = next((at for at in range(first, end) if not _is_inner(text[at])), end)
    if any(sort_character(one) == UNSPACED for one in text[first:last]):
        return Span(first, last)
    begins, stops = max(0, first - LONGEST), min(len(text), last + LONGEST)
    while first > begins and _is_inner(text[first - 1]):
        first -= 1
    while last < stops and _is_inner(text[last]):
        last += 1
    return Span(first, last) if last - first > 1 else None


def find_mention(text: str, word: Span, begin: int) -> Span | None:
    """Return where the word stands last before itself, from `begin` on, in capitals or not."""
    wanted = text[word.start : word.end]
    unspaced = any(sort_character(one) == UNSPACED for one in wanted)
    found = None
    for match in re.compile(re.escape(wanted), re.IGNORECASE).finditer(text, begin, word.start):
        start, end = match.span()
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        if unspaced or not any(map(_is_inner, around)):
            found = Span(start, end)
    return found


def _is_inner(character: str) -> bool:
    return sort_character(character) != OTHER or character.isnumeric()
