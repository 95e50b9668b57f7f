"""Polynomial hashes of bytes modulo 2^64: the hash of a concatenation follows from its parts.

    hash(ab) = hash(a) · BASE^len(b) + hash(b)

So n-grams of words are hashed from the hashes of the words. Every byte counts as a random number,
which leaves no structure of text to collide on; among a million distinct strings a collision has a
chance of about 3 in 10^8.
"""

import numpy as np

from pipelines.words.compiled import njit
from weighting.arrays import Uint8s, Uint64s

BASE = np.uint64(0x9E3779B97F4A7C15)
VALUES = np.random.Generator(np.random.PCG64(7)).integers(1, 2**64, 256, np.uint64)
POWERS = np.ones(1025, np.uint64)
np.multiply.accumulate(np.full(1024, BASE, np.uint64), out=POWERS[1:])


@njit
def extend(value: np.uint64, byte: np.uint8) -> np.uint64:
    """Return the hash of a string one byte longer."""
    extended: np.uint64 = value * BASE + VALUES[byte]
    return extended


@njit
def power(length: int) -> np.uint64:
    """Return BASE^length."""
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


@njit
def scatter(value: np.uint64) -> np.uint64:
    """Spread a hash over all its bits, to index a table by some of them (splitmix64's mixer)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit
def find_slot(keys: Uint64s, key: np.uint64) -> int:
    """Return where `key` is, or belongs, in an open-addressing table; 0 marks a free slot.

    The table's length is a power of two, and it is never full.
    """
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
    """Return an open-addressing table that holds the values."""
    size = 1 << max(4, (4 * len(values) + 1).bit_length())
    keys = np.zeros(size, np.uint64)
    for value in values:
        keys[find_slot(keys, np.uint64(value))] = value
    return keys
