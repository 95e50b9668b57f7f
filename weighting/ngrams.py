"""Pair (bigram) counts and the back-off probability that they give.

A pair is packed as `previous * vocab_size + current` in uint64, so that sorted keys group by
context and a range of contexts is a slice. All arrays are NumPy; counts are int64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairCounts:
    """K distinct pairs: sorted unique keys (uint64) and how often each occurs (int64, ≥ 1)."""

    keys_K: npt.NDArray[np.uint64]
    counts_K: Ints


@dataclass(frozen=True)
class Contexts:
    """For each context token: occurrences as context, distinct continuations; both int64 [V]."""

    totals_V: Ints
    distinct_V: Ints


def pack_pairs(
    previous_N: npt.NDArray[Any], ids_N: npt.NDArray[Any], vocab_size: int
) -> npt.NDArray[np.uint64]:
    """Return the uint64 key of each of N pairs."""
    return previous_N.astype(np.uint64) * np.uint64(vocab_size) + ids_N.astype(np.uint64)


def count_pairs(keys_N: npt.NDArray[np.uint64]) -> PairCounts:
    """Count N packed pairs, in any order."""
    keys_K, counts_K = np.unique(keys_N, return_counts=True)
    return PairCounts(keys_K, counts_K.astype(np.int64, copy=False))


def merge_pairs(parts: Sequence[PairCounts]) -> PairCounts:
    """Add up counts; the order and the cutting of `parts` do not matter."""
    if not parts:
        return PairCounts(np.empty(0, np.uint64), np.empty(0, np.int64))
    keys = np.concatenate([part.keys_K for part in parts])
    counts = np.concatenate([part.counts_K for part in parts])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate([keys[:1] == keys[:1], keys[1:] != keys[:-1]]))
    if not len(starts):
        return PairCounts(keys, counts)
    return PairCounts(keys[starts], np.add.reduceat(counts, starts))


def find_counts(pairs: PairCounts, keys_N: npt.NDArray[np.uint64]) -> Ints:
    """Return the count of each of N keys, 0 where a key is not among `pairs`."""
    if not len(pairs.keys_K):
        return np.zeros(len(keys_N), np.int64)
    at_N = np.minimum(np.searchsorted(pairs.keys_K, keys_N), len(pairs.keys_K) - 1)
    return np.where(pairs.keys_K[at_N] == keys_N, pairs.counts_K[at_N], 0)


def summarize_contexts(pairs: PairCounts, vocab_size: int) -> Contexts:
    """Return totals and distinct continuations of every context."""
    context_K = (pairs.keys_K // np.uint64(vocab_size)).astype(np.int64)
    totals_V = np.zeros(vocab_size, np.int64)
    np.add.at(totals_V, context_K, pairs.counts_K)
    return Contexts(totals_V, np.bincount(context_K, minlength=vocab_size).astype(np.int64))


def estimate_discount(singletons: int, doubletons: int) -> float:
    """Return the absolute discount n1 / (n1 + 2 n2) (Ney, Essen and Kneser 1994, eq. 12).

    Kept within [0.1, 0.9]: a corpus with no singletons (or no doubletons) would otherwise give
    unseen pairs no probability (or seen pairs none).
    """
    if singletons == 0:
        return 0.1
    return min(max(singletons / (singletons + 2 * doubletons), 0.1), 0.9)


def back_off(
    pair_count_N: Ints,
    total_N: Ints,
    distinct_N: Ints,
    unigram_N: Floats,
    own_N: Ints,
    discount: float,
) -> Floats:
    """Return the interpolated absolute-discounting probability of N tokens given the one before.

    p(x|h) = (max(c(h,x) - D, 0) + D * distinct(h) * p(x)) / c(h), which sums to 1 over x
    (Chen and Goodman 1999, section 2.6). `own_N` is 1 where the token itself is among the
    counts: it is taken out first (leave-one-out), or a pair seen once would explain itself. A
    context that was never seen otherwise gives the unigram probability.
    """
    pair = pair_count_N - own_N
    total = total_N - own_N
    distinct = distinct_N - (own_N & (pair_count_N == 1))
    mass = np.maximum(pair - discount, 0.0) + discount * distinct * unigram_N
    return np.where(total > 0, mass / np.maximum(total, 1), unigram_N)
