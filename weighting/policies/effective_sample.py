"""Where the weight goes: effective sample size and the mass table of a weighting."""

import numpy as np

from weighting.arrays import Float64s, Int64s
from weighting.contracts.counts import MassTable


def effective_share(total: float, squares: float, count: int) -> float:
    """Return the effective sample size as a share of the sample: (Σw)² / (n Σw²)."""
    return total * total / (count * squares) if squares else 0.0


def tabulate_mass(
    counts_V: Int64s, mass_V: Float64s, squares: float, zeros: int, max_weight: float
) -> MassTable:
    """Return the mass table of a split from per-type counts and summed weights.

    Types that do not occur are left out; ranks are by count, ties by id. `squares` is Σw², `zeros`
    the number of tokens of weight 0.
    """
    seen = np.flatnonzero(counts_V)
    order = seen[np.argsort(-counts_V[seen], kind="stable")]
    count, mass = counts_V[order], mass_V[order]
    tokens, total = int(count.sum()), float(mass.sum())

    def share(part: Int64s | Float64s, whole: float) -> float:
        return float(part.sum()) / whole if whole else 0.0

    half = len(order) - len(order) // 2
    return MassTable(
        effective_share=effective_share(total, squares, tokens) if tokens else 0.0,
        top10_tokens=share(count[:10], tokens),
        top10_mass=share(mass[:10], total),
        top100_tokens=share(count[:100], tokens),
        top100_mass=share(mass[:100], total),
        rarest_half_tokens=share(count[half:], tokens),
        rarest_half_mass=share(mass[half:], total),
        zero_tokens=zeros / tokens if tokens else 0.0,
        max_weight=max_weight,
    )
