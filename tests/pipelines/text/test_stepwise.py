"""The normal form step by step, and where each of its bytes came from."""

import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.text.stepwise import drop_marks, is_reordered, simplify
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [("café", "cafe"), ("Ǎ", "A"), ("i\u0307", "i"), ("日本", "日本"), ("", "")],
)
def test_marks_are_dropped(text, expected):
    assert drop_marks(text) == expected


@given(st.text(max_size=6))
def test_nothing_without_marks_changes(text):
    dropped = drop_marks(text)
    assert drop_marks(dropped) == dropped
    assert not any(unicodedata.category(character) == "Mn" for character in dropped)


def test_what_may_change_places_has_a_combining_class_and_is_no_dropped_mark():
    assert is_reordered("\u302f")  # a Hangul tone mark, which is spacing
    assert not is_reordered("\u0301")
    assert not is_reordered("aé日")
