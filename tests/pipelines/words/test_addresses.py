"""Addresses that spaCy leaves whole, against its own expression."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words.addresses import (
    LABEL,
    is_address,
    is_host,
    is_label,
    scan_host,
    skip_port,
)
from pipelines.words.character_tables import tabulate_characters
from pipelines.words.english import english
from pipelines.words.points import UNKNOWN

FLAGS = tabulate_characters(english())
parts = st.sampled_from(
    ["a", "B9", "example", "com", "org", "x-y", "-a", "a_", "é", "10", "255", ".", ".", "..", ":80",
     ":", "://", "http", "/", "/p?q", "#", "@", "1.2.3.4", "c"]
)  # fmt: skip
chunks = st.lists(parts, min_size=1, max_size=8).map("".join)


def load(chunk):
    return np.array([ord(character) for character in chunk], np.int32)


def find_address(chunk):
    return is_address(load(chunk), 0, len(chunk), FLAGS)


@settings(max_examples=800)
@given(chunks)
@example("http://a.example/b?c=1")
@example("x.com:80:")
@example("1.2.3.4")
def test_an_address_is_spacys_or_unknown(chunk):
    found = find_address(chunk)
    if found != UNKNOWN:
        assert found == bool(english().url_match(chunk)), chunk


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("example.org", 1),
        ("www.example.org/a?b=1", 1),
        ("https://example.org", 1),
        ("example.org:8080", 1),
        ("example.org:8", 0),
        ("example.o", 0),
        ("example", 0),
        ("e..org", 0),
        ("me@example.org", UNKNOWN),
        ("10.0.0.1", UNKNOWN),
        ("https://", 0),
    ],
)
def test_what_is_usual_is_known(chunk, expected):
    assert find_address(chunk) == expected


def test_a_host_ends_where_its_path_begins():
    chunk = load("a.org/x")
    assert is_host(chunk, 0, 5, FLAGS) == 1
    assert is_host(chunk, 0, 7, FLAGS) == 1
    assert is_host(load("a.org!x"), 0, 7, FLAGS) == 0


def test_labels_have_a_letter_or_digit_at_both_ends_and_are_short():
    sizes = {"a": True, "a-b": True, "-a": False, "a-": False, "": False, "9": True}
    for label, expected in sizes.items():
        assert is_label(load(label), 0, len(label), FLAGS) == expected, label
    assert is_label(load("a" * LABEL), 0, LABEL, FLAGS)
    assert not is_label(load("a" * (LABEL + 1)), 0, LABEL + 1, FLAGS)


def test_a_scan_finds_the_last_label_and_counts_numbers():
    assert scan_host(load("a.b.org"), 0, 7, FLAGS) == (4, 7, 0)
    assert scan_host(load("1.2.3"), 0, 5, FLAGS) == (4, 5, 3)
    assert scan_host(load("a..org"), 0, 6, FLAGS)[0] == UNKNOWN


def test_a_port_has_two_to_five_digits():
    ends = {":80": 3, ":8": UNKNOWN, ":123456": UNKNOWN, "": 0, "/": 0, ":": UNKNOWN}
    for chunk, expected in ends.items():
        assert skip_port(load(chunk), 0, len(chunk), FLAGS) == expected, chunk
