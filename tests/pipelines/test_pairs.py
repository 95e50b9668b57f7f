"""Merging pair counts by partitions of contexts gives the counts of the whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.arrays import save_array
from pipelines.pairs import load_contexts, look_up, merge_partition
from pipelines.settings import Job
from pipelines.work import Work
from weighting.ngrams import count_pairs, pack_pairs, summarize_contexts

VOCAB = 11
units = st.lists(
    st.lists(st.tuples(st.integers(0, VOCAB - 1), st.integers(0, VOCAB - 1)), max_size=30),
    min_size=1,
    max_size=4,
)


def pack(pairs):
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return pack_pairs(both[:, 0], both[:, 1], VOCAB)


@settings(max_examples=50, deadline=None)
@given(units, st.integers(1, 4))
def test_partitions_together_are_the_whole(tmp_path_factory, parts, partitions):
    folder = tmp_path_factory.mktemp("pairs")
    job = Job(folder, Work(folder))
    for uid, part in enumerate(parts):
        counted = count_pairs(pack(part))
        array = np.stack([counted.keys_K, counted.counts_K.astype(np.uint64)])
        save_array(job.work.path("pairs", uid, ".npy"), array)
    seldom = [
        merge_partition(i, partitions, range(len(parts)), VOCAB, job) for i in range(partitions)
    ]
    whole = count_pairs(pack([pair for part in parts for pair in part]))
    everything = np.arange(VOCAB * VOCAB, dtype=np.uint64)
    found = look_up(job, partitions, VOCAB, everything)
    expected = np.zeros(VOCAB * VOCAB, np.int64)
    expected[whole.keys_K.astype(np.int64)] = whole.counts_K
    assert np.array_equal(found.counts_K, expected)
    contexts, reference = load_contexts(job, partitions), summarize_contexts(whole, VOCAB)
    assert np.array_equal(contexts.totals_V, reference.totals_V)
    assert np.array_equal(contexts.distinct_V, reference.distinct_V)
    assert tuple(map(sum, zip(*seldom, strict=True))) == (
        int((whole.counts_K == 1).sum()),
        int((whole.counts_K == 2).sum()),
    )
