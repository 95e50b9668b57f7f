"""The chunks of normalised texts, most of which are words as they stand.

A chunk is a run between spaces. spaCy cuts it at marks, digits and symbols, and where one of its
special cases says so. One of letters only that is not a special case is a word, and needs no look
into a vocabulary.

In scripts that are written without spaces (see `unspaced`) each character with its marks is a
chunk, and a word, of its own, wherever it stands.
"""

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np

from pipelines.text.normal_form import BLANK, ZERO, read_point
from pipelines.text.unspaced import FIRST_BYTE, MARK, SPACED, tabulate_unspaced
from pipelines.words import Text
from pipelines.words.character_tables import (
    ALPHA_CLASS,
    INFIX,
    LIMIT,
    PREFIX,
    SUFFIX,
    tabulate_characters,
)
from pipelines.words.compiled import njit
from pipelines.words.english import LONGEST, english
from pipelines.words.hashing import extend, hash_text, scatter
from weighting.arrays import Bools, Int64s, Uint8s, Uint64s

SIEVE_SHIFT = np.uint64(48)  # of a hash, so that 16 bits are left


class Chunks(NamedTuple):
    """K chunks of D texts: [starts_K, ends_K) in the texts' data, and their scattered hashes.

    `whole_K`: the chunk is known to be one word. Chunks of text d are [offsets_D1[d],
    offsets_D1[d + 1]).
    """

    starts_K: Int64s
    ends_K: Int64s
    hashes_K: Uint64s
    whole_K: Bools
    offsets_D1: Int64s


def find_chunks(text: Text) -> Chunks:
    """Return the chunks of D normalised texts."""
    most = (int(text.offsets[-1] - text.offsets[0]) + len(text.offsets)) // 2
    offsets_D1 = np.zeros(len(text.offsets), np.int64)
    starts, ends = np.empty((2, most), np.int64)
    hashes, whole = np.empty(most, np.uint64), np.empty(most, np.bool_)
    chunks = Chunks(starts, ends, hashes, whole, offsets_D1)
    found = fill_chunks(text, list_letters(), sieve_specials(), tabulate_unspaced(), chunks)
    whole[:found] &= ends[:found] - starts[:found] <= LONGEST  # a longer one is cut (see `english`)
    return Chunks(starts[:found], ends[:found], hashes[:found], whole[:found], offsets_D1)


@cache
def list_letters() -> Bools:
    """Return which of the characters below LIMIT spaCy takes for letters and never cuts at.

    Marks that the normal form keeps, such as vowel signs, are none to spaCy, which does not cut at
    them either.
    """
    flags = tabulate_characters(english())
    letters = flags & (ALPHA_CLASS | PREFIX | SUFFIX | INFIX) == ALPHA_CLASS
    marks = [unicodedata.category(chr(point))[0] == "M" for point in range(LIMIT)]
    return np.asarray(letters | np.array(marks) & (flags & (PREFIX | SUFFIX | INFIX) == 0))


@cache
def sieve_specials() -> Bools:
    """Return which numbers of 16 bits begin the scattered hash of some special case of spaCy's."""
    sieve = np.zeros(2**16, np.bool_)
    for special in english().rules:
        sieve[int(scatter(np.uint64(hash_text(special)))) >> int(SIEVE_SHIFT)] = True
    return sieve


@njit
def fill_chunks(text: Text, letters: Bools, sieve: Bools, kinds: Uint8s, chunks: Chunks) -> int:
    """Write the chunks of D normalised texts; return their number."""
    data, size = text.data, 0
    for document in range(len(text.offsets) - 1):
        at, end = text.offsets[document], text.offsets[document + 1]
        while at < end:
            if data[at] == BLANK:
                at += 1
                continue
            start, value, plain, wide = at, np.uint64(0), True, False
            while at < end and data[at] != BLANK:
                byte = data[at]
                if byte >= FIRST_BYTE and kinds[read_point(data, at)[0]] != SPACED:
                    if at == start:
                        value, at = extend_by_grapheme(value, data, at, end, kinds)
                    break
                value = extend(value, byte)
                plain &= letters[byte]
                wide |= byte >= 0x80
                at += 1
            value = scatter(value)
            # `plain` was found byte by byte, which is right for ASCII alone.
            if wide:
                plain = has_letters_only(data, start, at, letters)
            elif at - start == 1 and data[start] == ZERO:  # what every number has become
                plain = True
            chunks.starts_K[size], chunks.ends_K[size] = start, at
            chunks.hashes_K[size] = value
            # The sieve is all that is asked of special cases: a word that falls through by chance
            # (one in some hundred) is looked up like the others, which is slower but no other word.
            chunks.whole_K[size] = plain and not sieve[value >> SIEVE_SHIFT]
            size += 1
        chunks.offsets_D1[document + 1] = size
    return size


@njit
def extend_by_grapheme(
    value: np.uint64, data: Uint8s, at: int, end: int, kinds: Uint8s
) -> tuple[np.uint64, int]:
    """Return a hash with the bytes of the character at a place and its marks, and their end."""
    first = at
    while at < end and data[at] >= FIRST_BYTE:
        point, following = read_point(data, at)
        if at > first and kinds[point] != MARK:
            break
        for place in range(at, following):
            value = extend(value, data[place])
        at = following
    return value, at


@njit
def has_letters_only(data: Uint8s, at: int, end: int, letters: Bools) -> bool:
    """Say whether all characters of data[at:end] are letters."""
    while at < end:
        point, at = read_point(data, at)
        if point >= LIMIT or not letters[point]:
            return False
    return True


@njit
def copy_others(data: Uint8s, chunks: Chunks) -> Uint8s:
    """Return the bytes of the chunks that are not known to be words, a space after each."""
    size = 0
    for at in range(len(chunks.starts_K)):
        if not chunks.whole_K[at]:
            size += chunks.ends_K[at] - chunks.starts_K[at] + 1
    copied, place = np.full(size, BLANK, np.uint8), 0
    for at in range(len(chunks.starts_K)):
        if not chunks.whole_K[at]:
            length = chunks.ends_K[at] - chunks.starts_K[at]
            copied[place : place + length] = data[chunks.starts_K[at] : chunks.ends_K[at]]
            place += length + 1
    return copied
