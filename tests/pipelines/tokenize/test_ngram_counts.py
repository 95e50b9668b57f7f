"""The kernels: any cutting into units and partitions gives what one table of everything gives."""

import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.settings import Job
from pipelines.tokenize import ngram_counts
from pipelines.tokenize.ngram_counts import (
    PARTITION_TEXT,
    count_partitions,
    count_unit,
    load_counted,
    measure_gain,
    merge_partition,
)
from pipelines.tokenize.tokens import Documents
from pipelines.work.folder import WorkFolder
from weighting.signals.ngrams import (
    back_off,
    count_ngrams,
    count_seldom,
    estimate_discount,
    find_ngrams,
    list_keys,
    tabulate,
)
from weighting.vocabulary import Vocabulary

VOCAB, EOS, ORDER = 11, 0, 4
texts = st.lists(st.integers(1, VOCAB - 1), max_size=15).map(lambda ids: [*ids, EOS])
units = st.lists(st.lists(st.tuples(texts, st.booleans()), max_size=4), min_size=1, max_size=4)
PROBABILITY = np.arange(1, VOCAB + 1) / np.arange(1, VOCAB + 1).sum()


def flatten(documents):
    """The documents of a unit, given as (ids, whether for training)."""
    names = pa.nulls(len(documents), pa.string())
    return Documents(
        doc_ids=names,
        sources=names,
        train_D=np.array([train for _, train in documents], bool),
        ids_N=np.array([i for ids, _ in documents for i in ids], np.uint32),
        offsets_D1=np.cumsum([0, *(len(ids) for ids, _ in documents)]),
    )


def make_vocabulary(size):
    return Vocabulary([b""] * size, EOS, frozenset({EOS}), None)


def make_job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ngrams")
    return Job(folder, WorkFolder(folder))


def count(parts, partitions, job, order=ORDER):
    """Count and merge; return the seldom n-grams of each order."""
    for uid, documents in enumerate(parts):
        count_unit(uid, flatten(documents), make_vocabulary(VOCAB), order, job)
    uids = range(len(parts))
    return [
        [merge_partition(n, part, partitions, uids, VOCAB, job) for part in range(partitions)]
        for n in range(2, order + 1)
    ]


def measure(documents, counted, job):
    return measure_gain(flatten(documents), PROBABILITY, EOS, counted, job)


def measure_whole(documents):
    """The gain of every token, from one table of all n-grams of each order."""
    flat = flatten(documents)
    ids, own = flat.ids_N, flat.spread(flat.train_D)
    lower = PROBABILITY[ids]
    for keys in list_keys(ids, flat.offsets_D1, EOS, VOCAB, ORDER):
        counted = count_ngrams(keys[own])
        discount = estimate_discount(*count_seldom(counted))
        rows = find_ngrams(tabulate(counted, VOCAB), keys, VOCAB)
        lower = back_off(rows, lower, own.astype(np.int64), discount)
    return np.log(lower / PROBABILITY[ids]).astype(np.float32)


def count_all_seldom(documents):
    """How many n-grams of each order occur once and twice, before anything is left out."""
    flat = flatten(documents)
    keys = list_keys(flat.ids_N, flat.offsets_D1, EOS, VOCAB, ORDER)
    return [count_seldom(count_ngrams(some[flat.spread(flat.train_D)])) for some in keys]


@settings(max_examples=25)
@given(units, st.integers(1, 5), st.sampled_from([1, 7, 10**6]))
def test_units_and_partitions_together_are_the_whole(tmp_path_factory, parts, partitions, at_once):
    job = make_job(tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngram_counts, "KEYS_AT_ONCE", at_once)
        seldom = count(parts, partitions, job)
    counted = load_counted(partitions, ORDER, job)
    gains = [measure(documents, counted, job) for documents in parts]
    documents = [document for documents in parts for document in documents]
    whole = measure_whole(documents)
    assert np.array_equal(np.concatenate(gains), whole)
    assert whole.dtype == gains[0].dtype == np.float32
    sums = [tuple(map(sum, zip(*of_order, strict=True))) for of_order in seldom]
    assert sums == count_all_seldom(documents)


def test_an_order_has_its_own_discount(tmp_path_factory):
    job = make_job(tmp_path_factory)
    rng = np.random.default_rng(0)
    documents = [([*rng.integers(1, VOCAB, 30).tolist(), EOS], True) for _ in range(20)]
    seldom = count([documents], 2, job, order=3)
    counted = load_counted(2, 3, job)
    assert counted.order == 3
    assert counted.discounts == tuple(
        estimate_discount(*map(sum, zip(*parts, strict=True))) for parts in seldom
    )
    assert counted.discounts[0] != counted.discounts[1]


def test_ranges_of_keys_are_about_equally_full(tmp_path_factory):
    job = make_job(tmp_path_factory)
    rng = np.random.default_rng(1)
    documents = [([*rng.integers(1, 2000, 5000).tolist(), EOS], True)]
    count_unit(0, flatten(documents), make_vocabulary(2000), 3, job)
    for n in (2, 3):
        sizes = []
        for part in range(5):
            merge_partition(n, part, 5, [0], 2000, job)
            sizes.append(sum(job.work.ngram_seldom[n][part].read()))
        assert max(sizes) < 1.3 * min(sizes)


def test_a_merged_partition_is_not_merged_again(tmp_path_factory):
    job = make_job(tmp_path_factory)
    documents = [([1, 2, 1, 2, 1, EOS], True)]
    first = count([documents], 1, job, order=2)
    for file in job.work.ngram_keys[2]:
        file.path.unlink()
    assert merge_partition(2, 0, 1, [0], VOCAB, job) == first[0][0]


def test_contexts_that_occur_once_take_no_room(tmp_path_factory):
    job = make_job(tmp_path_factory)
    count([[([1, 2, 3, EOS], True), ([1, 2, 4, EOS], True)]], 1, job, order=3)
    keys = job.work.ngram_contexts[3][0].load()
    # end-of-text twice, then 1; end-of-text and 1, then 2; 1 and 2, then 3 or 4
    assert len(keys) == 4


def test_more_units_than_files_may_be_open(tmp_path_factory):
    job = make_job(tmp_path_factory)
    used = len(list(Path("/proc/self/fd").iterdir()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, hard))
    try:
        # large enough to be mapped
        seldom = count([[([1, 2] * 20 + [EOS], True)]] * 40, 1, job, order=2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert seldom == [[(0, 0)]]


def test_partitions_grow_with_the_text():
    assert [count_partitions(size) for size in (0, PARTITION_TEXT, 10 * PARTITION_TEXT)] == [
        1,
        1,
        10,
    ]
