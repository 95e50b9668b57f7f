"""Policies turn signals into loss weights. Adding one touches this file.

A policy is a plain function `(signals, facts, params) -> float32 [N]` of raw weights, ≥ 0, on a
scale of its own; `normalize` brings them to mean 1 over the split. Parameters are a frozen
dataclass, kept in every shard's metadata, so that a shard explains itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

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
    is the context gain from which a token is flagged golden. A token of a passage that c documents
    hold weighs c^-`duplicate` of what it would, one of an evaluation item `contaminated` of it.
    """

    rarity: float = 0.25
    context: float = 0.10
    cap: float = 8.0
    mix: float = 0.25
    golden_gain: float = 2.0
    duplicate: float = 1.0
    contaminated: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that cannot give a weight."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not math.isfinite(value):
                raise AssayError(f"policy parameter {item.name} is {value}, must be finite")
        if self.cap < 1:
            raise AssayError(f"policy parameter cap is {self.cap}, must be ≥ 1")
        for name in ("mix", "contaminated"):
            if not 0 <= getattr(self, name) <= 1:
                value = getattr(self, name)
                raise AssayError(f"policy parameter {name} is {value}, must lie in [0, 1]")
        if self.duplicate < 0:
            raise AssayError(f"policy parameter duplicate is {self.duplicate}, must be ≥ 0")

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
CONTROLS = ("uniform",)  # stay as they are whatever is marked


def find_policy(name: str) -> Callable[[Signals, Facts, PolicyParams], Raw]:
    """Return a policy by name, or raise AssayError with the valid names."""
    try:
        return POLICIES[name]
    except KeyError:
        raise AssayError(f"unknown policy {name!r}; valid: {', '.join(POLICIES)}") from None


class Mass(NamedTuple):
    """Sums over the tokens of a split, from which `normalize` takes its scale."""

    raw: float
    factor: float
    damped: float  # of raw weight times factor
    tokens: int


def dampen(
    policy: str,
    documents_N: npt.NDArray[np.int32],
    contaminated_N: npt.NDArray[np.bool_],
    params: PolicyParams,
) -> Raw:
    """Return the factor on the weight of each of N tokens, float32 [N], in [0, 1].

    `documents_N` counts the documents that hold the passage a token lies in. With the exponent
    `duplicate` at 1 a passage weighs in all its copies together what it would weigh once.
    """
    if policy in CONTROLS:
        return np.ones(len(documents_N), np.float32)
    factor_N = documents_N.astype(np.float64) ** -params.duplicate
    return np.where(contaminated_N, params.contaminated * factor_N, factor_N).astype(np.float32)


def measure_mass(raw_N: Raw, factor_N: Raw) -> Mass:
    """Return the sums over N tokens, in float64."""
    raw, factor = raw_N.astype(np.float64), factor_N.astype(np.float64)
    return Mass(float(raw.sum()), float(factor.sum()), float(raw @ factor), len(raw))


def normalize(raw_N: Raw, factor_N: Raw, mass: Mass, mix: float) -> npt.NDArray[np.float32]:
    """Return factor · (mix + (1 - mix) · raw / mean raw), scaled to mean 1 over the split.

    `mass` holds the sums over the split. So what is damped is damped in the uniform part too.

    Raises:
        AssayError: the mass is not positive, so that no scale gives mean 1.
    """
    mean = mass.raw / max(1, mass.tokens)
    if not (math.isfinite(mean) and mean > 0):
        raise AssayError(f"weights of the split have mean {mean}; they cannot be brought to 1")
    scale = (mix * mass.factor + (1.0 - mix) * mass.damped / mean) / mass.tokens
    if not (math.isfinite(scale) and scale > 0):
        raise AssayError("every token of the split has weight 0: all of it is contaminated")
    weights_N = mix + (1.0 - mix) * (raw_N.astype(np.float64) / mean)
    return (factor_N.astype(np.float64) * weights_N / scale).astype(np.float32)


def flag(
    signals: Signals,
    special_N: npt.NDArray[np.bool_],
    documents_N: npt.NDArray[np.int32],
    contaminated_N: npt.NDArray[np.bool_],
    facts: Facts,
    params: PolicyParams,
) -> npt.NDArray[np.uint8]:
    """Return the reason bits of N tokens (see `weighting.reasons`)."""
    rare_N = signals["surprisal"] >= np.float32(facts.rare_surprisal)
    golden_N = signals["ngram_gain"] >= np.float32(params.golden_gain)
    flags = {
        Reason.RARE: rare_N,
        Reason.GOLDEN: golden_N,
        Reason.DUPLICATE_SPAN: documents_N > 1,
        Reason.CONTAMINATED: contaminated_N,
    }
    bits_N = sum(hit_N * np.uint8(reason) for reason, hit_N in flags.items())
    return np.where(special_N, np.uint8(Reason.SPECIAL), bits_N).astype(np.uint8)
