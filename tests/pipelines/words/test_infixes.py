"""Infixes against spaCy's own expression, and how they cut a chunk."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words.character_tables import tabulate_characters
from pipelines.words.english import LONGEST, english
from pipelines.words.infixes import count_run, cut_infixes, find_hyphens, find_infix, is_operand
from pipelines.words.points import UNKNOWN

FLAGS = tabulate_characters(english())
chunks = st.text(st.sampled_from("aBé1.,-–—~+*^:<>=/&'…xZ9"), min_size=1, max_size=9)


def load(chunk):
    return np.array([ord(character) for character in chunk], np.int32)


def cut_plainly(chunk):
    """The words between and at spaCy's infixes, which never begin a chunk."""
    words, start = [], 0
    for match in english().infix_finditer(chunk):
        if match.start() == 0:
            continue
        words += [chunk[start : match.start()], match[0]]
        start = match.end()
    return [word for word in [*words, chunk[start:]] if word]


def cut(chunk):
    cuts = np.empty(LONGEST, np.int32)
    size = cut_infixes(load(chunk), 0, len(chunk), FLAGS, cuts, 0)
    if size == UNKNOWN:
        return None
    ends = cuts[:size].tolist()
    return [chunk[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


@settings(max_examples=800)
@given(chunks)
@example("a--b")
@example("a----b")
@example("well-known")
@example("1990-1995")
@example("A.b.C")
def test_infixes_are_spacys(chunk):
    words = cut(chunk)
    if words is not None and "." not in chunk[:-1]:  # with a dot it may be an address
        assert words == cut_plainly(chunk)


def test_an_address_is_left_whole():
    assert cut("www.example.org/a=b") == ["www.example.org/a=b"]
    assert cut("and/or") == ["and", "/", "or"]


def test_words_that_were_cut_before_stay():
    cuts = np.zeros(LONGEST, np.int32)
    cuts[0] = 1
    size = cut_infixes(load("(a-b"), 1, 4, FLAGS, cuts, 1)
    assert cuts[:size].tolist() == [1, 2, 3, 4]


def test_there_is_no_infix_at_the_start():
    assert find_infix(load("-a"), 0, 0, 2, FLAGS) == 0
    assert find_infix(load("a-a"), 0, 1, 3, FLAGS) == 1


def test_hyphens_need_a_letter_after_them_and_are_few():
    lengths = {
        "a-b": 1,
        "a--b": 2,
        "a---b": 3,
        "a----b": 0,
        "a-1": 0,
        "a—b": 1,
        "a——b": 2,
        "a~b": 1,
    }
    for chunk, length in lengths.items():
        assert find_hyphens(load(chunk), 1, len(chunk), FLAGS) == length, chunk


def test_runs_and_operands():
    assert count_run(load("a...b"), 1, 5) == 3
    assert count_run(load("a..."), 1, 3) == 2  # not beyond the end
    assert [is_operand(load(chunk), 0, 1, FLAGS) for chunk in "5-a"] == [True, True, False]
    assert not is_operand(load("5"), 1, 1, FLAGS)
