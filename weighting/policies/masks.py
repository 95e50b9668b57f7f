"""Policies that weigh some tokens alike and all others nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weighting.arrays import Bools, Float32s
from weighting.knobs import knob
from weighting.policies.params import KeyBounds, OwnParams
from weighting.policies.policy import Evidence, Policy
from weighting.policies.quantiles import above
from weighting.signals.trajectory import THRESHOLD


@dataclass(frozen=True)
class KeyParams(KeyBounds, OwnParams):
    """The knobs of `key_token`, which the golden flag reads too."""


@dataclass(frozen=True)
class ShareParams(OwnParams):
    """The knobs of `intersection`."""

    share: float = knob(0.6, "Share of the tokens.", above=0, most=1)


@dataclass(frozen=True)
class TopParams(ShareParams):
    """The knobs of `top_k`."""

    signal: str = knob("excess", "The signal that is ranked, highest first.")

    def list_signals(self) -> tuple[str, ...]:
        """Return the signal that is ranked."""
        return (self.signal,)


def key_token(seen: Evidence, params: KeyParams) -> Float32s:
    """A mask of LongPPL's key tokens (arXiv 2410.23771)."""
    return find_keys(seen.signals, params).astype(np.float32)


def learnt(seen: Evidence, params: OwnParams) -> Float32s:  # noqa: ARG001
    """A mask of tokens whose loss fell by 0.2 nats in training: class H→L (2404.07965)."""
    return (seen.signals["change"] < np.float32(-THRESHOLD)).astype(np.float32)


def top_k(seen: Evidence, params: TopParams) -> Float32s:
    """A mask of the share highest in `signal`; by excess it is Rho-1 (2404.07965), static."""
    return above(seen.signals[params.signal], seen.cuts[params.signal])


def intersection(seen: Evidence, params: ShareParams) -> Float32s:  # noqa: ARG001
    """A mask of what is in both shares, highest excess and lowest entropy (2404.07965, table 3)."""
    learnable_N = above(seen.signals["excess"], seen.cuts["excess"])
    return learnable_N * above(seen.signals["entropy"], seen.cuts["entropy"], lowest=True)


def find_keys(signals: Mapping[str, Float32s], bounds: KeyBounds) -> Bools:
    """Return LongPPL's key tokens, bool [N]: far context decides them, and the model is right."""
    sure_N = signals["nll"] < np.float32(bounds.key_nll)
    return np.asarray((signals["context_gain"] > np.float32(bounds.key_gain)) & sure_N)


MASKS: Mapping[str, Policy[Any]] = {
    "key_token": Policy(
        "mask: context decides and the model is right (LongPPL)",
        "context gain > `key_gain` and nll < `key_nll`",
        KeyParams,
        paper="LongPPL's rule, 2410.23771",
        of_tokens=key_token,
        signals=("nll", "context_gain"),
    ),
    "learnt": Policy(
        "mask: loss fell by 0.2 nats in training (H→L)",
        "trajectory HL",
        OwnParams,
        paper="Rho-1's census, 2404.07965",
        of_tokens=learnt,
        signals=("change",),
    ),
    "top_k": Policy(
        "mask: the share highest in a signal (by excess: Rho-1)",
        "the `share` highest in `signal`",
        TopParams,
        paper="Rho-1, Token Cleaning; static",
        of_tokens=top_k,
        ranked=True,
    ),
    "intersection": Policy(
        "mask: high excess and low entropy",
        "highest excess and lowest entropy, `share` each",
        ShareParams,
        paper="Rho-1, table 3",
        of_tokens=intersection,
        signals=("excess", "entropy"),
        ranked=True,
        lowest=("entropy",),
    ),
}
