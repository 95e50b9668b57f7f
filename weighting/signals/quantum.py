"""The step in which signals are measured.

Rounded signals pack well in a file, the weights that follow from them are the same whenever they
are computed, sums of them and of their products are exact, so that no order of adding changes them,
and a share of all tokens is cut off exactly, by a histogram.
"""

import numpy as np

from weighting.arrays import AnyArray, Float32s

QUANTUM = 2.0**-10  # nats
LIMIT = 64.0  # values are kept within [-LIMIT, LIMIT]: no sensible loss is beyond


def quantise(values: AnyArray) -> Float32s:
    """Return the nearest multiples of QUANTUM within [-LIMIT, LIMIT], float32; NaN stays."""
    steps = np.rint(np.clip(values, -LIMIT, LIMIT).astype(np.float64) / QUANTUM)
    return np.asarray(steps * QUANTUM, np.float32)
