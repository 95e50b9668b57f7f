"""Kernel: a chunk as code points with the hashes of its parts; what is known of spaCy.

    chunk     n a ï v e       code points    0 1 2 3 4
    bytes     n a ï ï v e     ends         0 1 2 4 5 6       ends[i]: the bytes before point i
                              hashes       of the bytes before point i

So the hash of any part follows from two entries (`hash_part`), without a look at its bytes.
"""

from typing import NamedTuple

import numpy as np

from pipelines.words.character_tables import LIMIT
from pipelines.words.compiled import njit
from pipelines.words.english import LONGEST
from pipelines.words.hashing import extend, find_slot, power
from weighting.arrays import Int32s, Uint8s, Uint16s, Uint64s

UNKNOWN = -1  # "ask spaCy", where a length or a number is expected


class Points(NamedTuple):
    """Buffers for one chunk at a time, at most LONGEST code points; see the picture above."""

    codes: Int32s  # [LONGEST]
    ends: Int32s  # [LONGEST + 1]
    hashes: Uint64s  # [LONGEST + 1]


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
def make_points() -> Points:
    """Return empty buffers."""
    codes, ends = np.empty(LONGEST, np.int32), np.empty(LONGEST + 1, np.int32)
    return Points(codes, ends, np.empty(LONGEST + 1, np.uint64))


@njit
def decode(data: Uint8s, start: int, end: int, points: Points) -> int:
    """Decode UTF-8 bytes [start, end) into `points`; return the number of code points.

    UNKNOWN where they are too many, or one is not below LIMIT.
    """
    count, at, value = 0, start, np.uint64(0)
    points.ends[0], points.hashes[0] = 0, value
    while at < end:
        if count == LONGEST:
            return UNKNOWN
        lead = np.int32(data[at])
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        # A lead byte of a character of 2, 3 or 4 bytes has 5, 4 or 3 bits of it; the others have 6.
        code = lead if size == 1 else lead & (0x3F >> (size - 1))
        value = extend(value, data[at])
        for follow in range(at + 1, at + size):
            code = (code << 6) | (np.int32(data[follow]) & 0x3F)
            value = extend(value, data[follow])
        if code >= LIMIT:
            return UNKNOWN
        at += size
        points.codes[count] = code
        count += 1
        points.ends[count], points.hashes[count] = at - start, value
    return count


@njit
def hash_part(points: Points, first: int, last: int) -> np.uint64:
    """Return the hash of the bytes of code points [first, last)."""
    # hash(ab) = hash(a) · BASE^len(b) + hash(b), solved for hash(b).
    length = points.ends[last] - points.ends[first]
    part: np.uint64 = points.hashes[last] - points.hashes[first] * power(length)
    return part


@njit
def contains(keys: Uint64s, key: np.uint64) -> bool:
    """Say whether a set of hashes has one."""
    return bool(keys[find_slot(keys, key)] != np.uint64(0))
