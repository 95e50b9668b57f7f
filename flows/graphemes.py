"""Where a reader sees a character end, so that no excerpt ends within one.

What is read as one character (a *grapheme*) may be several code points: a letter with its accents,
a syllable of Devanagari, a family of emoji. Cut within, the rest reads as something else.
Borders are those of Unicode's Annex 29, by wcwidth.
"""

import unicodedata
from itertools import accumulate, takewhile

from wcwidth import grapheme_boundary_before, wcwidth

LONGEST = 32  # code points; a letter with more marks is no letter, and may be cut
LOOKED_AT = 1000  # code points before a place; where flags follow one another, they are counted
DOTTED_CIRCLE = "\N{DOTTED CIRCLE}"
# What joins or varies its neighbours and shows nothing alone: joiners and variation selectors.
_JOINING = {0x200C, 0x200D, *range(0xFE00, 0xFE10)}


def find_border(text: str, at: int) -> int:
    """Return the last place at or before `at`, in code points, where a grapheme begins or ends."""
    if not 0 < at < len(text):
        return min(max(at, 0), len(text))
    begin = max(0, at - LOOKED_AT)
    border = begin + grapheme_boundary_before(text[begin : at + 1], at + 1 - begin)
    return border if at - border <= LONGEST else at


def shorten(text: str, width: int) -> str:
    """Return at most `width` code points, an ellipsis at the end where some are left out."""
    return text if len(text) <= width else text[: find_border(text, width - 1)] + "…"


def cut_around(text: str, start: int, end: int, room: int) -> tuple[str, str]:
    """Return what stands before and behind a part of a text, each of some `room` terminal cells.

    An ideograph takes two cells, a mark none.
    """
    begin = start - _count_fitting(text[max(0, start - 2 * room) : start][::-1], room)
    stop = end + _count_fitting(text[end : end + 2 * room], room)
    return text[find_border(text, begin) : start], text[end : max(end, find_border(text, stop))]


def _count_fitting(characters: str, room: int) -> int:
    """Return how many characters, from the first on, take at most `room` cells."""
    cells = accumulate(max(wcwidth(character), 0) for character in characters)
    return sum(1 for _ in takewhile(lambda used: used <= room, cells))


def set_apart(text: str) -> str:
    """Return a text that reads alone: no accent on what stands before it, nothing invisible.

    A mark gets the dotted circle that Unicode shows marks on.
    """
    if text and all(ord(character) in _JOINING for character in text):
        return "".join(f"⟨U+{ord(character):04X}⟩" for character in text)
    begins_with_mark = unicodedata.category(text[:1] or " ").startswith("M")
    return f"{DOTTED_CIRCLE}{text}" if begins_with_mark else text
