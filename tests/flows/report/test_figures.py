"""Numbers on the page: whole, with their unit, and never another number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.report.figures import (
    NOTHING,
    show_count,
    show_exact,
    show_number,
    show_percent,
    show_seconds,
    show_size,
    show_value,
)

numbers = st.floats(-1e15, 1e15)


def read(text):
    return float(text.replace(",", "").replace("−", "-"))


@given(st.integers())
def test_counts_are_whole(value):
    assert read(show_count(value)) == float(value)


@given(numbers)
def test_a_number_keeps_its_whole_part_and_four_digits(value):
    shown = show_number(value)
    assert "e" not in shown
    assert read(shown) == pytest.approx(value, rel=6e-4, abs=1e-300)
    assert abs(read(shown) - value) <= 0.5


@given(numbers, st.integers(0, 6))
def test_decimals_are_those_asked_for(value, decimals):
    shown = show_number(value, decimals)
    assert len(shown.partition(".")[2]) == decimals
    assert abs(read(shown) - value) <= 0.51 * 10**-decimals + abs(value) * 1e-15


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_exact_number_is_itself(value):
    shown = show_exact(value)
    assert "e" not in shown
    assert read(shown) == value


@given(st.floats(0, 1))
def test_nothing_and_all_are_only_themselves(share):
    shown = show_percent(share)
    assert (shown == "0.0 %") == (share == 0)
    assert (shown == "100.0 %") == (share == 1)


def test_some_numbers():
    assert show_percent(1e-6) == "<0.1 %"
    assert show_percent(0.99999) == ">99.9 %"
    assert show_percent(0.5, 0) == "50 %"
    assert show_number(7_890_123.4) == "7,890,123"
    assert show_number(0.000012345) == "0.00001234"
    assert show_number(-0.001, 2) == "0.00"
    assert show_number(0.5, 2, sign=True) == "+0.50"
    assert show_number(float("nan")) == "nan"
    assert show_exact(1e-7) == "0.0000001"
    assert show_exact(100_000.0) == "100,000"
    assert show_value(None) == "none"
    assert show_value(True) == "True"
    assert show_value(1e22) == "10,000,000,000,000,000,000,000"
    assert [show_size(size) for size in (0, 999, 1500, 2_500_000, 3_210_000_000)] == [
        "0 B", "999 B", "1.5 kB", "2.5 MB", "3.21 GB",
    ]  # fmt: skip
    assert [show_seconds(one) for one in (0.04, 59.99, 3_725, 90_061.0)] == [
        "0.0 s", "1 min 0 s", "1 h 2 min", "1 d 1 h",
    ]  # fmt: skip
    for show in (show_count, show_exact, show_number, show_percent, show_seconds, show_size):
        assert show(None) == NOTHING
