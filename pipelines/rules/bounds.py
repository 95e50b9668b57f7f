"""Bounds of a rule's value."""

from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float64s


class Bounds(NamedTuple):
    """A document passes where low ≤ value ≤ high; None leaves a side open."""

    low: float | None = None
    high: float | None = None

    def fails(self, values_D: Float64s) -> Bools:
        """Return which of D values lie outside; NaN lies inside."""
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        return np.asarray((values_D < low) | (values_D > high))

    def __str__(self) -> str:
        """Return the interval as a reader of a report expects it."""
        if self.high is None:
            return f"≥ {self.low:g}" if self.low is not None else "any"
        return f"≤ {self.high:g}" if self.low is None else f"{self.low:g} to {self.high:g}"
