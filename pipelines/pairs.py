"""Kernel: merge one range of contexts' pair counts over all units.

A partition holds the pairs whose context token lies in its range of ids. Its merged counts are
written as a sorted uint64 [2, K] array (keys, counts), with the range's context totals.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from pipelines.arrays import load_array, save_array
from pipelines.settings import Job
from weighting.ngrams import Contexts, PairCounts, find_counts, merge_pairs, summarize_contexts

MERGED, CONTEXTS = "merged", "contexts"
UNITS_AT_ONCE = 8  # whose pairs are in memory, so that it does not grow with their number
Keys = npt.NDArray[np.uint64]


def merge_partition(
    partition: int, partitions: int, uids: Sequence[int], vocab_size: int, job: Job
) -> tuple[int, int]:
    """Write the partition; return how many of its pairs occur once and twice."""
    low, high = cut_range(partition, partitions, vocab_size)
    slices = (_slice(job, uid, low, high) for uid in sorted(uids))
    merged = merge_pairs([])
    while group := list(islice(slices, UNITS_AT_ONCE)):
        merged = merge_pairs([merged, *group])
    contexts = summarize_contexts(merged, vocab_size)
    packed = np.stack([merged.keys_K, merged.counts_K.astype(np.uint64)])
    save_array(job.work.path(MERGED, partition, ".npy"), packed)
    first, stop = low // vocab_size, high // vocab_size
    both = np.stack([contexts.totals_V[first:stop], contexts.distinct_V[first:stop]])
    save_array(job.work.path(CONTEXTS, partition, ".npy"), both)
    return int((merged.counts_K == 1).sum()), int((merged.counts_K == 2).sum())


def cut_range(partition: int, partitions: int, vocab_size: int) -> tuple[int, int]:
    """Return the keys [low, high) of a partition: whole contexts."""
    edges = (vocab_size * at // partitions for at in (partition, partition + 1))
    low, high = (edge * vocab_size for edge in edges)
    return low, high


def load_contexts(job: Job, partitions: int) -> Contexts:
    """Read the context totals of all partitions."""
    parts = [load_array(job.work.path(CONTEXTS, part, ".npy")) for part in range(partitions)]
    totals_V, distinct_V = np.concatenate(parts, axis=1)
    return Contexts(totals_V, distinct_V)


def look_up(job: Job, partitions: int, vocab_size: int, keys_K: Keys) -> PairCounts:
    """Return the corpus counts of sorted, distinct keys, from the memory-mapped partitions."""
    counts = []
    for part in range(partitions):
        low, high = cut_range(part, partitions, vocab_size)
        start, stop = np.searchsorted(keys_K, np.array([low, high], np.uint64))
        merged = load_array(job.work.path(MERGED, part, ".npy"))
        pairs = PairCounts(merged[0], merged[1].view(np.int64))
        counts.append(find_counts(pairs, keys_K[start:stop]))
    return PairCounts(keys_K, np.concatenate(counts))


def _slice(job: Job, uid: int, low: int, high: int) -> PairCounts:
    keys, counts = load_array(job.work.path("pairs", uid, ".npy"))
    start, stop = np.searchsorted(keys, np.array([low, high], np.uint64))
    return PairCounts(np.asarray(keys[start:stop]), np.asarray(counts[start:stop], np.int64))
