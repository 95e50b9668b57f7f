"""Ratios of counts."""

import numpy as np

from weighting.arrays import Float64s, Int64s


def divide(part_D: Int64s, whole_D: Int64s) -> Float64s:
    """Return D ratios, float64; NaN where the denominator is 0."""
    return np.where(whole_D > 0, part_D / np.maximum(whole_D, 1), np.nan)
