"""Kernel: a chunk as code points with the hashes of its parts; what is known of spaCy."""

from typing import NamedTuple

import numpy as np

from pipelines.words.compiled import njit
from pipelines.words.hashing import extend, find_slot, power
from pipelines.words.tables import LIMIT
from weighting.arrays import Int32s, Uint8s, Uint16s, Uint64s

LONGEST = 256  # code points of a chunk that is split by the kernel
UNKNOWN = -1  # "ask spaCy", where a length or a number is expected


class Rules(NamedTuple):
    """What of spaCy's rules the kernel knows: flags of characters, and sets of hashes.

    `specials` are the special cases; `pairs` are words, or pairs of adjacent ones, that the second
    pass may join again; `units` are units and currencies.
    """

    flags: Uint16s
    specials: Uint64s
    pairs: Uint64s
    units: Uint64s


@njit
def decode(
    data: Uint8s, start: int, end: int, points: Int32s, ends: Int32s, hashes: Uint64s
) -> int:
    """Decode UTF-8 bytes [start, end) into `points`; return their number.

    `ends[i]` is the offset from `start` at which point i - 1 ends, `hashes[i]` the hash of the
    bytes up to there. UNKNOWN where they are too many, or one is not below LIMIT.
    """
    count, at, value = 0, start, np.uint64(0)
    ends[0], hashes[0] = 0, value
    while at < end:
        if count == LONGEST:
            return UNKNOWN
        lead = np.int32(data[at])
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        point = lead if size == 1 else lead & (0x3F >> (size - 1))
        value = extend(value, data[at])
        for follow in range(at + 1, at + size):
            point = (point << 6) | (np.int32(data[follow]) & 0x3F)
            value = extend(value, data[follow])
        if point >= LIMIT:
            return UNKNOWN
        at += size
        points[count] = point
        count += 1
        ends[count], hashes[count] = at - start, value
    return count


@njit
def hash_part(hashes: Uint64s, ends: Int32s, first: int, last: int) -> np.uint64:
    """Return the hash of points [first, last)."""
    part: np.uint64 = hashes[last] - hashes[first] * power(ends[last] - ends[first])
    return part


@njit
def contains(keys: Uint64s, key: np.uint64) -> bool:
    """Say whether a set of hashes has one."""
    return bool(keys[find_slot(keys, key)] != np.uint64(0))
