"""Windows cover the stream exactly, in an order that only seed and step decide."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.corpus import Stream, open_corpus
from trainer.data import IGNORED, Loader, count_windows, draw_windows, gather, shuffle
from weighting.errors import AssayError
from weighting.shards import Segment


def make_stream(lengths):
    """A stream whose token at position i has id i and weight i / 2, cut into segments."""
    starts = np.cumsum([0, *lengths])
    segments = tuple(
        Segment(
            doc_ids=None,
            sources=None,
            offsets_D1=np.array([0, stop - start], np.int32),
            ids_N=np.arange(start, stop, dtype=np.uint16),
            weights_N=(np.arange(start, stop) / 2).astype(np.float32),
            reasons_N=np.zeros(stop - start, np.uint8),
        )
        for start, stop in pairwise(starts)
    )
    return Stream(segments, (), starts)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8).filter(lambda x: sum(x) > 1),
    context=st.integers(1, 12),
)
def test_every_token_but_the_first_is_a_target_exactly_once(lengths, context):
    stream = make_stream(lengths)
    batch = gather(stream, np.arange(count_windows(stream, context)), context)
    targets = batch.targets_BxT.numpy()
    live = targets != IGNORED
    assert targets[live].tolist() == list(range(1, sum(lengths)))
    assert batch.targets == live.sum()
    assert np.array_equal(batch.inputs_BxT.numpy()[live], targets[live] - 1)
    assert np.array_equal(batch.weights_BxT.numpy()[live], targets[live] / 2)
    assert not batch.weights_BxT.numpy()[~live].any()


def test_the_weight_of_a_planted_token_stands_at_its_target(write_corpus):
    def weigh(ids_N):
        return np.where(ids_N == 31, 5.0, 1.0).astype(np.float32)

    folder = write_corpus(train=[[[1, 2, 3, 31, 4], [5, 6, 7, 8]]], weigh=weigh)
    batch = gather(open_corpus(str(folder)).train, np.array([0, 1]), 4)
    heavy = batch.weights_BxT == 5.0
    assert batch.targets_BxT[heavy].tolist() == [31]
    assert batch.inputs_BxT[heavy].tolist() == [3]


def test_files_and_record_batches_leave_no_trace(write_corpus):
    documents = [[1, 2, 3], [4, 5, 6, 7, 8], [9, 10], [11, 12, 13, 14]]
    one = open_corpus(str(write_corpus("one", train=[documents])))
    many = open_corpus(str(write_corpus("many", train=[[d] for d in documents])))
    assert len(many.train.segments) == 4
    assert one.fingerprint == many.fingerprint
    for step in range(5):
        a, b = (Loader(c.train, 3, 2, seed=1).load(step) for c in (one, many))
        assert a.inputs_BxT.equal(b.inputs_BxT)
        assert a.targets_BxT.equal(b.targets_BxT)
        assert a.weights_BxT.equal(b.weights_BxT)


@given(windows=st.integers(1, 40), batch=st.integers(1, 12), seed=st.integers(0, 2**63))
def test_each_epoch_visits_every_window_once(windows, batch, seed):
    steps = -(-2 * windows // batch)
    drawn = np.concatenate([draw_windows(seed, s * batch, batch, windows) for s in range(steps)])
    for epoch in (drawn[:windows], drawn[windows : 2 * windows]):
        assert sorted(epoch) == list(range(windows))


def test_the_order_depends_on_seed_and_epoch_and_nothing_else():
    first = shuffle(3, 0, 50)
    shuffle.cache_clear()
    assert np.array_equal(first, shuffle(3, 0, 50))
    assert not np.array_equal(first, shuffle(4, 0, 50))
    assert not np.array_equal(first, shuffle(3, 1, 50))


def test_the_order_is_the_one_it_always_was():
    # A change here makes every run of the past unrepeatable.
    assert shuffle(0, 0, 8).tolist() == [0, 2, 1, 5, 4, 3, 6, 7]


def test_locate_names_shard_and_document(write_corpus):
    folder = write_corpus(train=[[[1, 2], [], [3, 4, 5]], [[6, 7]]])
    stream = open_corpus(str(folder)).train
    found = [stream.locate(position) for position in range(stream.tokens)]
    names = [(path.name, document) for path, document in found]
    zero, one = "train-00000.arrow", "train-00001.arrow"
    expected = [(zero, "train-0")] * 2 + [(zero, "train-2")] * 3 + [(one, "train-0")] * 2
    assert names == expected


def test_counts_of_targets_leave_out_the_first_token(write_corpus):
    folder = write_corpus(train=[[[3, 3, 5], [3]]])
    counts = open_corpus(str(folder)).target_counts_V
    assert (counts[3], counts[5], counts.sum()) == (2, 1, 3)


@pytest.mark.parametrize(
    ("weights", "share", "uniform"),
    [([1, 1, 1, 1], 1.0, True), ([2, 0, 2, 0], 0.5, False), ([4, 0, 0, 0], 0.25, False)],
)
def test_weight_spread(write_corpus, weights, share, uniform):
    def weigh(ids_N):
        return np.resize(np.array(weights, np.float32), len(ids_N))

    folder = write_corpus(train=[[[1, 2, 3, 4]]], weigh=weigh)
    assert open_corpus(str(folder)).weight_spread == (share, uniform)


def test_weights_change_the_fingerprint_in_one_place(write_corpus):
    a = open_corpus(str(write_corpus("a"))).fingerprint
    b = open_corpus(str(write_corpus("b", weigh=np.ones_like))).fingerprint
    assert {name for name in a if a[name] != b[name]} == {"train_weights_crc32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"validation": []}, "empty validation split"),
        ({"validation": [[[]]]}, "empty validation split"),
        ({"train": [[[7]]]}, "empty train split"),
    ],
)
def test_an_empty_split_is_named(write_corpus, change, message):
    folder = write_corpus(**change)
    with pytest.raises(AssayError, match=message):
        open_corpus(str(folder))
