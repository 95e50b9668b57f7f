"""Sets of shingles (hashed n-grams of words), and how alike two of them are."""

from itertools import pairwise

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Int64s, Uint32s, Uint64s


def make_sets(hashes_M: Uint64s, offsets_D1: Int64s) -> tuple[Uint32s, Int64s]:
    """Return the sorted distinct high halves of D texts' hashes, uint32 [S], and offsets [D+1]."""
    halves_M = (hashes_M >> np.uint64(32)).astype(np.uint32)
    # NumPy sorts some hundred small numbers with vector instructions: faster, text by text, than
    # all at once with the text's number before each.
    for start, end in pairwise(offsets_D1.tolist()):
        halves_M[start:end].sort()
    sets_D1 = np.zeros(len(offsets_D1), np.int64)
    size = drop_repeats(halves_M, offsets_D1, sets_D1)
    return halves_M[:size], sets_D1


@njit
def jaccard(a_S: Uint32s, b_S: Uint32s) -> float:
    """Return the Jaccard similarity of two sorted arrays of distinct values; 0 of two empty."""
    a, b, common = 0, 0, 0
    while a < len(a_S) and b < len(b_S):
        left, right = a_S[a], b_S[b]
        common += left == right
        a += left <= right
        b += right <= left
    union = len(a_S) + len(b_S) - common
    return common / union if union else 0.0


@njit
def drop_repeats(sorted_M: Uint32s, offsets_D1: Int64s, sets_D1: Int64s) -> int:
    """Keep each value of each of D sorted texts once, in place; return how many are kept.

    `sets_D1` gets the offsets of what is kept.
    """
    size = 0
    for document in range(len(offsets_D1) - 1):
        first = offsets_D1[document]
        for at in range(first, offsets_D1[document + 1]):
            value = sorted_M[at]
            if at == first or value != sorted_M[size - 1]:
                sorted_M[size] = value
                size += 1
        sets_D1[document + 1] = size
    return size
