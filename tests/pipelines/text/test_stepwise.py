"""The normal form step by step, and where each of its bytes came from."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text.stepwise import simplify
from tests.pipelines.dedupe.simple import PIECES
from tests.pipelines.dedupe.simple import simplify as simplify_plainly

# A text that begins with a character that stays, as `simplify` asks for.
texts = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda some: "a" + "".join(some))


def run(text):
    simple, places = simplify(text.encode())
    return bytes(simple).decode(), places


@given(texts)
@example("aΣ")
@example("aΣ b")
@example("a\u0315\u0300")
def test_it_is_that_of_the_plain_way(text):
    assert run(text)[0] == simplify_plainly(text)


@given(texts)
def test_sources_are_starts_of_characters_and_one_end(text):
    simple, places = run(text)
    starts = np.cumsum([0, *(len(character.encode()) for character in text)])
    assert len(places) == len(simple.encode()) + 1
    assert set(places.tolist()) <= set(starts.tolist())
    assert places[-1] <= starts[-1]


def test_a_number_comes_from_its_first_digit():
    simple, places = run("ab 12,5 c")
    assert simple == "ab 0 c"
    assert places.tolist() == [0, 1, 2, 3, 7, 8, 9]


def test_characters_that_grow_share_their_source():
    simple, places = run("a\uac00")  # a syllable of two letters, three bytes each
    assert len(simple) == 3
    assert places.tolist() == [0, 1, 1, 1, 1, 1, 1, 4]
