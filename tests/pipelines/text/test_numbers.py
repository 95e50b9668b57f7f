"""Numbers that tell words apart: the digits that words came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.text.word_hashes import list_words
from tests.pipelines.dedupe.simple import texts, view


def hash_words(*documents, keep_numbers=True):
    """The hashes of each text's words."""
    found = list_words(view(documents), keep_numbers=keep_numbers)
    return [
        tuple(found.hashes_N[start:end].tolist())
        for start, end in zip(found.offsets_D1[:-1], found.offsets_D1[1:], strict=True)
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        ("12", "13", "21", "120", "0"),
        ("3.14", "3.1", "3.15"),
        ("x1", "x2", "x"),
        ("10km", "11km"),
        ("1 2", "12", "1 3"),
        ("\u0661\u0662", "\u0661\u0663"),
    ],
)
def test_different_numbers_are_different_words(numbers):
    assert len({*hash_words(*numbers)}) == len(numbers)


@pytest.mark.parametrize(
    "numbers",
    [
        ("1,000", "1000", "1\u200b000", "1,\u200b000"),
        ("3.14", "3,14", "\u0663\u066b\u0661\u0664", "\uff13\uff0e\uff11\uff14"),
        ("12", "\u0967\u0968", "\u0e51\u0e52", "\uff11\uff12", "\U0001d7cf\U0001d7d0"),
        ("covid19", "COVID19", "Covid\u00ad19"),
    ],
)
def test_one_number_in_several_shapes_is_one_word(numbers):
    assert len({*hash_words(*numbers)}) == 1


def test_where_numbers_are_zero_all_are_one():
    assert len({*hash_words("12", "3.14", "1,000", "\u0661", "0", keep_numbers=False)}) == 1


@given(texts)
def test_numbers_change_hashes_and_nothing_else(text):
    zero, kept = (list_words(view([text]), keep_numbers=keep) for keep in (False, True))
    assert kept.starts_N.tolist() == zero.starts_N.tolist()
    assert kept.ends_N.tolist() == zero.ends_N.tolist()
    for start, end, one, other in zip(
        zero.starts_N, zero.ends_N, zero.hashes_N, kept.hashes_N, strict=True
    ):
        source = text.encode()[start:end].decode()
        assert (one != other) == any(character.isdecimal() for character in source)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
def test_any_two_whole_numbers_are_apart(pair):
    one, other = hash_words(*map(str, pair))
    assert one != other
