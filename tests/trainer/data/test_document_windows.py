"""Windows over documents: what is scored where, and what it sees."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.document_windows import batch_windows, cut_windows, gather, shift_right

sizes_of = st.lists(st.integers(0, 40), max_size=8)
shapes = st.integers(1, 12).flatmap(lambda context: st.tuples(st.just(context), st.integers(1, 12)))


def offsets_of(sizes):
    return np.cumsum([0, *sizes], dtype=np.int64)


@given(sizes_of, shapes)
def test_every_target_is_scored_once_and_sees_what_is_promised(sizes, shape):
    context, stride = shape[0], min(shape)
    offsets = offsets_of(sizes)
    windows = cut_windows(offsets, context, stride)
    seen_N = np.zeros(offsets[-1], np.int64)
    for start, size, skip in zip(windows.starts_W, windows.sizes_W, windows.skips_W, strict=True):
        assert 1 <= size <= context
        document = np.searchsorted(offsets, start, side="right") - 1
        assert start + size <= offsets[document + 1]
        assert (seen_N[start + skip : start + size] == 0).all()
        seen_N[start + skip : start + size] = np.arange(skip, size) + 1
    place_N = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes)
    first_N = place_N < context
    assert (seen_N[first_N] == place_N[first_N] + 1).all()
    assert (seen_N[~first_N] > context - stride).all()
    assert (seen_N <= context).all()


@given(sizes_of, st.integers(1, 60))
def test_batches_hold_every_window_once_longest_first_and_little_padding(sizes, tokens):
    windows = cut_windows(offsets_of(sizes), 8, 4)
    batches = list(batch_windows(windows, tokens))
    for batch in batches:
        longest = batch.sizes_W[0]
        assert (np.diff(batch.sizes_W) <= 0).all()
        assert len(batch.sizes_W) == 1 or longest * len(batch.sizes_W) <= tokens
    starts = [start for batch in batches for start in batch.starts_W]
    assert sorted(starts) == sorted(windows.starts_W)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any))
def test_rows_hold_the_tokens_before_their_targets(sizes):
    offsets = offsets_of(sizes)
    ids_N = np.arange(100, 100 + offsets[-1])
    inputs_N = shift_right(ids_N, offsets, eos_id=7)
    windows = cut_windows(offsets, 6, 3)
    gathered = gather(windows, inputs_N)
    assert np.sort(gathered.places_M).tolist() == list(range(offsets[-1]))
    begins = set(offsets[:-1])
    given_M = gathered.inputs_BxT.ravel()[gathered.cells_M]
    for place, before in zip(gathered.places_M, given_M, strict=True):
        assert before == (7 if place in begins else ids_N[place] - 1)
    for row, size, start in zip(
        gathered.inputs_BxT, windows.sizes_W, windows.starts_W, strict=True
    ):
        assert row[:size].tolist() == inputs_N[start : start + size].tolist()
