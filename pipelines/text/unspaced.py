"""Scripts that are written without spaces between words, and what stands for a word there.

A run between spaces would be a sentence. So each character, with the marks that follow it, is a
word of its own, and n-grams of words are n-grams of characters. What that comes to differs:

- Chinese, Japanese and Yi: a character is a syllable or a word;
- Thai, Lao, Khmer, Burmese and their neighbours (Line_Break SA in Unicode, for which a dictionary
  is needed), Javanese and Balinese: a grapheme, a consonant with its vowel signs and
  tones, or a vowel that stands by itself. Several tell as much as a word
  (`settings.GRAPHEMES_A_WORD`).

Tibetan is not among them: a dot ends each syllable, which is punctuation, so a syllable is a word.
"""

import unicodedata
from functools import cache
from itertools import chain

import numpy as np

from pipelines.text.normal_form import POINTS, read_point
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Int64s, Uint8s

SPACED, CHARACTER, GRAPHEME, MARK = range(4)  # kinds of characters; a mark of either of the two
FIRST_BYTE = 0xE0  # leads the UTF-8 of all that are not SPACED

# Han with its radicals, iteration mark and zero; kana with the mark of long vowels; Han's extension
# A and main block; Yi; compatibility; half-width kana; supplements of kana; the rest of Han.
CHARACTERS = (
    *(range(0x2E80, 0x2FE0), range(0x3005, 0x3008), range(0x3041, 0x3100), range(0x31F0, 0x3200)),
    *(range(0x3400, 0x4DC0), range(0x4E00, 0xA4D0), range(0xF900, 0xFB00), range(0xFF66, 0xFFA0)),
    *(range(0x1AFF0, 0x1B170), range(0x20000, 0x40000)),
)
GRAPHEMES = (
    *(range(0xE01, 0xE80), range(0xE80, 0xF00)),  # Thai, Lao
    *(range(0x1000, 0x10A0), range(0xA9E0, 0xAA00), range(0xAA60, 0xAA80)),  # Burmese
    *(range(0x1780, 0x1800), range(0x19E0, 0x1A00)),  # Khmer
    *(range(0x1950, 0x19E0), range(0x1A20, 0x1AB0), range(0xAA80, 0xAAE0)),  # Tai scripts
    *(range(0x1B00, 0x1B80), range(0xA980, 0xA9E0)),  # Balinese, Javanese
    range(0x11700, 0x11750),  # Ahom
)


@cache
def tabulate_unspaced() -> Uint8s:
    """Return the kind of every character, uint8 [POINTS]."""
    kinds = np.full(POINTS, SPACED, np.uint8)
    for block in CHARACTERS:
        kinds[block.start : block.stop] = CHARACTER
    for point in chain(*GRAPHEMES):
        category = unicodedata.category(chr(point))
        if category != "Cn":
            kinds[point] = MARK if category[0] == "M" else GRAPHEME
    kinds[[0x3099, 0x309A]] = MARK  # か with its dots is one character
    return kinds


@njit
def find_graphemes(data: Uint8s, starts_N: Int64s, kinds: Uint8s) -> Bools:
    """Return which of N words, by where their sources begin in `data`, are graphemes."""
    graphemes_N = np.empty(len(starts_N), np.bool_)
    for word in range(len(starts_N)):
        graphemes_N[word] = kinds[read_point(data, starts_N[word])[0]] == GRAPHEME
    return graphemes_N
