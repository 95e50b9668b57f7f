"""N-gram counts of orders 2 to 5, and the back-off probability that they give a token.

An n-gram is a token and its context, the n - 1 tokens before it; what stands before a document's
first token counts as end-of-text tokens. Its key is a uint64, `context << b | id` with b the bits
of the vocabulary, so that sorted keys group by context. The context is spread evenly over the
upper 64 - b bits, so that equal ranges of keys hold about equally many contexts.

Order 2 is exact. From order 3 on the context is a hash: any two contexts are taken for one with
probability 2^(b - 64). Of C distinct contexts some C 2^(b - 64) of all have the hash of another:
4 in a million for a vocabulary of 65,536 types and 10^9 contexts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from weighting.array_tools import find_runs
from weighting.arrays import AnyArray, Float64s, Int64s, Uint32s, Uint64s
from weighting.hashing import STEP, mix_bits

ORDERS = (2, 3, 4, 5)


@dataclass(frozen=True, eq=False)
class Ngrams:
    """K distinct n-grams: sorted keys (uint64) and how often each occurs (int64, ≥ 1)."""

    keys_K: Uint64s
    counts_K: Int64s


@dataclass(frozen=True, eq=False)
class Table:
    """K n-grams to look up: sorted keys (uint64) and, for each, a row of uint32 (see Row).

    Every n-gram carries what is known of its context. So one search finds it, or, where it was
    never seen, a neighbour with the same context.
    """

    keys_K: Uint64s
    rows_Kx3: Uint32s


class Row(IntEnum):
    """Columns of a Table. Numbers beyond 2^32 - 1 are kept as that."""

    COUNT = 0  # of the n-gram
    TOTAL = 1  # occurrences of its context
    DISTINCT = 2  # tokens that were seen after the context


def count_bits(vocab_size: int) -> np.uint64:
    """Return the bits that an id takes."""
    return np.uint64((vocab_size - 1).bit_length())


def list_keys(
    ids_N: AnyArray,
    offsets_D1: AnyArray,
    eos_id: int,
    vocab_size: int,
    order: int,
) -> Iterator[Uint64s]:
    """Yield the keys of the n-grams that end at each of N tokens, for n from 2 to `order`.

    None of the D documents may be empty (each has its end-of-text token).
    """
    bits = count_bits(vocab_size)
    ids_N = ids_N.astype(np.uint64)
    previous_N, context_N = ids_N, np.zeros_like(ids_N)
    for n in range(2, order + 1):
        previous_N = _shift(previous_N, offsets_D1[:-1], eos_id)
        # Order 2: one token times an odd number, which is one to one and spreads ids over all bits.
        # From order 3 on: the mixed sum, a hash of the context so far and the token before it.
        context_N = previous_N * STEP if n == 2 else mix_bits(context_N + previous_N)
        yield context_N << bits | ids_N


def count_ngrams(keys_N: Uint64s) -> Ngrams:
    """Count N keys, in any order."""
    keys_N = np.sort(keys_N)
    starts, counts = find_runs(keys_N)
    return Ngrams(keys_N[starts], counts)


def merge_ngrams(parts: Sequence[Ngrams]) -> Ngrams:
    """Add up counts; the order and the cutting of `parts` do not matter."""
    parts = [part for part in parts if len(part.keys_K)]
    if len(parts) < 2:
        return parts[0] if parts else count_ngrams(np.empty(0, np.uint64))
    keys = np.concatenate([part.keys_K for part in parts])
    order = np.argsort(keys, kind="stable")  # merges runs that are sorted
    keys, counts = keys[order], np.concatenate([part.counts_K for part in parts])[order]
    starts, _ = find_runs(keys)
    return Ngrams(keys[starts], np.add.reduceat(counts, starts))


def tabulate(ngrams: Ngrams, vocab_size: int) -> Table:
    """Return the table of all n-grams but those of contexts that occur once.

    A token that is among the counts loses nothing by that: taken out itself, such a context is
    unknown, as it is when left out. Another token loses what a single occurrence could have told
    it, and gets the probability of the order below.
    """
    starts, distinct = find_runs(ngrams.keys_K >> count_bits(vocab_size))
    totals = np.add.reduceat(ngrams.counts_K, starts) if len(starts) else distinct
    kept_K = np.repeat(totals > 1, distinct)
    rows = (ngrams.counts_K, np.repeat(totals, distinct), np.repeat(distinct, distinct))
    limit = np.iinfo(np.uint32).max
    rows_Kx3 = np.stack([np.minimum(row[kept_K], limit).astype(np.uint32) for row in rows], axis=1)
    return Table(ngrams.keys_K[kept_K], rows_Kx3)


def find_ngrams(table: Table, keys_N: Uint64s, vocab_size: int) -> Uint32s:
    """Return the rows of N n-grams, uint32 [N, 3]: 0 where n-gram or context are not in the table.

    Fast if keys that are near each other are neighbours.
    """
    if not len(table.keys_K):
        return np.zeros((len(keys_N), len(Row)), np.uint32)
    bits = count_bits(vocab_size)
    at_N = np.minimum(np.searchsorted(table.keys_K, keys_N), len(table.keys_K) - 1)
    above_N = table.keys_K[at_N]
    # Where the next key is of another context, the one before it may be of this.
    near_N = at_N - ((above_N ^ keys_N) >> bits > 0)
    rows_Nx3 = table.rows_Kx3.take(near_N, axis=0)
    rows_Nx3[(table.keys_K[near_N] ^ keys_N) >> bits > 0] = 0
    rows_Nx3[above_N != keys_N, Row.COUNT] = 0
    return rows_Nx3


def count_seldom(ngrams: Ngrams) -> tuple[int, int]:
    """Return how many n-grams occur once, and how many twice."""
    return int((ngrams.counts_K == 1).sum()), int((ngrams.counts_K == 2).sum())


def estimate_discount(singletons: int, doubletons: int) -> float:
    """Return the absolute discount n1 / (n1 + 2 n2) (Ney, Essen and Kneser 1994, eq. 12).

    Kept within [0.1, 0.9]: a corpus with no singletons (or no doubletons) would otherwise give
    unseen n-grams no probability (or seen ones none).
    """
    if singletons == 0:
        return 0.1
    return min(max(singletons / (singletons + 2 * doubletons), 0.1), 0.9)


def back_off(rows_Nx3: Uint32s, lower_N: Float64s, own_N: AnyArray, discount: float) -> Float64s:
    """Return the probability of N tokens given their contexts, from that of the order below.

    Interpolated absolute discounting (Chen and Goodman 1999, section 2.6), with x the token, h its
    context and h' the context without its first token:

        p(x|h) = (max(c(h,x) - D, 0) + D * distinct(h) * p(x|h')) / c(h)

    It sums to 1 over x where p(x|h') does. `own_N` is 1 where the token itself is among the counts:
    it is taken out first (leave-one-out), or an n-gram seen once would explain itself. A context
    that was never seen otherwise gives p(x|h').
    """
    own_N = own_N.astype(np.float64)
    count_N = rows_Nx3[:, Row.COUNT] - own_N
    total_N = rows_Nx3[:, Row.TOTAL] - own_N
    distinct_N = rows_Nx3[:, Row.DISTINCT] - own_N * (rows_Nx3[:, Row.COUNT] == 1)
    mass_N = np.maximum(count_N - discount, 0.0) + discount * distinct_N * lower_N
    return np.where(total_N > 0, mass_N / np.maximum(total_N, 1), lower_N)


def _shift(values_N: Uint64s, starts_D: AnyArray, first: int) -> Uint64s:
    """Return for each token the value of the one before it; `first` where a document starts."""
    shifted_N = np.empty_like(values_N)
    shifted_N[1:] = values_N[:-1]
    shifted_N[starts_D] = first
    return shifted_N
