"""The chunks of normalised texts, most of which are words as they stand.

A chunk is a run between spaces. spaCy cuts it at marks, digits and symbols, and where one of its
special cases says so. One of letters only that is not a special case is a word, and needs no look
into a vocabulary.

Chinese and Japanese are written without spaces: there a run would be a sentence. So each of their
characters is a chunk, and a word, of its own, wherever it stands, and n-grams of words are n-grams
of characters.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from pipelines.text.normal_form import BLANK, ZERO, read_point
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
WIDE = 0xE2  # leads the UTF-8 of the first character that `is_unspaced`; none has a lower byte


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
    found = fill_chunks(text, list_letters(), sieve_specials(), chunks)
    whole[:found] &= ends[:found] - starts[:found] <= LONGEST  # a longer one is cut (see `english`)
    return Chunks(starts[:found], ends[:found], hashes[:found], whole[:found], offsets_D1)


@cache
def list_letters() -> Bools:
    """Return which of the characters below LIMIT spaCy takes for letters and never cuts at."""
    flags = tabulate_characters(english())
    letters: Bools = flags & (ALPHA_CLASS | PREFIX | SUFFIX | INFIX) == ALPHA_CLASS
    return letters


@cache
def sieve_specials() -> Bools:
    """Return which numbers of 16 bits begin the scattered hash of some special case of spaCy's."""
    sieve = np.zeros(2**16, np.bool_)
    for special in english().rules:
        sieve[int(scatter(np.uint64(hash_text(special)))) >> int(SIEVE_SHIFT)] = True
    return sieve


@njit
def fill_chunks(text: Text, letters: Bools, sieve: Bools, chunks: Chunks) -> int:
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
                if byte >= WIDE and is_unspaced(read_point(data, at)[0]):
                    if at == start:
                        value, at = extend_by_character(value, data, at)
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
def is_unspaced(point: int) -> bool:
    """Say whether a character is of Chinese or Japanese: an ideograph or a kana.

    By Unicode's blocks, in order: Han with its radicals, iteration mark and zero, kana with the
    mark of long vowels, Han's extension A and main block, compatibility, half-width kana, kana's
    supplements, Han's other extensions.
    """
    if point < 0xFB00:
        return (
            0x4E00 <= point < 0xA000
            or 0x3041 <= point < 0x3100
            or 0x3400 <= point < 0x4DC0
            or point >= 0xF900
            or 0x2E80 <= point < 0x2FE0
            or 0x3005 <= point < 0x3008
            or 0x31F0 <= point < 0x3200
        )
    return 0xFF66 <= point < 0xFFA0 or 0x1AFF0 <= point < 0x1B170 or 0x20000 <= point < 0x40000


@njit
def extend_by_character(value: np.uint64, data: Uint8s, at: int) -> tuple[np.uint64, int]:
    """Return a hash with the bytes of the character at a place, and where that ends."""
    _, end = read_point(data, at)
    for place in range(at, end):
        value = extend(value, data[place])
    return value, end


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
