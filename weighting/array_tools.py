"""Small steps that array code is made of: offsets, runs, ranges of places, ranges of keys.

Groups of things that lie one after the other are given by *offsets*: group g of D holds the things
from offsets_D1[g] to offsets_D1[g + 1].
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from weighting.arrays import AnyArray, Bools, Int64s, Uint64s

KEY_BITS = 64


def to_offsets(sizes_D: npt.ArrayLike) -> Int64s:
    """Return the offsets of D groups of these sizes, int64 [D+1].

    >>> to_offsets([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    sizes_D = np.asarray(sizes_D, np.int64)
    offsets_D1 = np.zeros(len(sizes_D) + 1, np.int64)
    np.cumsum(sizes_D, out=offsets_D1[1:])
    return offsets_D1


def number_groups(offsets_D1: npt.NDArray[np.integer[Any]]) -> Int64s:
    """Return the number of its group for each of the N things in D groups, int64 [N].

    >>> number_groups(np.array([0, 2, 2, 5])).tolist()
    [0, 0, 2, 2, 2]
    """
    return np.repeat(np.arange(len(offsets_D1) - 1), np.diff(offsets_D1))


def mark_changes(*columns_N: AnyArray) -> Bools:
    """Return where a row differs from the one before it, bool [N]; the first always does.

    A row is made of the values of all columns at one place.

    >>> mark_changes(np.array([4, 4, 7, 7]), np.array([1, 2, 2, 2])).tolist()
    [True, True, True, False]
    """
    changes_N = np.ones(len(columns_N[0]), np.bool_)
    np.not_equal(columns_N[0][1:], columns_N[0][:-1], out=changes_N[1:])
    for column_N in columns_N[1:]:
        changes_N[1:] |= column_N[1:] != column_N[:-1]
    return changes_N


def find_runs(*columns_N: AnyArray) -> tuple[Int64s, Int64s]:
    """Return starts and sizes of the runs of equal rows, int64 [R] each.

    >>> starts, sizes = find_runs(np.array([4, 4, 7, 4]))
    >>> starts.tolist(), sizes.tolist()
    ([0, 2, 3], [2, 1, 1])
    """
    starts_R = np.flatnonzero(mark_changes(*columns_N))
    return starts_R, np.diff(starts_R, append=len(columns_N[0]))


def expand_ranges(starts_R: Int64s, sizes_R: Int64s) -> Int64s:
    """Return the numbers in R ranges, one range after the other, int64 [sum of sizes].

    >>> expand_ranges(np.array([10, 5]), np.array([3, 2])).tolist()
    [10, 11, 12, 5, 6]
    """
    offsets_R1 = to_offsets(sizes_R)
    # Place p of the result is in range r: starts_R[r] + (p - offsets_R1[r]).
    shift_N = np.repeat(starts_R - offsets_R1[:-1], sizes_R)
    return np.asarray(np.arange(offsets_R1[-1]) + shift_N)


def bound_keys(number: int, ranges: int, bits: int = KEY_BITS) -> tuple[int, int]:
    """Return the first and the last key of one of the equal ranges into which uint64 is cut.

    Ranges are cut between values of the upper `bits`, and none of them is empty if
    `ranges` ≤ 2^bits. The last key is included, as 2^64 itself is no uint64.

    >>> [tuple(map(hex, bound_keys(number, 2))) for number in range(2)]
    [('0x0', '0x7fffffffffffffff'), ('0x8000000000000000', '0xffffffffffffffff')]
    """
    first, stop = ((1 << bits) * edge // ranges << KEY_BITS - bits for edge in (number, number + 1))
    return first, stop - 1


def find_key_range(keys_N: Uint64s, number: int, ranges: int, bits: int = KEY_BITS) -> slice:
    """Return where the keys of one of the equal ranges stand among N that are in order.

    It is enough that keys are ordered by their upper `bits`; `ranges` must be ≤ 2^bits then.

    >>> find_key_range(np.array([1, 2, 2**63, 2**64 - 1], np.uint64), 1, 2)
    slice(2, 4, None)
    """
    first, last = (np.uint64(key) for key in bound_keys(number, ranges, bits))
    start, end = np.searchsorted(keys_N, first), np.searchsorted(keys_N, last, "right")
    return slice(int(start), int(end))
