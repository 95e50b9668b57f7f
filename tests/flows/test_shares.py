"""A share that is more than nothing is not shown as 0, one that is less than all not as 100."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.shares import format_share


@pytest.mark.parametrize(
    ("part", "whole", "digits", "text"),
    [
        (0, 3, 1, "0.0"),
        (3, 3, 1, "100.0"),
        (1, 3, 1, "33.3"),
        (1, 100_000, 1, "<0.1"),
        (99_999, 100_000, 1, ">99.9"),
        (1, 100_000, 3, "0.001"),
        (299, 300, 0, ">99"),
        (1, 300, 0, "<1"),
        (0.9996, 1.0, 1, ">99.9"),
    ],
)
def test_some_is_not_shown_as_none_and_most_not_as_all(part, whole, digits, text):
    assert format_share(part, whole, digits) == text


@given(st.integers(1, 10**12), st.data(), st.integers(0, 3))
def test_what_is_shown_is_within_half_a_step_or_on_the_side_that_is_said(whole, data, digits):
    part = data.draw(st.integers(0, whole))
    text, percent, step = format_share(part, whole, digits), 100 * part / whole, 10.0**-digits
    if text.startswith("<"):
        assert 0 < percent <= float(text[1:])
    elif text.startswith(">"):
        assert float(text[1:]) <= percent < 100
    else:
        assert abs(float(text) - percent) <= step / 2 + 1e-9
        assert (float(text) == 0) == (part == 0)
        assert (float(text) == 100) == (part == whole)
