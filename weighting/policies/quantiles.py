"""Ranks: cut a share of all tokens off by a signal, exactly, and without sorting them.

Signals are multiples of QUANTUM, so a histogram over these holds all that ranks need, and adds up
over units. Tokens at the border get an equal part of what is left for them: a mask sums to its
share whatever the order of the tokens, and no token is picked for its place.
"""

from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float32s, Int32s, Int64s
from weighting.signals.quantum import LIMIT, QUANTUM

ZERO = round(LIMIT / QUANTUM)  # bin of the value 0
BINS = 2 * ZERO + 1


class Cut(NamedTuple):
    """A border: tokens beyond `value` count fully, those at it `part`."""

    value: float
    part: float


def count_values(values_N: Float32s, special_N: Bools) -> Int64s:
    """Return how many text tokens have each value, int64 [BINS], from -LIMIT to LIMIT."""
    return np.bincount(_count_steps(values_N[~special_N]) + ZERO, minlength=BINS)


def cut_share(histogram_B: Int64s, share: float, lowest: bool = False) -> Cut:
    """Return the border of the `share` of tokens with the highest values, or the lowest."""
    order_B = histogram_B if lowest else histogram_B[::-1]
    filled_B = np.cumsum(order_B)
    wanted = share * int(filled_B[-1])
    at = min(int(np.searchsorted(filled_B, wanted)), BINS - 1)
    inside = int(order_B[at])
    part = (wanted - (int(filled_B[at]) - inside)) / inside if inside else 1.0
    step = at - ZERO if lowest else ZERO - at
    return Cut(step * QUANTUM, min(1.0, part))


def above(values_N: Float32s, cut: Cut, lowest: bool = False) -> Float32s:
    """Return 1 for tokens above the border, `part` at it, 0 below; float32 [N].

    With `lowest` those below it count.
    """
    steps_N, border = _count_steps(values_N), round(cut.value / QUANTUM)
    beyond_N = steps_N < border if lowest else steps_N > border
    return np.where(steps_N == border, np.float32(cut.part), beyond_N.astype(np.float32))


def _count_steps(values_N: Float32s) -> Int32s:
    """Return values in steps of QUANTUM, rounded as `quantise` does. Exact: it is a power of 2."""
    bounded_N = np.clip(values_N, np.float32(-LIMIT), np.float32(LIMIT))
    return np.asarray(np.rint(bounded_N * np.float32(1 / QUANTUM)), np.int32)
