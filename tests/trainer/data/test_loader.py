"""Batches hold each token as a target once, in an order that only seed, epoch and step decide."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.streams import documents_of, make_stream, sizes_of_documents
from trainer.data.corpus import open_corpus
from trainer.data.loader import IGNORED, Loader, draw_windows, gather, shuffle
from trainer.data.packing import RULES, pack

contexts = st.integers(1, 12)
rules = st.sampled_from(sorted(RULES))


def gather_all(sizes, rule, context, mask_documents=False):
    stream = make_stream(sizes)
    packing = pack(stream, rule, context)
    return gather(stream, packing, np.arange(packing.windows), mask_documents)


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_every_token_is_a_target_exactly_once(sizes, context, rule):
    batch = gather_all(sizes, rule, context)
    targets = batch.targets_BxT.numpy()
    live = targets != IGNORED
    tokens = sum(map(sum, sizes))
    # The token at position i has id i + 1 and weight i / 2; the token before it has id i.
    assert sorted(targets[live]) == list(range(1, tokens + 1))
    assert batch.targets == tokens
    assert np.array_equal(batch.inputs_BxT.numpy()[live], targets[live] - 1)
    assert np.array_equal(batch.weights_BxT.numpy()[live], (targets[live] - 1) / 2)


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_padding_ends_a_window_and_weighs_nothing(sizes, context, rule):
    batch = gather_all(sizes, rule, context)
    live = batch.targets_BxT.numpy() != IGNORED
    assert np.array_equal(live, np.arange(context) < batch.lengths_B[:, None])
    assert not batch.weights_BxT.numpy()[~live].any()


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_an_input_is_of_the_document_of_its_target(sizes, context, rule):
    batch = gather_all(sizes, rule, context, mask_documents=True)
    document_N = documents_of(sizes)
    for targets, numbers in zip(batch.targets_BxT, batch.documents_BxT, strict=True):
        live = targets != IGNORED
        wanted = document_N[targets[live].numpy() - 1]
        same = numbers[live].numpy()
        assert np.array_equal(same[:, None] == same, wanted[:, None] == wanted)


def test_documents_are_numbered_only_where_they_are_masked():
    assert gather_all([[3, 4]], "stream", 4).documents_BxT is None


def test_a_best_fit_window_by_hand(write_corpus):
    # Each document ends with 0. The windows of 4: 1 2 3 0; 4 5 6 7 of the second; 9 0 and 8 0.
    folder = write_corpus(train=[[[1, 2, 3, 0], [4, 5, 6, 7, 8, 0], [9, 0]]])
    stream = open_corpus(str(folder)).train
    packing = pack(stream, "best-fit", 4)
    batch = gather(stream, packing, np.arange(packing.windows), mask_documents=True)
    assert batch.targets_BxT.tolist() == [[1, 2, 3, 0], [4, 5, 6, 7], [8, 0, 9, 0]]
    # Before a document stands the end of the one before; before 8 its own document's 7.
    assert batch.inputs_BxT.tolist() == [[0, 1, 2, 3], [0, 4, 5, 6], [7, 8, 0, 9]]
    assert batch.documents_BxT is not None
    assert batch.documents_BxT.tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 2, 2]]


def test_before_the_first_token_stands_an_end_of_text():
    stream = replace(make_stream([[2], [3]]), eos_id=9)
    batch = gather(stream, pack(stream, "stream", 5), np.array([0]))
    assert batch.inputs_BxT.tolist() == [[9, 1, 2, 3, 4]]
    assert batch.targets_BxT.tolist() == [[1, 2, 3, 4, 5]]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_weight_of_a_planted_token_stands_at_its_target(write_corpus, rule):
    def weigh(ids_N):
        return np.where(ids_N == 31, 5.0, 1.0).astype(np.float32)

    folder = write_corpus(train=[[[1, 2, 3, 31, 4], [5, 6, 7, 8]]], weigh=weigh)
    stream = open_corpus(str(folder)).train
    packing = pack(stream, rule, 4)
    batch = gather(stream, packing, np.arange(packing.windows))
    heavy = batch.weights_BxT == 5.0
    assert batch.targets_BxT[heavy].tolist() == [31]
    assert batch.inputs_BxT[heavy].tolist() == [3]


def assert_same(a, b):
    for name in ("inputs_BxT", "targets_BxT", "weights_BxT", "documents_BxT"):
        assert getattr(a, name).equal(getattr(b, name))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_files_and_record_batches_leave_no_trace(write_corpus, rule):
    documents = [[1, 2, 3], [4, 5, 6, 7, 8], [9, 10], [11, 12, 13, 14]]
    one = open_corpus(str(write_corpus("one", train=[documents]))).train
    many = open_corpus(str(write_corpus("many", train=[[d] for d in documents]))).train
    assert len(many.segments) == 4
    loaders = [Loader(s, pack(s, rule, 3), 2, seed=1, mask_documents=True) for s in (one, many)]
    for step in range(5):
        assert_same(*(loader.load(step) for loader in loaders))


@given(sizes=sizes_of_documents, rule=rules, batch=st.integers(1, 9), ranks=st.integers(1, 4))
def test_ranks_share_the_global_batch_by_stride(sizes, rule, batch, ranks):
    stream = make_stream(sizes)
    packing = pack(stream, rule, 4)
    batch = max(batch, ranks)
    whole = Loader(stream, packing, batch, 3, mask_documents=True)
    for step in (0, 5):
        loaded = whole.load(step)
        parts = [
            Loader(stream, packing, batch, 3, rank, ranks, mask_documents=True).load(step)
            for rank in range(ranks)
        ]
        for rank, part in enumerate(parts):
            assert part.rows_B.tolist() == loaded.rows_B[rank::ranks].tolist()
            for name in ("inputs_BxT", "targets_BxT", "weights_BxT", "documents_BxT"):
                assert getattr(part, name).equal(getattr(loaded, name)[rank::ranks])
        assert sum(part.targets for part in parts) == loaded.targets == whole.targets(step)


@given(windows=st.integers(1, 9), micro=st.integers(0, 11))
def test_a_batch_splits_into_contiguous_pieces(windows, micro):
    batch = gather_all([[4] * windows], "stream", 4, mask_documents=True)
    pieces = batch.split(micro)
    assert [len(piece.rows_B) for piece in pieces[:-1]] == [micro] * (len(pieces) - 1)
    assert 0 < len(pieces[-1].rows_B) <= (micro or windows)
    for name in ("inputs_BxT", "targets_BxT", "weights_BxT", "documents_BxT"):
        joined = torch.cat([getattr(piece, name) for piece in pieces])
        assert joined.equal(getattr(batch, name))
    assert np.concatenate([piece.rows_B for piece in pieces]).tolist() == batch.rows_B.tolist()
    assert [piece.targets for piece in pieces] == [
        int((piece.targets_BxT != IGNORED).sum()) for piece in pieces
    ]


def test_pinned_ids_travel_narrow_and_arrive_wide(monkeypatch):
    # A machine without a GPU has no page-locked memory: a copy stands in for it.
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor.clone())
    stream = make_stream([[5, 4]])
    packing = pack(stream, "best-fit", 4)
    loaders = [Loader(stream, packing, 2, 0, mask_documents=True, pinned=p) for p in (False, True)]
    plain, pinned = (loader.load(0) for loader in loaders)
    assert pinned.inputs_BxT.dtype == pinned.targets_BxT.dtype == torch.int32
    assert pinned.documents_BxT is not None
    assert pinned.documents_BxT.dtype == torch.int32
    assert pinned.weights_BxT.dtype == torch.float32
    arrived = pinned.to("cpu")
    assert arrived.inputs_BxT.dtype == arrived.targets_BxT.dtype == torch.int64
    assert_same(arrived, plain)
    assert arrived.targets == plain.targets


def test_batches_share_no_memory():
    stream = make_stream([[8, 8]])
    loader = Loader(stream, pack(stream, "stream", 4), 2, 0)
    first = loader.load(0)
    kept = first.targets_BxT.clone()
    loader.load(1)
    assert first.targets_BxT.equal(kept)


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
