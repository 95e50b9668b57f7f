"""Values carried between tokenizations: sums stay, identity is exact, stretches are smallest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.signals.alignment import align

SHARES = st.floats(0, 20, allow_nan=False)


@st.composite
def tokenizations(draw):
    """Two tokenizations of the same documents: starts and offsets of each."""
    sizes = draw(st.lists(st.integers(0, 12), min_size=1, max_size=5))
    pairs = []
    for _ in range(2):
        starts, offsets = [], [0]
        for size in sizes:
            inner = draw(st.lists(st.integers(0, max(0, size - 1)), max_size=10)) if size else []
            starts += [*sorted([0, *inner] if size else []), size]
            offsets.append(len(starts))
        pairs.append((np.array(starts, np.int64), np.array(offsets, np.int64)))
    return pairs


def draw_values(size, seed=0):
    return np.random.default_rng(seed).normal(2, 3, size)


@given(tokenizations(), st.data())
def test_sums_over_every_stretch_and_document_stay(pairs, data):
    (starts_N, offsets_D1), (starts_M, others_D1) = pairs
    found = align(starts_N, offsets_D1, starts_M, others_D1)
    values_M = draw_values(len(starts_M))
    shares_N = data.draw(st.lists(SHARES, min_size=len(starts_N), max_size=len(starts_N)))
    carried_N = found.carry(values_M, shares_N)
    for at in range(found.stretches):
        theirs, ours = values_M[found.stretch_M == at], carried_N[found.stretch_N == at]
        assert len(theirs) > 0
        assert len(ours) > 0
        assert ours.sum() == pytest.approx(theirs.sum(), abs=1e-9)
    sums = np.add.reduceat(carried_N, offsets_D1[:-1])
    np.testing.assert_allclose(sums, np.add.reduceat(values_M, others_D1[:-1]), atol=1e-9)


@given(tokenizations())
def test_a_stretch_begins_where_a_token_of_each_does_and_nowhere_else(pairs):
    (starts_N, offsets_D1), (starts_M, others_D1) = pairs
    found = align(starts_N, offsets_D1, starts_M, others_D1)
    shared = 0
    for number in range(len(offsets_D1) - 1):
        ours = starts_N[offsets_D1[number] : offsets_D1[number + 1] - 1].tolist()
        theirs = starts_M[others_D1[number] : others_D1[number + 1] - 1].tolist()
        same = [place for place in {*ours} & {*theirs} if ours.count(place) == theirs.count(place)]
        shared += len({*ours} & {*theirs}) + sum(ours.count(place) - 1 for place in same) + 1
    assert found.stretches == shared
    assert sum(found.tally()[:4]) == shared
    assert (found.sizes_Sx2 > 0).all()
    back = align(starts_M, others_D1, starts_N, offsets_D1)
    assert back.stretch_N.tolist() == found.stretch_M.tolist()


@given(tokenizations())
def test_equal_tokenizations_give_the_values_themselves(pairs):
    starts, offsets = pairs[0]
    found = align(starts, offsets, starts, offsets)
    values = draw_values(len(starts))
    carried = found.carry(values, np.full(len(starts), 0.3))
    assert carried.tobytes() == values.tobytes()


@given(tokenizations())
def test_documents_do_not_meet(pairs):
    (starts_N, offsets_D1), (starts_M, others_D1) = pairs
    together = align(starts_N, offsets_D1, starts_M, others_D1).carry(
        draw_values(len(starts_M)), np.ones(len(starts_N))
    )
    for number in range(len(offsets_D1) - 1):
        ours = slice(offsets_D1[number], offsets_D1[number + 1])
        theirs = slice(others_D1[number], others_D1[number + 1])
        alone = align(
            starts_N[ours],
            np.array([0, ours.stop - ours.start]),
            starts_M[theirs],
            np.array([0, theirs.stop - theirs.start]),
        )
        values = draw_values(len(starts_M))[theirs]
        carried = alone.carry(values, np.ones(ours.stop - ours.start))
        np.testing.assert_allclose(carried, together[ours], atol=1e-12)


def test_a_word_in_two_halves_gets_the_loss_by_what_each_is_worth():
    # "a microwave": a | micro | wave, against a | microwave
    ours, theirs = np.array([0, 1, 7, 11]), np.array([0, 1, 11])
    found = align(ours, np.array([0, 4]), theirs, np.array([0, 3]))
    values, shares = np.array([1.0, 6.0, 0.5]), np.array([2.0, 9.0, 1.0, 3.0])
    assert found.carry(values, shares).tolist() == pytest.approx([1.0, 5.4, 0.6, 0.5])
    by_bytes = found.carry(values, np.zeros(4))
    assert by_bytes.tolist() == pytest.approx([1.0, 3.6, 2.4, 0.5])
    assert found.sizes_Sx2.tolist() == [[1, 1], [2, 1], [1, 1]]


def test_bytes_in_no_token_belong_to_the_token_before_and_first_ones_to_the_token_after():
    # The model has no token for the first two bytes, nor for the fifth.
    ours, theirs = np.array([0, 1, 2, 4, 5, 6]), np.array([2, 5, 6])
    found = align(ours, np.array([0, 6]), theirs, np.array([0, 3]))
    assert found.stretch_N.tolist() == [0, 0, 0, 0, 1, 2]
    assert found.stretch_M.tolist() == [0, 1, 2]
    assert found.carry(np.array([8.0, 2.0, 1.0]), np.ones(6)).tolist() == [2, 2, 2, 2, 2, 1]


def test_a_text_in_no_token_shares_its_end():
    found = align(np.array([0, 3, 0]), np.array([0, 2, 3]), np.array([3, 0]), np.array([0, 1, 2]))
    assert found.carry(np.array([4.0, 5.0]), np.array([3.0, 1.0, 0.0])).tolist() == [3.0, 1.0, 5.0]


def test_pieces_of_a_character_are_one_by_one_where_both_have_as_many():
    ours, theirs = np.array([0, 0, 0, 4]), np.array([0, 0, 0, 4])
    found = align(ours, np.array([0, 4]), theirs, np.array([0, 4]))
    assert found.tally() == (4, 0, 0, 0, 1)
    fewer = align(ours, np.array([0, 4]), theirs[1:], np.array([0, 3]))
    assert fewer.tally() == (1, 0, 0, 1, 3)


def test_tokens_without_bytes_share_alike():
    ours, theirs = np.array([0, 0, 0]), np.array([0])
    found = align(ours, np.array([0, 3]), theirs, np.array([0, 1]))
    assert found.carry(np.array([6.0]), np.zeros(3)).tolist() == pytest.approx([2.0, 2.0, 2.0])


def test_other_texts_are_refused():
    with pytest.raises(ValueError, match="different texts"):
        align(np.array([0, 3]), np.array([0, 2]), np.array([0, 4]), np.array([0, 2]))
