"""Sums over a unit's tokens, from which means, spreads, histograms and correlations follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from weighting.arrays import Bools, Float64s
from weighting.signals.registry import Signals

# Nats. Bins of a histogram lie within [-REACH, REACH); near 0, where some signals have all of
# their values, they are finer.
REACH, COARSE, FINE = 20, 8, 64  # the latter two are bins a nat
NEAR = COARSE * (REACH - 1)  # bins on either side of the fine ones
EDGES = np.concatenate(
    [
        np.arange(-REACH, -1, 1 / COARSE),
        np.arange(-1, 1, 1 / FINE),
        np.arange(1, REACH + 1 / COARSE, 1 / COARSE),
    ]
)


@dataclass(frozen=True)
class Moments:
    """Sums of S signals over text tokens; without tokens, all lists are empty.

    `bins` are counts of tokens between EDGES, the outermost bins taking what is beyond.
    """

    tokens: int = 0
    signals: list[str] = field(default_factory=list)  # [S], names
    sums: list[float] = field(default_factory=list)  # [S]
    products: list[list[float]] = field(default_factory=list)  # [S, S]
    low: list[float] = field(default_factory=list)  # [S]
    high: list[float] = field(default_factory=list)  # [S]
    bins: list[list[int]] = field(default_factory=list)  # [S, len(EDGES) - 1]


def measure(signals: Signals, special_N: Bools) -> Moments:
    """Return the sums over the text tokens among N; special ones are left out."""
    text_N = ~special_N
    if not text_N.any():
        return Moments()
    values_SxN = np.stack([signals[name][text_N] for name in signals]).astype(np.float64)
    return Moments(
        tokens=int(text_N.sum()),
        signals=list(signals),
        sums=values_SxN.sum(axis=1).tolist(),
        products=(values_SxN @ values_SxN.T).tolist(),
        low=values_SxN.min(axis=1).tolist(),
        high=values_SxN.max(axis=1).tolist(),
        bins=[_count(values_N) for values_N in values_SxN],
    )


def merge(parts: Sequence[Moments]) -> Moments:
    """Add up the moments of units, exactly rounded: their order does not matter."""
    some = [part for part in parts if part.tokens]
    if not some:
        return Moments()
    return Moments(
        tokens=sum(part.tokens for part in some),
        signals=some[0].signals,
        sums=_add([part.sums for part in some]),
        products=[_add(rows) for rows in zip(*(part.products for part in some), strict=True)],
        low=np.min([part.low for part in some], axis=0).tolist(),
        high=np.max([part.high for part in some], axis=0).tolist(),
        bins=np.sum([part.bins for part in some], axis=0).tolist(),
    )


def correlate(moments: Moments) -> Float64s:
    """Return Pearson's r of S signals, float64 [S, S]; NaN where one of two is constant."""
    means_S = np.array(moments.sums) / moments.tokens
    products_SxS = np.array(moments.products) / moments.tokens
    covariances_SxS = products_SxS - np.outer(means_S, means_S)
    spreads_S = spread(moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios_SxS = covariances_SxS / np.outer(spreads_S, spreads_S)
    return np.clip(np.where(np.isfinite(ratios_SxS), ratios_SxS, np.nan), -1.0, 1.0)


def spread(moments: Moments) -> Float64s:
    """Return the standard deviations of S signals, float64 [S]; 0 of those that are constant."""
    means_S = np.array(moments.sums) / moments.tokens
    variances_S = np.diag(np.array(moments.products)) / moments.tokens - means_S**2
    constant_S = np.array(moments.low) == np.array(moments.high)
    return np.sqrt(np.where(constant_S, 0.0, np.maximum(variances_S, 0.0)))


def _count(values_N: Float64s) -> list[int]:
    coarse_N = np.floor(np.clip(values_N, -REACH, REACH - 1 / COARSE) * COARSE).astype(np.int64)
    fine_N = np.floor(np.clip(values_N, -1, 1) * FINE).astype(np.int64) + NEAR + FINE
    after_N = coarse_N - COARSE + NEAR + 2 * FINE
    bins_N = np.where(values_N < -1, coarse_N + COARSE * REACH, fine_N)
    bins_N[values_N >= 1] = after_N[values_N >= 1]
    return [int(count) for count in np.bincount(bins_N, minlength=len(EDGES) - 1)]


def _add(rows: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(column) for column in zip(*rows, strict=True)]
