"""Sets of shingles (hashed n-grams of words), and how alike two of them are.

A set is a sorted array of distinct uint32 values, the high halves of 64-bit hashes. Two sets are
walked together, the smaller value first, as when two sorted lists are merged.
"""

from itertools import pairwise

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Float32s, Int64s, Uint32s, Uint64s

BLOCK = 64  # steps between two looks whether a similarity can still be reached


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
    """Return the Jaccard similarity of two sets, 0 of two empty ones.

    >>> jaccard(np.array([1, 2, 3], np.uint32), np.array([2, 3, 4], np.uint32))
    0.5
    """
    a, b, common = 0, 0, 0
    while a < len(a_S) and b < len(b_S):
        left, right = a_S[a], b_S[b]
        # Three sums instead of three branches: which value is smaller cannot be predicted.
        common += left == right
        a += left <= right
        b += right <= left
    union = len(a_S) + len(b_S) - common
    return common / union if union else 0.0


@njit
def reaches(a_S: Uint32s, b_S: Uint32s, least: float) -> bool:
    """Say whether `jaccard` of two sets, not both empty, is at least `least`.

    It stops as soon as too few values are left, which most pairs of candidates come to early.
    """
    a, b, common = 0, 0, 0
    total = len(a_S) + len(b_S)
    while True:
        steps = min(len(a_S) - a, len(b_S) - b)
        # As if all that can still be in common was: |A and B| = most, so |A or B| = total - most.
        most = common + steps
        if most / (total - most) < least:
            return False
        if steps == 0:
            return True
        for _ in range(min(steps, BLOCK)):  # neither set ends within these steps: no check of ends
            left, right = a_S[a], b_S[b]
            common += left == right
            a += left <= right
            b += right <= left


@njit
def compare_pairs(
    shingles_S: Uint32s, offsets_C1: Int64s, pairs_Px2: Int64s, least: float = 0.0
) -> Float32s:
    """Return the Jaccard similarity of pairs of C documents, 0 below `least`: float32 [P]."""
    similarity_P = np.zeros(len(pairs_Px2), np.float32)
    for pair in range(len(pairs_Px2)):
        one, other = pairs_Px2[pair]
        a_S = shingles_S[offsets_C1[one] : offsets_C1[one + 1]]
        b_S = shingles_S[offsets_C1[other] : offsets_C1[other + 1]]
        if least == 0.0 or reaches(a_S, b_S, least):  # which most that are far find out early
            similarity_P[pair] = jaccard(a_S, b_S)
    return similarity_P


@njit
def drop_repeats(sorted_M: Uint32s, offsets_D1: Int64s, sets_D1: Int64s) -> int:
    """Keep each value of each of D sorted texts once, in place; return how many are kept.

    `sets_D1` gets the offsets of what is kept.
    """
    size = 0  # never beyond `at`: what is read has not been written over
    for document in range(len(offsets_D1) - 1):
        first = offsets_D1[document]
        for at in range(first, offsets_D1[document + 1]):
            value = sorted_M[at]
            # The text's first value stays even if the text before it ended in the same.
            if at == first or value != sorted_M[size - 1]:
                sorted_M[size] = value
                size += 1
        sets_D1[document + 1] = size
    return size
