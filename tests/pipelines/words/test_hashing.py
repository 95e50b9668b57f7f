"""Polynomial hashes and the tables that they index."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.words.hashing import (
    POWERS,
    VALUES,
    extend,
    find_slot,
    hash_bytes,
    hash_text,
    make_set,
    power,
    scatter,
)

BASE = 0x9E3779B97F4A7C15
keys = st.integers(1, 2**64 - 1)


def hash_plainly(data):
    """The polynomial in Python's unbounded integers."""
    value = 0
    for byte in data:
        value = (value * BASE + int(VALUES[byte])) % 2**64
    return value


@given(st.binary(max_size=40), st.integers(0, 10))
def test_a_hash_is_the_polynomial_of_the_bytes(data, start):
    array = np.frombuffer(data, np.uint8)
    start = min(start, len(data))
    assert hash_bytes(array, start, len(data)) == hash_plainly(data[start:])


def test_hashes_are_the_same_for_ever():
    """They are in the files of fingerprints."""
    assert [hash_text(text) for text in ("", "a", "naïve")] == EXPECTED


EXPECTED = [0, int(VALUES[ord("a")]), hash_plainly("naïve".encode())]


@given(st.text(), st.text())
def test_the_hash_of_a_concatenation_follows_from_its_parts(left, right):
    left, right = (part.encode("utf-8", "replace").decode() for part in (left, right))
    size = len(right.encode())
    assert (
        hash_text(left + right) == (hash_text(left) * int(power(size)) + hash_text(right)) % 2**64
    )


@given(st.binary(max_size=5), st.integers(0, 255))
def test_one_byte_more_extends_a_hash(data, byte):
    assert extend(np.uint64(hash_plainly(data)), np.uint8(byte)) == hash_plainly(
        data + bytes([byte])
    )


@given(st.integers(0, 5000))
def test_powers_are_powers(exponent):
    assert int(power(exponent)) == pow(BASE, exponent, 2**64)


@pytest.mark.parametrize("exponent", [0, 1, len(POWERS) - 1, len(POWERS), 2**40 + 1])
def test_powers_agree_at_the_end_of_those_that_are_known(exponent):
    assert int(power(exponent)) == pow(BASE, exponent, 2**64)


@given(st.sets(keys, max_size=40), keys)
def test_a_set_holds_what_was_put_in(values, other):
    table = make_set(sorted(values))
    for value in values | {other}:
        assert (table[find_slot(table, np.uint64(value))] != 0) == (value in values)


def find_colliding(count, size):
    """Numbers whose first place in a table of this size is its last."""
    numbers = (value for value in range(1, 10**6) if scatter(np.uint64(value)) % size == size - 1)
    return [next(numbers) for _ in range(count)]


def test_keys_of_one_place_go_on_to_the_next_round_the_end():
    table, some = np.zeros(16, np.uint64), find_colliding(3, 16)
    places = []
    for value in some:
        places.append(find_slot(table, np.uint64(value)))
        table[places[-1]] = value
    assert places == [15, 0, 1]
    assert [find_slot(table, np.uint64(value)) for value in some] == places


@given(st.lists(keys, max_size=200, unique=True))
def test_a_set_is_a_power_of_two_and_at_most_a_quarter_full(values):
    table = make_set(values)
    assert len(table) & len(table) - 1 == 0
    assert 4 * len(values) <= len(table)
