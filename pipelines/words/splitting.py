"""Kernel: split a whitespace-delimited chunk as spaCy's English tokenizer does, where that is easy.

spaCy takes prefixes and suffixes off a chunk, one at a time, until a special case is left or none
comes off, then cuts what is left at its infixes. `split_chunk` does the same on code points. Where
a rule would need more than it knows (special cases with affixes, e-mail addresses, …) it gives up,
and the caller asks spaCy itself. So it is exact or silent; the tests compare the two on random
chunks.
"""

import numpy as np

from pipelines.words.affixes import find_prefix, find_suffix
from pipelines.words.compiled import njit
from pipelines.words.english import LONGEST
from pipelines.words.hashing import scatter
from pipelines.words.infixes import cut_infixes
from pipelines.words.points import UNKNOWN, Points, Rules, contains, hash_part
from weighting.arrays import Int32s, Uint64s


@njit
def split_chunk(points: Points, count: int, rules: Rules, cuts: Int32s) -> int:
    """Write the ends of the words of a chunk of `count` points to `cuts`; return their number.

    Ends are counted in points. UNKNOWN: ask spaCy.
    """
    first, last, prefixes, suffixes = 0, count, 0, 0
    # Suffixes are found from the end inwards, so their ends wait here to be appended in reverse:
    #     (  well-known  )  .      cuts: 1 …      tail: 13 12
    tail = np.empty(LONGEST, np.int32)
    while first < last:
        before, after = find_affixes(points, first, last, rules)
        if before == UNKNOWN:
            return UNKNOWN
        if not before and not after:
            break
        if before:
            first += before
            cuts[prefixes] = first
            prefixes += 1
        if after:
            tail[suffixes] = last
            last -= after
            suffixes += 1
    size = cut_infixes(points.codes, first, last, rules.flags, cuts, prefixes)
    if size == UNKNOWN:
        return UNKNOWN
    for at in range(suffixes - 1, -1, -1):
        cuts[size] = tail[at]
        size += 1
    return UNKNOWN if is_joined(points, cuts, size, rules.pairs) else size


@njit
def find_affixes(points: Points, first: int, last: int, rules: Rules) -> tuple[int, int]:
    """Return the lengths of the prefix and the suffix of points [first, last).

    UNKNOWN, 0 where a rule is not known, or a special case is or would be left.
    """
    # Where spaCy itself looks for special cases: before a round, after its prefix, its suffix.
    if contains(rules.specials, hash_part(points, first, last)):
        return UNKNOWN, 0
    before = find_prefix(points.codes, first, last, rules.flags)
    if before == UNKNOWN:
        return UNKNOWN, 0
    if before and contains(rules.specials, hash_part(points, first + before, last)):
        return UNKNOWN, 0
    after = find_suffix(points, first + before, last, rules)
    if after == UNKNOWN:
        return UNKNOWN, 0
    if after and contains(rules.specials, hash_part(points, first, last - after)):
        return UNKNOWN, 0
    return before, after


@njit
def is_joined(points: Points, cuts: Int32s, size: int, pairs: Uint64s) -> bool:
    """Say whether spaCy's second pass may join some of the words again."""
    start, previous = 0, np.uint64(0)
    for at in range(size):
        word = hash_part(points, start, cuts[at])
        if contains(pairs, word) or (at and contains(pairs, pair_words(previous, word))):
            return True
        start, previous = cuts[at], word
    return False


@njit
def pair_words(left: np.uint64, right: np.uint64) -> np.uint64:
    """Return the hash of two adjacent words; their order matters."""
    return scatter(left) * np.uint64(3) + right
