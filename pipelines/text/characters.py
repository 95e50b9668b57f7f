"""What becomes of single characters in the normal form: which are dropped, folded, spaces, or stay.

The question is always what a reader takes for the same text.

- Accents are dropped: the combining marks of Latin, Greek and Cyrillic.
- So are the points of Arabic, Hebrew and Syriac, which most texts leave out.
- All other marks are letters and stay: vowel signs, viramas and nuktas of India's scripts, Thai,
  Khmer or Burmese vowels and tones, the two dots that make か into が. Without them फूल (flower)
  would be फल (fruit).
- What cannot be seen is dropped: zero-width characters, soft hyphens, byte order marks, marks of
  direction, variation selectors, fillers. So is the Arabic stroke that stretches a word.
- One letter in another shape is folded: wide and narrow forms, Arabic presentation forms,
  ligatures, mathematical letters, radicals. Raised and lowered characters stay: m² is not m2.
- Punctuation is a space: datatrove's, and that of every script beyond Latin.

All of it is read off Python's Unicode data, but for the ranges below: the blocks of Unicode whose
marks are accents or points.
"""

import unicodedata
from itertools import chain

from pipelines.words.punctuation import MARKS

ACCENTS = (
    range(0x300, 0x370),
    range(0x483, 0x488),  # Cyrillic
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0x2DE0, 0x2E00),  # Cyrillic
    range(0xA66F, 0xA6A0),  # Cyrillic
    range(0xFE20, 0xFE30),
)
POINTS = (
    range(0x591, 0x5C8),  # Hebrew
    range(0x610, 0x61B),  # Arabic
    range(0x64B, 0x660),
    range(0x670, 0x671),
    range(0x6D6, 0x6EE),
    range(0x711, 0x74B),  # Syriac
    range(0x898, 0x900),  # Arabic
    range(0xFB1E, 0xFB1F),  # Hebrew
    range(0x10EFD, 0x10F00),  # Arabic
)
# Not seen though they are no format characters: variation selectors, Khmer vowels, Hangul fillers.
UNSEEN = (
    range(0x115F, 0x1161),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x180E),
    range(0x180F, 0x1810),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0xE0100, 0xE01F0),
)
# Format characters that are seen all the same: they stand before a number or an abbreviation.
SEEN = (
    range(0x600, 0x606),
    range(0x6DD, 0x6DE),
    range(0x70F, 0x710),
    range(0x890, 0x892),
    range(0x8E2, 0x8E3),
    range(0x110BD, 0x110CE),
)
TATWEEL = "\N{ARABIC TATWEEL}"
MAY_BE_MARKS = frozenset(chain(*ACCENTS, *POINTS))
ALWAYS = frozenset(chain(*UNSEEN, [ord(TATWEEL)]))
SEEN_FORMATS = frozenset(chain(*SEEN))

SHAPES = frozenset(
    {"<wide>", "<narrow>", "<small>", "<vertical>", "<font>"}
    | {"<initial>", "<medial>", "<final>", "<isolated>"}  # of Arabic
)
RADICALS = range(0x2E80, 0x2FE0)

BLANKS = frozenset({*MARKS, *"!.?\u3002\uff01\uff0e\uff1f"})
FIRST_SCRIPT = 0x370  # Greek: from here on, punctuation of a script is a space
# General punctuation, of which datatrove keeps some: English texts keep their normal form.
GENERAL = (range(0x2000, 0x2070), range(0x2E00, 0x2E80))


def is_dropped(character: str) -> bool:
    """Say whether a character leaves nothing in the normal form."""
    point = ord(character)
    if point in MAY_BE_MARKS:
        return unicodedata.category(character) == "Mn"
    formats = unicodedata.category(character) == "Cf" and point not in SEEN_FORMATS
    return formats or point in ALWAYS


def fold(character: str) -> str:
    """Return the usual shape of a letter or mark of punctuation, in small letters.

    >>> fold("ﬁ")
    'fi'
    """
    shape = unicodedata.decomposition(character).partition(" ")[0]
    letter = character.isalpha() or ord(character) in RADICALS
    if shape not in SHAPES and not (shape == "<compat>" and letter):
        return character
    usual = unicodedata.normalize("NFKD", character)
    if " " in usual:  # an accent that stands alone
        return character
    return "".join(part for part in usual.lower() if not is_dropped(part))


def is_blank(character: str) -> bool:
    """Say whether a character is white space or punctuation: a space in the normal form."""
    if character in BLANKS or character.isspace():
        return True
    point = ord(character)
    if point < FIRST_SCRIPT or unicodedata.category(character)[0] != "P":
        return False
    return not any(point in block for block in GENERAL)


def decompose(text: str) -> str:
    """Return a text in Unicode's form NFD, without the characters that are dropped.

    >>> decompose("cafés")
    'cafes'
    """
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(character for character in decomposed if not is_dropped(character))
