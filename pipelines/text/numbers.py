"""Numbers that tell words apart: the digits that a word came from.

In normal form every number is 0, with its decimals: one word, whatever it says. Where numbers
count, the source is asked for its digits. Those of all scripts are the same digits, and what
separates them does not count: 1,000 is 1000.
"""

import numpy as np

from pipelines.text.normal_form import DIGIT, DROP, SPACE, ZERO, read_point
from pipelines.words.compiled import njit
from pipelines.words.hashing import extend
from weighting.arrays import Int32s, Int64s, Uint8s

NO_NUMBER = -1
LONGEST = 10**17  # a number beyond has no value, so that 64 bits are enough


@njit
def hash_digits(data: Uint8s, at: int, end: int, codes: Int32s) -> np.uint64:
    """Return a hash of the digits in data[at:end], 0 if there are none.

    `codes` as in `normal_form.Table`.
    """
    value = np.uint64(0)
    while at < end:
        point, at = read_point(data, at)
        if codes[point] <= DIGIT:
            value = extend(value, np.uint8(ZERO + DIGIT - codes[point]))
    return value


@njit
def read_numbers(data: Uint8s, starts_N: Int64s, ends_N: Int64s, codes: Int32s) -> Int64s:
    """Return the values of N words of digits alone, NO_NUMBER of others: int64 [N]."""
    values_N = np.empty(len(starts_N), np.int64)
    for word in range(len(starts_N)):
        at, value, digits = starts_N[word], 0, 0
        while at < ends_N[word]:
            point, at = read_point(data, at)
            code = codes[point]
            if code <= DIGIT and value < LONGEST:
                value, digits = 10 * value + (DIGIT - code), digits + 1
            elif code not in (DROP, SPACE):
                digits = 0
                break
        values_N[word] = value if digits else NO_NUMBER
    return values_N
