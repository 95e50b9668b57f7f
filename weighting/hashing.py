"""The one mixer of bits: splitmix64 (Steele, Lea and Flood 2014, "Fast splittable PRNGs").

Random choices, n-gram contexts, hash tables and MinHash all need numbers whose bits depend on all
bits of another number. `mix_bits` is written for arrays and single numbers alike: NumPy runs it as
it stands, and `pipelines.words.hashing.scatter` is the same function compiled.
"""

from typing import TypeVar

import numpy as np

from weighting.arrays import Uint64s

# 2^64 over the golden ratio. It is odd, so multiplying by it loses nothing modulo 2^64, and its
# multiples fill the numbers evenly: the step of splitmix64's state, and a fit salt or factor.
STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)

Bits = TypeVar("Bits", np.uint64, Uint64s)


def mix_bits(values: Bits) -> Bits:
    """Return each number with its bits mixed, uint64 of the same shape.

    One to one: different numbers stay different, and 0 stays 0 (so add a salt where 0 may come).

    >>> [hex(value) for value in mix_bits(np.array([0, 1, 2], np.uint64)).tolist()]
    ['0x0', '0x5692161d100b05e5', '0xdbd238973a2b148a']
    """
    values = (values ^ (values >> np.uint64(30))) * FIRST_FACTOR
    values = (values ^ (values >> np.uint64(27))) * SECOND_FACTOR
    return values ^ (values >> np.uint64(31))
