"""From signals to weights and reasons: the one place where the steps of a weight are put together.

    batch ─┬─ weigh_raw_tokens ─► raw weights, damping ─► normalize ─► shuffle ─► weights
           └─ flag_tokens ─► reasons

Pure: arrays in, arrays out. The weigh job writes what comes of it into shards, and `assay
explain` shows each step of it for one document. What depends on a whole split, cuts, scale and the
gain of golden tokens, is found before (`weighting.policies.quantiles`, `normalisation`, `golden`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from weighting.arrays import AnyArray, Bools, Float32s, Int32s, Int64s, Uint8s, Uint64s
from weighting.policies.controls import key_documents, key_tokens, shuffle
from weighting.policies.golden import find_golden, flag
from weighting.policies.normalisation import Scale, dampen, normalize
from weighting.policies.params import PolicyParams
from weighting.policies.policy import Evidence
from weighting.policies.quantiles import Cut
from weighting.policies.registry import SHUFFLED, draws_tokens, find_seed, tabulate_raw, weigh_raw
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types

NO_KEYS = np.empty(0, np.uint64)


@dataclass(frozen=True, eq=False)
class Scheme:
    """What all weights of a run follow from, beside each token's own signals."""

    policy: str
    params: PolicyParams
    golden: str  # rule of the golden flag
    types: Types
    facts: Facts
    eos_id: int

    @property
    def seed(self) -> int:
        """The seed of a policy that draws or permutes by chance; 0 of all others."""
        return find_seed(self.policy, self.params)

    @cached_property
    def raw_V(self) -> Float32s | None:
        """What the policy gives each of V types, float32 [V]; None where it is one of tokens."""
        return tabulate_raw(self.policy, self.types, self.eos_id, self.params)


@dataclass(frozen=True, eq=False)
class Batch:
    """The N tokens of D whole documents of one split, and what is known of each token."""

    doc_ids: Sequence[str]
    offsets_D1: Int64s  # of each document's first token, and N
    ids_N: AnyArray
    signals: Mapping[str, Float32s]
    copies_N: Int32s  # documents that hold the passage in which the token lies
    contaminated_N: Bools

    def key_documents(self, seed: int) -> Uint64s:
        """Return a hash of each document, uint64 [D]."""
        return key_documents(self.doc_ids, seed)

    def key_tokens(self, seed: int) -> Uint64s:
        """Return a hash of each token's document and place, uint64 [N]."""
        return key_tokens(self.key_documents(seed), self.offsets_D1)


class RawWeights(NamedTuple):
    """What normalisation starts from."""

    raw_N: Float32s  # of the policy, on a scale of its own
    factor_N: Float32s  # by how much the token is damped, in [0, 1]
    special_N: Bools  # the token is an end of text


class Weights(NamedTuple):
    """The weights of N tokens, and the steps to them."""

    raw_N: Float32s
    factor_N: Float32s
    special_N: Bools
    own_N: Float32s  # what each token weighs by its own signals
    weights_N: Float32s  # what it weighs in the end: the same, but for `shuffled`


def weigh_tokens(batch: Batch, scheme: Scheme, cuts: Mapping[str, Cut], scale: Scale) -> Weights:
    """Return the weights of a batch, float32 [N], of mean 1 over the split.

    `cuts` are over the split, of the signals by which the policy ranks tokens. `shuffled` permutes
    within the batch, so that one has to be all that a unit has of a split.

    Raises:
        AssayError: the policy needs a signal that is not in the batch.
    """
    raw_N, factor_N, special_N = weigh_raw_tokens(batch, scheme, cuts)
    own_N = weights_N = normalize(raw_N, factor_N, special_N, scale)
    if scheme.policy == SHUFFLED:
        keys_N = batch.key_tokens(scheme.seed)
        weights_N = shuffle(own_N, factor_N, special_N, keys_N)
    return Weights(
        raw_N=raw_N, factor_N=factor_N, special_N=special_N, own_N=own_N, weights_N=weights_N
    )


def weigh_raw_tokens(batch: Batch, scheme: Scheme, cuts: Mapping[str, Cut]) -> RawWeights:
    """Return the raw weights of a batch and its damping: what scales are found from."""
    return RawWeights(
        raw_N=_weigh_raw(batch, scheme, cuts),
        factor_N=dampen(scheme.policy, batch.copies_N, batch.contaminated_N, scheme.params),
        special_N=_find_special(batch, scheme),
    )


def flag_tokens(batch: Batch, scheme: Scheme, least_gain: float | None) -> Uint8s:
    """Return the reason bits of a batch (`weighting.contracts.reasons`), uint8 [N].

    `least_gain` is that of the split's golden tokens (`weighting.policies.golden`).
    """
    return flag(
        find_golden(batch.signals, scheme.golden, scheme.params, least_gain),
        np.take(scheme.types.rare_V, batch.ids_N),
        _find_special(batch, scheme),
        batch.copies_N,
        batch.contaminated_N,
    )


def _weigh_raw(batch: Batch, scheme: Scheme, cuts: Mapping[str, Cut]) -> Float32s:
    if scheme.raw_V is not None:
        return np.take(scheme.raw_V, batch.ids_N)
    by_chance = draws_tokens(scheme.policy, scheme.params)
    seen = Evidence(
        ids_N=batch.ids_N,
        signals=batch.signals,
        types=scheme.types,
        facts=scheme.facts,
        eos_id=scheme.eos_id,
        cuts=cuts,
        keys_N=batch.key_tokens(scheme.seed) if by_chance else NO_KEYS,
    )
    return weigh_raw(scheme.policy, seen, scheme.params)


def _find_special(batch: Batch, scheme: Scheme) -> Bools:
    return np.asarray(batch.ids_N == scheme.eos_id)
