"""Signals: each gives every token one number, in nats. Adding one touches this file.

A signal is a plain function `(occurrences, counts) -> float32 [N]`. Both signals here need counts
only, no model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weighting.ngrams import Contexts, PairCounts, back_off, find_counts, pack_pairs

Signal = npt.NDArray[np.float32]
RARE_SHARE = 0.05  # the types that make up the last 5 % of tokens, as in MiLe's low bucket


@dataclass(frozen=True)
class Occurrences:
    """N tokens where they stand: id, id of the token before, and whether the counts hold it.

    `own_N` is int64, 1 for a token that was counted (train) and 0 for one that was not
    (validation). The first token of a document follows the end-of-text id.
    """

    ids_N: npt.NDArray[Any]
    previous_N: npt.NDArray[Any]
    own_N: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """What was counted on the train split: types, pairs, contexts, and the discount.

    `pairs` needs to hold only the pairs that the occurrences at hand ask for.
    """

    types_V: npt.NDArray[np.int64]
    pairs: PairCounts
    contexts: Contexts
    discount: float


@dataclass(frozen=True)
class Facts:
    """Corpus-wide numbers that policies and flags measure a token against, in nats."""

    entropy: float  # mean unigram surprisal of a train token
    rare_surprisal: float  # from this surprisal on, a type is rare


def unigram_probability(types_V: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return (count + 1) / (total + V), float64 [V]: unseen types keep a finite surprisal."""
    return np.asarray((types_V + 1.0) / (float(types_V.sum()) + len(types_V)), np.float64)


def unigram_surprisal(occurrences: Occurrences, counts: Counts) -> Signal:
    """Rarity: -log p(x), p the add-one unigram probability."""
    surprisal_V = -np.log(unigram_probability(counts.types_V))
    return np.asarray(surprisal_V.astype(np.float32)[occurrences.ids_N])


def ngram_gain(occurrences: Occurrences, counts: Counts) -> Signal:
    """Context gain: log p(x | previous) - log p(x), by leave-one-out back-off counts.

    Positive where the token before makes this one likelier than its frequency does; 0 where the
    context is unknown.
    """
    unigram_N = unigram_probability(counts.types_V)[occurrences.ids_N]
    keys_N = pack_pairs(occurrences.previous_N, occurrences.ids_N, len(counts.types_V))
    probability_N = back_off(
        find_counts(counts.pairs, keys_N),
        counts.contexts.totals_V[occurrences.previous_N],
        counts.contexts.distinct_V[occurrences.previous_N],
        unigram_N,
        occurrences.own_N,
        counts.discount,
    )
    return np.asarray(np.log(probability_N / unigram_N), np.float32)


SIGNALS: Mapping[str, Callable[[Occurrences, Counts], Signal]] = {
    "surprisal": unigram_surprisal,
    "ngram_gain": ngram_gain,
}


def gather_facts(types_V: npt.NDArray[np.int64]) -> Facts:
    """Return the facts of a train split with the given type counts (int64 [V]).

    The rare threshold is the surprisal of the commonest type among the rarest types that together
    make up at most RARE_SHARE of the tokens; infinite where there is no such type.
    """
    surprisal_V = -np.log(unigram_probability(types_V))
    total = int(types_V.sum())
    if not total:
        return Facts(0.0, float("inf"))
    order = np.argsort(types_V, kind="stable")
    rare = order[np.cumsum(types_V[order]) <= RARE_SHARE * total]
    threshold = float(np.float32(surprisal_V[rare].min())) if len(rare) else float("inf")
    return Facts(float(types_V @ surprisal_V) / total, threshold)
