"""Ratios of counts."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def divide(part_D: Ints, whole_D: Ints) -> Floats:
    """Return D ratios, float64; NaN where the denominator is 0."""
    return np.where(whole_D > 0, part_D / np.maximum(whole_D, 1), np.nan)
