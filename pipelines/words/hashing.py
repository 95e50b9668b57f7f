"""Polynomial hashes of bytes modulo 2^64: the hash of a concatenation follows from its parts.

    hash(ab) = hash(a) · BASE^len(b) + hash(b)

So n-grams of words are hashed from the hashes of the words. Every byte counts as a random number,
which leaves no structure of text to collide on; among a million distinct strings a collision has a
chance of about 3 in 10^8.
"""

from collections.abc import Callable

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Uint8s, Uint64s
from weighting.hashing import STEP, mix_bits

BASE = STEP  # odd, so that its powers never become 0 modulo 2^64
VALUES = np.random.Generator(np.random.PCG64(7)).integers(1, 2**64, 256, np.uint64)
POWERS = np.ones(1025, np.uint64)
np.multiply.accumulate(np.full(1024, BASE, np.uint64), out=POWERS[1:])


@njit
def extend(value: np.uint64, byte: np.uint8) -> np.uint64:
    """Return the hash of a string one byte longer."""
    # 1 to 2^64 - 1 for a byte, never 0: "" and a string of equal bytes differ from each other.
    extended: np.uint64 = value * BASE + VALUES[byte]
    return extended


@njit
def power(length: int) -> np.uint64:
    """Return BASE^length: known up to 1,024, above by repeated squaring."""
    if length < len(POWERS):
        known: np.uint64 = POWERS[length]
        return known
    result, square = np.uint64(1), BASE
    while length:
        if length & 1:
            result *= square
        square *= square
        length >>= 1
    return result


@njit
def hash_bytes(data: Uint8s, start: int, end: int) -> np.uint64:
    """Return the hash of bytes [start, end)."""
    value = np.uint64(0)
    for at in range(start, end):
        value = extend(value, data[at])
    return value


# Spreads a hash over all its bits, so that any of them may index a table: the low bits of a
# polynomial hash depend on the low bits of its bytes alone.
scatter: Callable[[np.uint64], np.uint64] = njit(mix_bits)


@njit
def find_slot(keys: Uint64s, key: np.uint64) -> int:
    """Return where `key` is, or belongs, in an open-addressing table; 0 marks a free slot.

    The table's length is a power of two, and it is never full.
    """
    # Numbers below a power of two are the lowest bits. A taken place passes the key on to the next,
    # round the end; at most half the places are taken, so a free one is near.
    mask = np.uint64(len(keys) - 1)
    slot = scatter(key) & mask
    while keys[slot] != np.uint64(0) and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return int(slot)


def hash_text(text: str) -> int:
    """Return the hash of a text's UTF-8 bytes."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return int(hash_bytes(data, 0, len(data)))


def make_set(values: list[int]) -> Uint64s:
    """Return an open-addressing table that holds the values, none of which may be 0.

    >>> keys = make_set([5, 7])
    >>> [bool(keys[find_slot(keys, np.uint64(value))]) for value in (5, 6, 7)]
    [True, False, True]
    """
    size = 1 << max(4, (4 * len(values) + 1).bit_length())
    keys = np.zeros(size, np.uint64)
    for value in values:
        keys[find_slot(keys, np.uint64(value))] = value
    return keys
