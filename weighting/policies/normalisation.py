"""Normalisation: from raw weights to those of the shards, whose mean over a split is 1.

    weight = factor · (mix + (1 - mix) · raw / mean raw) / divisor        for text tokens
    weight = 1 / divisor                                                  for end-of-text tokens

The factor damps what is repeated or contaminated, in the uniform part too. An end-of-text token
counts as an average, undamped one. `mix` is raised until the effective share of the sample,
(Σw)² / (n Σw²), reaches its floor. All that takes a few sums over the split, which add up.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float32s, Int32s
from weighting.errors import AssayError
from weighting.policies.effective_sample import effective_share
from weighting.policies.params import PolicyParams
from weighting.policies.registry import CONTROLS, find_base, resolve_params


class WeightSums(NamedTuple):
    """Sums over the text tokens of a split; `special` counts its end-of-text tokens."""

    tokens: int = 0
    special: int = 0
    raw: float = 0.0
    factor: float = 0.0
    damped: float = 0.0  # of factor · raw
    factor2: float = 0.0  # of factor²
    cross: float = 0.0  # of factor² · raw
    damped2: float = 0.0  # of factor² · raw²


class Scale(NamedTuple):
    """How a split is brought to mean 1."""

    mean: float  # of the raw weights of its text
    mix: float  # share of the uniform weight, raised to the floor
    divisor: float
    effective: float  # effective share of the sample that is reached


def dampen(name: str, copies_N: Int32s, contaminated_N: Bools, params: PolicyParams) -> Float32s:
    """Return the factor on the weight of each of N tokens, float32 [N], in [0, 1].

    `copies_N` counts the documents that hold the passage a token lies in: with `duplicate` at 1 all
    its copies together weigh what one would. `uniform` is never damped; the controls `random` and
    `shuffled` are, as what they control: contaminated tokens must not come back by chance.
    """
    factor_N = np.ones(len(copies_N), np.float32)
    if find_base(name, params) in CONTROLS:
        return factor_N
    repeated = np.flatnonzero(copies_N > 1)
    factor_N[repeated] = copies_N[repeated].astype(np.float64) ** -params.duplicate
    factor_N[contaminated_N] *= np.float32(params.contaminated)
    return factor_N


def sum_weights(raw_N: Float32s, factor_N: Float32s, special_N: Bools) -> WeightSums:
    """Return the sums over N tokens of one unit and split, in float64."""
    text_N = ~special_N
    tokens = int(np.count_nonzero(text_N))
    raw, factor = (values[text_N].astype(np.float64) for values in (raw_N, factor_N))
    damped = factor * raw
    return WeightSums(
        tokens=tokens,
        special=len(special_N) - tokens,
        raw=float(raw.sum()),
        factor=float(factor.sum()),
        damped=float(damped.sum()),
        factor2=float((factor * factor).sum()),
        cross=float((factor * damped).sum()),
        damped2=float((damped * damped).sum()),
    )


def merge_sums(sums: Iterable[WeightSums]) -> WeightSums:
    """Add up the sums of all units at once: exactly rounded, so that any order gives the same.

    Not in several goes: each rounds once more, and then the order would show.
    """
    columns = list(zip(WeightSums(), *sums, strict=True))
    return WeightSums(*map(sum, columns[:2]), *map(math.fsum, columns[2:]))


def find_scale(sums: WeightSums, name: str, params: PolicyParams) -> Scale:
    """Return the scale of a split: the least mix, from the policy's on, that reaches the floor.

    It is 1 where damping alone takes the split below the floor. A split without text has
    nothing to scale.

    Raises:
        AssayError: the split has text and its weight is not positive, so no scale gives mean 1.
    """
    mix = resolve_params(name, params).mix or 0.0
    if not sums.tokens:
        return Scale(mean=1.0, mix=mix, divisor=1.0, effective=1.0)
    mean = sums.raw / sums.tokens
    if not (math.isfinite(mean) and mean > 0):
        raise AssayError(
            f"weights of the split have mean {mean}; they cannot be brought to 1: the policy "
            "weighs no token of it"
        )
    if sums.factor <= 0:
        raise AssayError("every token of the split has weight 0: all of it is contaminated")
    count = sums.tokens + sums.special
    raised = _raise_mix(sums, mean, mix, params.least_effective * count)
    total, squares = _sum_undivided(sums, mean, raised)
    if total - sums.special <= 0:
        raise AssayError(
            "every token of the split has weight 0: all that the policy weighs is contaminated"
        )
    return Scale(
        mean=mean,
        mix=raised,
        divisor=total / count,
        effective=effective_share(total, squares, count),
    )


def find_uniform_scale(sums: WeightSums, name: str, params: PolicyParams) -> Scale:
    """Return the scale that gives all text of a split equal weights, apart from the damping."""
    ones = sums._replace(
        raw=float(sums.tokens), damped=sums.factor, cross=sums.factor2, damped2=sums.factor2
    )
    return find_scale(ones, name, replace(params, mix=1.0))


def normalize(raw_N: Float32s, factor_N: Float32s, special_N: Bools, scale: Scale) -> Float32s:
    """Return the weights of N tokens, float32 [N]: finite, ≥ 0, of mean 1 over the split.

    In float32, a fifth of the time of float64: four roundings are far below the 2^-20 that the mean
    may be off.
    """
    weights_N = raw_N * np.float32((1.0 - scale.mix) / scale.mean / scale.divisor)
    weights_N += np.float32(scale.mix / scale.divisor)
    weights_N *= factor_N
    weights_N[special_N] = 1.0 / scale.divisor
    return weights_N


def _sum_undivided(sums: WeightSums, mean: float, mix: float) -> tuple[float, float]:
    """Return the sum over a split of the weights before they are divided, and of their squares."""
    rest = (1.0 - mix) / mean
    total = mix * sums.factor + rest * sums.damped
    squares = mix * (mix * sums.factor2 + 2 * rest * sums.cross) + rest * (rest * sums.damped2)
    return total + sums.special, squares + sums.special


def _raise_mix(sums: WeightSums, mean: float, mix: float, least: float) -> float:
    """Return the least mix m from `mix` on with (Σw)² ≥ least · Σw², or 1.

    Both sides are quadratic in m, so it is `mix` or a root a m² + b m + c = 0.
    """
    damped, cross, damped2 = sums.damped / mean, sums.cross / mean, sums.damped2 / mean / mean
    base, slope = damped + sums.special, sums.factor - damped
    a = slope**2 - least * (sums.factor2 - 2 * cross + damped2)
    b = 2 * (base * slope - least * (cross - damped2))
    c = base**2 - least * (damped2 + sums.special)
    root2 = b * b - 4 * a * c
    if (a * mix + b) * mix + c >= 0:
        return mix
    if root2 < 0:
        return 1.0
    far = -(b + math.copysign(math.sqrt(root2), b)) / 2  # no difference of near numbers
    roots = [far / a if a else 1.0, c / far if far else 1.0]
    return min((root for root in roots if mix < root < 1), default=1.0)
