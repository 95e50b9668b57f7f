"""Signals of token types: rarity, spread over documents, burstiness. They need counts only."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from weighting.arrays import Bools, Float32s, Float64s, Int64s
from weighting.signals.quantum import quantise

RARE_SHARE = 0.05  # the types that make up the last 5 % of tokens, as in MiLe's low bucket


@dataclass(frozen=True, eq=False)
class Types:
    """What was counted of V types on the train split.

    `counts_V` are occurrences, `holders_V` the documents that hold the type, of `documents` in all.
    """

    counts_V: Int64s
    holders_V: Int64s
    documents: int

    @cached_property
    def probability_V(self) -> Float64s:
        """(count + 1) / (total + V): unseen types keep a finite surprisal."""
        total = float(self.counts_V.sum()) + len(self.counts_V)
        return np.asarray((self.counts_V + 1.0) / total, np.float64)

    @cached_property
    def surprisal_V(self) -> Float32s:
        """-log p(type), float32 [V], nats rounded."""
        return quantise(measure_surprisal(self))

    @cached_property
    def rare_surprisal(self) -> float:
        """The surprisal from which on a type is rare.

        That of the commonest among the rarest types that together make up at most RARE_SHARE of
        the tokens; infinite where there is no such type.
        """
        order = np.argsort(self.counts_V, kind="stable")
        few = np.cumsum(self.counts_V[order]) <= RARE_SHARE * int(self.counts_V.sum())
        rare = order[few] if self.counts_V.any() else order[:0]
        return float(self.surprisal_V[rare].min()) if len(rare) else float("inf")

    @cached_property
    def rare_V(self) -> Bools:
        """Which types are rare."""
        return np.asarray(self.surprisal_V >= np.float32(self.rare_surprisal))


def measure_surprisal(types: Types) -> Float64s:
    """Return -log p, float64 [V], nats; see `Types.probability_V`."""
    return np.asarray(-np.log(types.probability_V), np.float64)


def measure_idf(types: Types) -> Float64s:
    """Return log(D / df), float64 [V]; a type that no document holds counts as held by one."""
    share_V = max(1, types.documents) / np.maximum(types.holders_V, 1)
    return np.asarray(np.log(share_V), np.float64)


def measure_residual_idf(types: Types) -> Float64s:
    """Return idf less that of a Poisson process of the same count, float64 [V].

    log(D / df) + log(1 - exp(-cf / D)), Church and Gale 1995 ("Poisson mixtures"), in nats: high
    for types that come in bursts, near 0 for those spread evenly; 0 for types that do not occur.
    """
    expected_V = -np.expm1(-types.counts_V / max(1, types.documents))
    seen_V = types.counts_V > 0
    residual_V = measure_idf(types) + np.log(np.where(seen_V, expected_V, 1.0))
    return np.where(seen_V, residual_V, 0.0)


def cut_deciles(counts_V: Int64s) -> Int64s:
    """Return the frequency decile of each of V types, 1 the commonest, 0 where it does not occur.

    Types in order of count, ties by id, are cut where each tenth of the tokens begins. A common
    type may fill several deciles, and belongs to the first of them.
    """
    order = np.argsort(-counts_V, kind="stable")
    before = np.cumsum(counts_V[order]) - counts_V[order]
    deciles_V = np.empty(len(counts_V), np.int64)
    deciles_V[order] = 10 * before // max(1, int(counts_V.sum())) + 1
    return np.where(counts_V > 0, deciles_V, 0)
