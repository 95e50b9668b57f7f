"""Where words of languages other than English end without a space behind them.

    我们在GitHub上学习。     →   我们 在 GitHub 上 学习 。      no spaces: ICU's dictionaries
    ሰላም፡ለዓለም።          →   ሰላም ለዓለም ።                    marks that spaCy does not know

Chunks are cut there before they are looked up, so all that follows sees words. Languages that are
written without spaces (UNSPACED) are cut at the word boundaries of ICU, which has a dictionary for
each of them. In every language but English chunks are cut around punctuation marks beyond Latin,
Greek and Cyrillic; spaCy splits some of these off, and not those of Ethiopic, Armenian or Tibetan.

ICU is loaded with the first document that needs it.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from pipelines.languages.writing import ENGLISH, UNSPACED
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Int64s, Uint8s

if TYPE_CHECKING:
    from icu4py.breakers import WordBreaker

# Thai, Lao; Burmese; Khmer; Burmese again; Chinese and Japanese with their marks and wide forms;
# characters beyond 16 bits, as the surrogates of UTF-16.
SCRIPTS = (
    *((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF), (0xA9E0, 0xA9FF)),
    *((0xAA60, 0xAA7F), (0x2E80, 0xA4CF), (0xD800, 0xDFFF), (0xF900, 0xFAFF), (0xFE30, 0xFFEF)),
)
FIRST_MARK, LAST_MARK = 0x530, 0x1FFFF
LEAD = 0xD4  # the first byte of FIRST_MARK, and of nothing before it
# Marks inside words: Armenian stress and question, Hebrew geresh, Arabic decimal and thousands
# separators, Devanagari's of abbreviations, Mongolian nirugu.
INNER = frozenset("\u055a\u055b\u055c\u055e\u05f3\u05f4\u066b\u066c\u0970\u180a")
TSHEG = frozenset("\u0f0b\u0f0c")  # ends a syllable of Tibetan and stays with it
WORDSPACE = np.frombuffer("\u1361".encode(), np.uint8)  # the space of Ethiopic: of no chunk
CUT_BEFORE, CUT_AFTER = 1, 2


def find_cuts(data: Uint8s, offsets_D1: Int64s, languages_D: Sequence[str | None]) -> Int64s:
    """Return the places in `data` at which D texts are cut into words, ascending, int64.

    Text d is the bytes from offsets_D1[d] to offsets_D1[d + 1]. Nothing is cut in English, nor
    where the language is not known.
    """
    found = [np.empty(0, np.int64)]
    for text, language in enumerate(languages_D):
        if language in (None, ENGLISH):
            continue
        start, end = offsets_D1[text], offsets_D1[text + 1]
        marks = find_marks(data, start, end, _tabulate_marks())
        if language in UNSPACED:
            words = find_words(bytes(data[start:end]).decode(), language)
            marks = np.union1d(marks, words + start)
        found.append(marks)
    return np.concatenate(found)


def mark_foreign(languages_D: Sequence[str | None]) -> Bools:
    """Return which of D languages are known, and not English."""
    return np.array([language not in (None, ENGLISH) for language in languages_D], bool)


def find_words(text: str, language: str) -> Int64s:
    """Return where ICU ends words in a text, in bytes of its UTF-8, int64.

    Only boundaries beside a character of a script without spaces: what else a text has, such as
    English names and addresses, is spaCy's to split.
    """
    segments = _load_icu()(text, language).segments()
    ends_S = np.fromiter(chain.from_iterable(segments), np.int64)[1::2]  # in units of UTF-16
    units_U = np.frombuffer(text.encode("utf-16-le"), "<u2")
    wide_U1 = np.append(_tabulate_scripts()[units_U], False)
    ends_S = ends_S[wide_U1[ends_S] | wide_U1[ends_S - 1]]
    surrogate_U = units_U & 0xF800 == 0xD800  # two of them make a character of four bytes
    sizes_U = 1 + (units_U >= 0x80) + ((units_U >= 0x800) & ~surrogate_U)
    return np.asarray(np.append(0, np.cumsum(sizes_U))[ends_S], np.int64)


@cache
def _load_icu() -> "type[WordBreaker]":
    """Return ICU's word breaker with all dictionaries loaded.

    A dictionary is loaded with the first character of its script, and from then on it also has a
    say on characters that several scripts share: "ージョン" is one word until the process has seen
    a kanji, then two. So the dictionaries are loaded before any text is seen.
    """
    from icu4py.breakers import WordBreaker

    for _ in WordBreaker("\u6f22\u304b\u30ab \u0e01 \u0e81 \u1780 \u1000", ENGLISH).segments():
        pass
    return WordBreaker


@njit
def find_marks(data: Uint8s, start: int, end: int, marks: Uint8s) -> Int64s:
    """Return where bytes [start, end) are cut around marks, ascending."""
    cuts, size = np.empty(16, np.int64), 0
    at = start
    while at < end:
        lead = np.int64(data[at])
        length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        if lead >= LEAD:
            point = lead & (0x3F >> (length - 1))
            for follow in range(at + 1, at + length):
                point = (point << 6) | (np.int64(data[follow]) & 0x3F)
            mark = marks[point] if point <= LAST_MARK else 0
            if size + 2 > len(cuts):
                cuts = np.append(cuts, np.empty_like(cuts))
            if mark & CUT_BEFORE and (not size or cuts[size - 1] < at):
                cuts[size] = at
                size += 1
            if mark & CUT_AFTER:
                cuts[size] = at + length
                size += 1
        at += length
    return cuts[:size].copy()


@njit
def cut_at(
    data: Uint8s, starts_K: Int64s, ends_K: Int64s, counts_D: Int64s, cuts: Int64s
) -> tuple[Int64s, Int64s, Int64s]:
    """Return K chunks of D texts cut further: starts, ends, and the number of each text's.

    `cuts` ascend; those at the ends of a chunk, or in no chunk, cut nothing. What is cut off and a
    space is left out.
    """
    starts, ends = np.empty((2, len(starts_K) + len(cuts)), np.int64)
    left_D = np.empty_like(counts_D)
    chunk, cut, size = 0, 0, 0
    for document in range(len(counts_D)):
        before = size
        for _ in range(counts_D[document]):
            start = starts_K[chunk]
            while cut < len(cuts) and cuts[cut] < ends_K[chunk]:
                if cuts[cut] > start:
                    starts[size], ends[size] = start, cuts[cut]
                    size += not is_wordspace(data, start, cuts[cut])
                    start = cuts[cut]
                cut += 1
            starts[size], ends[size] = start, ends_K[chunk]
            size += not (start > starts_K[chunk] and is_wordspace(data, start, ends_K[chunk]))
            chunk += 1
        left_D[document] = size - before
    return starts[:size].copy(), ends[:size].copy(), left_D


@njit
def is_wordspace(data: Uint8s, start: int, end: int) -> bool:
    """Say whether bytes [start, end) are Ethiopic's space."""
    return end - start == len(WORDSPACE) and bool(np.all(data[start:end] == WORDSPACE))


@cache
def _tabulate_scripts() -> Bools:
    """Return which units of UTF-16 are of a script without spaces, bool [2^16]."""
    wide = np.zeros(2**16, bool)
    for first, last in SCRIPTS:
        wide[first : last + 1] = True
    return wide


@cache
def _tabulate_marks() -> Uint8s:
    """Return on which sides of a character a chunk is cut, uint8 [LAST_MARK + 1]."""
    sides = np.zeros(LAST_MARK + 1, np.uint8)
    for point in range(FIRST_MARK, LAST_MARK):
        mark = chr(point)
        if mark in TSHEG:
            sides[point] = CUT_AFTER
        elif mark not in INNER and unicodedata.category(mark).startswith("P"):
            sides[point] = CUT_BEFORE | CUT_AFTER
    return sides
