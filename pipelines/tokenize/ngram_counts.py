"""Kernels: count a unit's n-grams, merge one range of keys over all units, look tokens up.

A unit leaves the keys of its train tokens, repeats included, ordered by slot: the upper 16 bits,
which is cheaper than sorting and enough to cut out a range. A partition holds the n-grams of one
range of slots, whole contexts; ranges are equal and keys spread evenly, so that the more partitions
there are, the less there is in each. What a process has in memory at once is one unit's tokens or
one partition, however large the corpus; merged counts are read memory-mapped.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.settings import Job
from pipelines.tokenize.tokens import Documents
from pipelines.work.summaries import Seldom
from weighting.array_tools import find_key_range
from weighting.arrays import Float32s, Float64s, Int64s, Uint64s
from weighting.signals.ngrams import (
    Table,
    back_off,
    count_ngrams,
    count_seldom,
    estimate_discount,
    find_ngrams,
    list_keys,
    merge_ngrams,
    tabulate,
)
from weighting.vocabulary import Vocabulary

PARTITION_TEXT = 16 * 2**20  # bytes of text to a partition: some 4 million n-grams
KEYS_AT_ONCE = 2**23  # of several units, that are counted together
SLOT_BITS = 16  # ids have at most 32 bits, so a context is in one slot


class Counted(NamedTuple):
    """What looking up needs to know of the merged counts."""

    partitions: int  # of each order
    discounts: tuple[float, ...]  # of orders 2, 3, …

    @property
    def order(self) -> int:
        """The longest n-grams."""
        return len(self.discounts) + 1


def count_partitions(text_bytes: int) -> int:
    """Return how many partitions the n-grams of so much text take."""
    return max(1, text_bytes // PARTITION_TEXT)


def count_unit(
    uid: int, documents: Documents, vocabulary: Vocabulary, order: int, job: Job
) -> None:
    """Write the keys of the train tokens' n-grams of each order, ordered by slot."""
    train_N = documents.spread(documents.train_D)
    keys = list_keys(
        documents.ids_N, documents.offsets_D1, vocabulary.eos_id, vocabulary.vocab_size, order
    )
    for n, keys_N in enumerate(keys, 2):
        train_T = keys_N[train_N]
        job.work.ngram_keys[n][uid].save(train_T[sort_by_slot(train_T)])


def merge_partition(
    n: int, partition: int, partitions: int, uids: Sequence[int], vocab_size: int, job: Job
) -> Seldom:
    """Write the n-grams of one order and range; return how many are seldom.

    Contexts that occur once are left out, see `tabulate`. A partition done before is not merged
    again.
    """
    seldom = job.work.ngram_seldom[n][partition]
    if not seldom.exists():
        merged = merge_ngrams([])
        for keys in _batch(_slice(job, n, uid, partition, partitions) for uid in sorted(uids)):
            merged = merge_ngrams([merged, count_ngrams(keys)])
        table = tabulate(merged, vocab_size)
        job.work.ngram_contexts[n][partition].save(table.keys_K)
        job.work.ngram_rows[n][partition].save(table.rows_Kx3)
        seldom.write(Seldom(*count_seldom(merged)))  # last: the range is done
    return seldom.read()


def load_counted(partitions: int, order: int, job: Job) -> Counted:
    """Return what looking up needs to know, once all partitions of all orders are merged."""
    discounts = []
    for n in range(2, order + 1):
        seldom = [job.work.ngram_seldom[n][part].read() for part in range(partitions)]
        discounts.append(estimate_discount(*(sum(column) for column in zip(*seldom, strict=True))))
    return Counted(partitions, tuple(discounts))


def measure_gain(
    documents: Documents, probability_V: Float64s, eos_id: int, counted: Counted, job: Job
) -> Float32s:
    """Return log p(token | the tokens just before) - log p(token), nats, float32 [N].

    Train tokens are among the counts: each is taken out of them by itself, what else its document
    holds stays in. `probability_V` is p(token).
    """
    vocab_size, partitions = len(probability_V), counted.partitions
    ids_N, offsets_D1 = documents.ids_N, documents.offsets_D1
    unigram_N = lower_N = probability_V[ids_N]
    own_N = documents.spread(documents.train_D).astype(np.uint8)  # 1 if among the counts
    keys = list_keys(ids_N, offsets_D1, eos_id, vocab_size, counted.order)
    for n, (keys_N, discount) in enumerate(zip(keys, counted.discounts, strict=True), 2):
        order_N = sort_by_slot(keys_N)
        sorted_N, higher_N = keys_N[order_N], np.empty_like(lower_N)
        for part in range(partitions):
            range_ = find_key_range(sorted_N, part, partitions, SLOT_BITS)
            at = order_N[range_]
            rows = find_ngrams(_load_table(job, n, part), sorted_N[range_], vocab_size)
            higher_N[at] = back_off(rows, lower_N[at], own_N[at], discount)
        lower_N = higher_N
    return np.log(lower_N / unigram_N).astype(np.float32)


def sort_by_slot(keys_N: Uint64s) -> Int64s:
    """Return the places of the keys ordered by their slots, which is fast."""
    return np.argsort((keys_N >> np.uint64(64 - SLOT_BITS)).astype(np.uint16), kind="stable")


def _load_table(job: Job, n: int, partition: int) -> Table:
    keys, rows = job.work.ngram_contexts[n][partition], job.work.ngram_rows[n][partition]
    return Table(keys.load(), rows.load())


def _slice(job: Job, n: int, uid: int, partition: int, partitions: int) -> Uint64s:
    """Return a copy: a mapped file counts as open, and there may be more units than may be."""
    keys = job.work.ngram_keys[n][uid].load()
    return np.array(keys[find_key_range(keys, partition, partitions, SLOT_BITS)])


def _batch(slices: Iterable[Uint64s]) -> Iterator[Uint64s]:
    """Yield the slices put together, KEYS_AT_ONCE keys at a time and those of one unit more."""
    batch: list[Uint64s] = []
    size = 0
    for keys in slices:
        batch.append(keys)
        size += len(keys)
        if size >= KEYS_AT_ONCE:
            yield np.concatenate(batch)
            batch, size = [], 0
    if batch:
        yield np.concatenate(batch)
