"""Means over a few seeds with 95 % intervals of Student's t."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and the half-width of its 95 % interval; None where one value gives no width."""

    mean: float
    half_width_95: float | None
    values: tuple[float, ...]  # what it is the mean of


def measure(values: Sequence[float]) -> Interval:
    """Return mean ± t sd / sqrt(n) of at least one value, sd with n - 1."""
    size = len(values)
    mean = math.fsum(values) / size
    if size == 1:
        return Interval(mean, None, tuple(values))
    variance = math.fsum((value - mean) ** 2 for value in values) / (size - 1)
    half = t_quantile(size - 1) * math.sqrt(variance / size)
    return Interval(mean, half, tuple(values))


def find_p(interval: Interval) -> float | None:
    """Return the two-sided p of a t test that the mean is 0; None below two values.

    Values that are all alike leave no doubt: 1 where they are 0, else 0.
    """
    half, freedom = interval.half_width_95, len(interval.values) - 1
    if half is None:
        return None
    if half == 0:
        return float(interval.mean == 0)
    t = abs(interval.mean) / half * t_quantile(freedom)
    return max(0.0, 1.0 - t_coverage(math.atan(t / math.sqrt(freedom)), freedom))


def correct_holm(values: Sequence[float]) -> list[float]:
    """Return p values of one family of tests, corrected by Holm's step-down method, in order."""
    corrected, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected


def t_quantile(freedom: int) -> float:
    """Return t with P(|T| < t) = 0.95 for a whole number of degrees of freedom ≥ 1.

    Solves `t_coverage` for the angle by bisection, to the last bit.
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        if t_coverage(middle, freedom) < CONFIDENCE:
            low = middle
        else:
            high = middle
    return math.tan(high) * math.sqrt(freedom)


def t_coverage(angle: float, freedom: int) -> float:
    """Return P(|T| < t) for t = sqrt(freedom) tan(angle).

    The finite series of Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even).
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for power in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (power - 1) / power
        total += term
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
