"""Halves: known for ever, one of two, and no matter of the split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tokenize.split import choose_train
from weighting.contracts.halves import is_of_half
from weighting.contracts.splits import WHOLE, A, B

COUNT = 20_000
# Of ids 0 to 31, a bit each, the first one lowest. Models are trained by it: it never changes.
KNOWN = 0x9365A696


def make_ids(count):
    """Ids as documents have them: 32 digits that look like a hash's."""
    rows = np.random.default_rng(7).integers(0, 2**32, (count, 4))
    return ["".join(f"{part:08x}" for part in row) for row in rows.tolist()]


def test_the_half_of_an_id_is_known_for_ever():
    in_b_D = is_of_half([f"{number:032x}" for number in range(32)], B)
    assert sum(int(bit) << place for place, bit in enumerate(in_b_D)) == KNOWN
    assert is_of_half(["", "ice cream", "Мороженое"], B).tolist() == [False, True, True]


@given(ids=st.lists(st.text(), max_size=20))
def test_a_document_is_of_one_half_whatever_stands_beside_it(ids):
    of_a_D, of_b_D = is_of_half(ids, A), is_of_half(ids, B)
    assert (of_a_D ^ of_b_D).all()
    assert of_a_D.tolist() == [bool(is_of_half([one], A)[0]) for one in ids]
    assert is_of_half(ids, WHOLE).all()
    assert len(is_of_half(ids, WHOLE)) == len(ids)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_a_half_says_nothing_of_the_split(share):
    ids = make_ids(COUNT)
    train_D, of_a_D = choose_train(ids, share), is_of_half(ids, A)
    for chosen_D in (train_D, ~train_D):
        size = int(chosen_D.sum())
        # A fair coin's share of a, within four standard deviations.
        assert abs(of_a_D[chosen_D].mean() - 0.5) < 4 * 0.5 / np.sqrt(size)


def test_documents_that_differ_in_one_digit_fall_into_both_halves():
    begins, ends = make_ids(1)[0][:24], make_ids(1)[0][24:]
    for ids in ([f"{begins}{n:08x}" for n in range(64)], [f"{n:024x}{ends}" for n in range(64)]):
        assert 16 < is_of_half(ids, A).sum() < 48
