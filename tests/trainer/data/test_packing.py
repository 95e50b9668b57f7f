"""What is a target of which window, by two rules; nothing lost, nothing twice."""

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.streams import documents_of, make_stream, sizes_of_documents
from trainer.data.corpus import open_corpus
from trainer.data.packing import RULES, Packing, PackingSummary, fit, pack
from weighting.errors import AssayError

contexts = st.integers(1, 12)
rules = st.sampled_from(sorted(RULES))


def positions_of(packing):
    """Positions of each window's targets, in order."""
    pieces = list(zip(packing.starts_P.tolist(), packing.sizes_P.tolist(), strict=True))
    return [
        [position for start, size in pieces[first:last] for position in range(start, start + size)]
        for first, last in pairwise(packing.rows_W1)
    ]


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_every_token_is_a_target_exactly_once(sizes, context, rule):
    stream = make_stream(sizes)
    packing = pack(stream, rule, context)
    windows = positions_of(packing)
    assert sorted(chain.from_iterable(windows)) == list(range(stream.tokens))
    assert packing.lengths.tolist() == [len(window) for window in windows]
    assert 0 < packing.lengths.min() <= packing.lengths.max() <= context


@given(sizes=sizes_of_documents, context=contexts)
def test_stream_windows_are_full_but_the_last(sizes, context):
    stream = make_stream(sizes)
    packing = pack(stream, "stream", context)
    assert list(chain.from_iterable(positions_of(packing))) == list(range(stream.tokens))
    assert (packing.lengths[:-1] == context).all()


@given(sizes=sizes_of_documents, context=contexts)
def test_best_fit_cuts_long_documents_only(sizes, context):
    packing = pack(make_stream(sizes), "best-fit", context)
    document_N = documents_of(sizes)
    pieces: dict[int, list[int]] = {}
    for start, size in sorted(zip(packing.starts_P, packing.sizes_P, strict=True)):
        assert len(set(document_N[start : start + size])) == 1
        pieces.setdefault(document_N[start], []).append(int(size))
    for cut in pieces.values():
        assert cut[:-1] == [context] * (len(cut) - 1)


def fit_one_by_one(sizes, capacity):
    """Best-fit decreasing as the textbook has it: the room that is left in each window."""
    rooms: list[int] = []
    for size in sorted(sizes, reverse=True):
        fitting = [room for room in rooms if room >= size]
        if fitting:
            rooms.remove(min(fitting))
        rooms.append(min(fitting, default=capacity) - size)
    return rooms


@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=60), extra=st.integers(0, 20))
def test_pieces_are_placed_as_one_by_one(sizes, extra):
    capacity = max(sizes) + extra
    window_P, order_P = fit(np.array(sizes), capacity)
    assert sorted(order_P) == list(range(len(sizes)))
    assert (np.diff(window_P[order_P]) >= 0).all()
    rooms = capacity - np.bincount(window_P, weights=sizes)
    assert sorted(rooms) == sorted(fit_one_by_one(sizes, capacity))


def test_equal_sizes_are_placed_in_order_of_the_stream():
    window_P, order_P = fit(np.tile([3, 1], 600), 3)
    assert window_P[::2].tolist() == list(range(600))
    assert window_P[1::2].tolist() == np.repeat(np.arange(600, 800), 3).tolist()
    assert order_P.tolist() == [*range(0, 1200, 2), *range(1, 1200, 2)]


def test_best_fit_by_hand():
    # Documents of 3, 10 (4 + 4 + 2), 1, 2 and 1 tokens into windows of 4. The pieces of 4 come
    # first; 3 opens a window, 2 and 2 share one, and a 1 fills the window of 3.
    packing = pack(make_stream([[3, 10, 1], [2, 1]]), "best-fit", 4)
    assert positions_of(packing) == [
        [3, 4, 5, 6],
        [7, 8, 9, 10],
        [0, 1, 2, 13],
        [11, 12, 14, 15],
        [16],
    ]
    assert packing.summary(make_stream([[3, 10, 1], [2, 1]])) == PackingSummary(
        rule="best-fit", windows=5, padding_share=1 - 17 / 20, mass_lost=0.0
    )


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_select_tells_where_pieces_lie(sizes, context, rule):
    packing = pack(make_stream(sizes), rule, context)
    rows_B = np.arange(packing.windows)[::-2]
    starts_P, sizes_P, places_P = packing.select(rows_B)
    found: dict[int, list[int]] = {number: [] for number in range(len(rows_B))}
    for start, size, place in zip(starts_P, sizes_P, places_P, strict=True):
        assert place % context == len(found[place // context])
        found[place // context] += range(start, start + size)
    windows = positions_of(packing)
    assert list(found.values()) == [windows[row] for row in rows_B]


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_locate_finds_each_target(sizes, context, rule):
    packing = pack(make_stream(sizes), rule, context)
    for row, window in enumerate(positions_of(packing)):
        assert [packing.locate(row, column) for column in range(len(window))] == window


@given(sizes=sizes_of_documents, data=st.data())
def test_the_mass_that_a_plan_loses_is_counted(sizes, data):
    stream = make_stream(sizes)
    places = st.integers(0, stream.tokens - 1)
    starts_P = np.array(data.draw(st.lists(places, min_size=1, max_size=9)))
    sizes_P = np.array([data.draw(st.integers(1, stream.tokens - start)) for start in starts_P])
    plan = Packing("some", stream.tokens, starts_P, sizes_P, np.arange(len(starts_P) + 1))
    weights_N = np.arange(stream.tokens) / 2
    is_lost_N = np.ones(stream.tokens, bool)
    for start, size in zip(starts_P, sizes_P, strict=True):
        is_lost_N[start : start + size] = False
    total = weights_N.sum()
    assert plan.mass_lost(stream) == pytest.approx(
        weights_N[is_lost_N].sum() / total if total else 0.0
    )


@given(sizes=sizes_of_documents, context=contexts, rule=rules)
def test_no_rule_loses_mass(sizes, context, rule):
    stream = make_stream(sizes)
    assert pack(stream, rule, context).mass_lost(stream) == 0.0


@pytest.mark.parametrize("rule", sorted(RULES))
def test_files_and_record_batches_leave_no_trace(write_corpus, rule):
    documents = [[1, 2, 3], [4, 5, 6, 7, 8], [9, 10], [11, 12, 13, 14]]
    one = open_corpus(str(write_corpus("one", train=[documents])))
    many = open_corpus(str(write_corpus("many", train=[[d] for d in documents])))
    assert len(many.train.segments) == 4
    a, b = (pack(corpus.train, rule, 3) for corpus in (one, many))
    for name in ("starts_P", "sizes_P", "rows_W1"):
        assert np.array_equal(getattr(a, name), getattr(b, name))


def test_an_unknown_rule_is_named():
    with pytest.raises(AssayError, match="packing is 'worst-fit', must be one of stream, best-fit"):
        pack(make_stream([[1]]), "worst-fit", 4)
