"""Reasons: bits of one byte, with names; one of them is reserved."""

from hypothesis import given
from hypothesis import strategies as st

from weighting.contracts.reasons import Reason, name_flags

RESERVED = 4  # for a screen that holds tokens to be noise


def test_every_reason_is_one_bit_of_a_byte():
    assert [reason.value for reason in Reason] == [1, 2, 8, 16, 32]


@given(st.sets(st.sampled_from(list(Reason))))
def test_flags_have_names_the_lowest_first(reasons):
    flags = sum(reason.value for reason in reasons)
    names = name_flags(flags)
    assert names == [str(reason.name).lower() for reason in Reason if reason in reasons]
    assert name_flags(flags | RESERVED) == names  # nothing sets it, and nobody sees it
