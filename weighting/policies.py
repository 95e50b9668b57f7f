"""Policies turn signals into loss weights. Adding one touches this file.

A policy is a plain function `(signals, facts, params) -> float32 [N]` of raw weights, ≥ 0, on a
scale of its own; `normalize` brings them to mean 1 over the split. Parameters are a frozen
dataclass, kept in every shard's metadata, so that a shard explains itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from weighting.errors import AssayError
from weighting.reasons import Reason
from weighting.signals import Facts

Raw = npt.NDArray[np.float32]
Signals = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class PolicyParams:
    """The soft policy's dials; `uniform` ignores all of them.

    `rarity` and `context` are exponents, `cap` bounds the raw weight to [1/cap, cap] times that of
    a neutral token, `mix` is the share of the uniform weight in the final one, `golden_gain` (nats)
    is the context gain from which a token is flagged golden.
    """

    rarity: float = 0.25
    context: float = 0.10
    cap: float = 8.0
    mix: float = 0.25
    golden_gain: float = 2.0

    def __post_init__(self) -> None:
        """Refuse values that cannot give a weight."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not math.isfinite(value):
                raise AssayError(f"policy parameter {item.name} is {value}, must be finite")
        if self.cap < 1:
            raise AssayError(f"policy parameter cap is {self.cap}, must be ≥ 1")
        if not 0 <= self.mix <= 1:
            raise AssayError(f"policy parameter mix is {self.mix}, must lie in [0, 1]")

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as they go into a shard's metadata."""
        return asdict(self)


def uniform(signals: Signals, facts: Facts, params: PolicyParams) -> Raw:  # noqa: ARG001
    """Every token weighs the same: the control, and the plain objective."""
    return np.ones_like(signals["surprisal"])


def soft(signals: Signals, facts: Facts, params: PolicyParams) -> Raw:
    """exp(rarity · (surprisal - entropy) + context · gain), clipped to [1/cap, cap].

    The first term is f^-rarity up to a constant, i.e. PDL (arXiv 2505.16900) with a mild exponent:
    at exponent 1 half of the training signal goes to types that are 7 % of text. The second
    raises tokens that their context explains, as LongCE (arXiv 2410.23771) does with
    exp(gain); here the context is one token, so the exponent is small.
    """
    score = params.rarity * (signals["surprisal"] - np.float32(facts.entropy))
    score = score + params.context * signals["ngram_gain"]
    bound = math.log(params.cap)
    return np.asarray(np.exp(np.clip(score, -bound, bound)), np.float32)


POLICIES: Mapping[str, Callable[[Signals, Facts, PolicyParams], Raw]] = {
    "uniform": uniform,
    "soft": soft,
}


def find_policy(name: str) -> Callable[[Signals, Facts, PolicyParams], Raw]:
    """Return a policy by name, or raise AssayError with the valid names."""
    try:
        return POLICIES[name]
    except KeyError:
        raise AssayError(f"unknown policy {name!r}; valid: {', '.join(POLICIES)}") from None


def normalize(raw_N: Raw, mean: float, mix: float) -> npt.NDArray[np.float32]:
    """Return mix + (1 - mix) · raw / mean as float32: mean 1 where `mean` is that of the split.

    Raises:
        AssayError: the mean is not positive, so that no scale gives mean 1.
    """
    if not (math.isfinite(mean) and mean > 0):
        raise AssayError(f"weights of the split have mean {mean}; they cannot be brought to 1")
    return (mix + (1.0 - mix) * (raw_N.astype(np.float64) / mean)).astype(np.float32)


def flag(
    signals: Signals, special_N: npt.NDArray[np.bool_], facts: Facts, params: PolicyParams
) -> npt.NDArray[np.uint8]:
    """Return the reason bits of N tokens (see `weighting.reasons`)."""
    rare_N = signals["surprisal"] >= np.float32(facts.rare_surprisal)
    golden_N = signals["ngram_gain"] >= np.float32(params.golden_gain)
    bits_N = rare_N * np.uint8(Reason.RARE) | golden_N * np.uint8(Reason.GOLDEN)
    return np.where(special_N, np.uint8(Reason.SPECIAL), bits_N).astype(np.uint8)
