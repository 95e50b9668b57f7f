"""Kernel: the chunks of a batch of texts, which are its runs of non-space characters."""

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Int32s, Int64s, Structs, Uint8s

# The bytes that may begin a white-space character: most bytes do not, and one look tells.
MAY_BE_SPACE = np.isin(np.arange(256), [*range(9, 14), *range(28, 33), 0xC2, 0xE1, 0xE2, 0xE3])


@njit
def space_size(data: Uint8s, at: int, end: int) -> int:
    """Return the bytes of the white-space character (`str.isspace`) at `at`, 0 if there is none."""
    # There are 25 white-space characters, so bytes are compared instead of decoded.
    byte = data[at]
    if byte < 0x80:
        return 1 if byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31 else 0
    if byte == 0xC2 and at + 1 < end:
        return 2 if data[at + 1] == 0x85 or data[at + 1] == 0xA0 else 0
    if at + 2 >= end or not 0xE1 <= byte <= 0xE3:
        return 0
    second, third = data[at + 1], data[at + 2]
    if byte == 0xE1:  # U+1680
        return 3 if second == 0x9A and third == 0x80 else 0
    if byte == 0xE3:  # U+3000
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:  # U+2000 to U+200A, U+2028, U+2029, U+202F
        return 3 if third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
    return 3 if second == 0x81 and third == 0x9F else 0  # U+205F


@njit
def find_chunks(
    data: Uint8s, offsets: Int64s, starts: Int64s, ends: Int64s, counts_D: Int64s
) -> int:
    """Write the byte ranges of the chunks of D texts to `starts` and `ends`; return their number.

    `offsets` [D+1] bound the texts; `counts_D` gets the number of chunks of each.
    """
    size = 0
    for document in range(len(offsets) - 1):
        before, stop = size, offsets[document + 1]
        at, inside = offsets[document], False
        while at < stop:
            space = space_size(data, at, stop) if MAY_BE_SPACE[data[at]] else 0
            if space:
                if inside:
                    ends[size] = at
                    size += 1
                inside = False
                at += space
            else:
                if not inside:
                    starts[size] = at
                    inside = True
                at += 1
        if inside:
            ends[size] = stop
            size += 1
        counts_D[document] = size - before
    return size


@njit
def count_words(slots_K: Int32s, chunks: Structs) -> Int64s:
    """Return the number of words of K chunks, given by their places in the vocabulary."""
    counts_K = np.empty(len(slots_K), np.int64)
    for at in range(len(slots_K)):
        counts_K[at] = chunks[slots_K[at]].words
    return counts_K


@njit
def expand(slots_K: Int32s, chunks: Structs, places: Int64s) -> None:
    """Write the places of the words of K chunks to `places`; a chunk's words lie in a row."""
    size = 0
    for slot in slots_K:
        first = chunks[slot].first
        for at in range(chunks[slot].words):
            places[size] = first + at
            size += 1
