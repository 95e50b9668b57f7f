"""The text before a token: far, near, mentioned, and cut where a reader would cut."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.explain.telling import AFTER, CONTEXT, GAP, Reach, find_reach, tell_before
from flows.graphemes import find_border

FILLER = "one two three four five six seven eight nine ten " * 30
STORY = f"The gardener was Henry. {FILLER}and the murderer is Henry, said she."


def tell(text, token, reach=None, place=None):
    """Tell a token of a text of which each word, with the space before it, is a token."""
    starts = [match.start() for match in re.finditer(r"\s?[^\s,.]+|[,.]", text)]
    start = text.rindex(token) if place is None else place
    return tell_before(text, np.array(starts), starts.index(start), reach or Reach())


def join(told, **wanted):
    return "".join(
        part.text
        for part in told.before
        if all(getattr(part, name) == value for name, value in wanted.items())
    )


def test_what_is_far_tells_and_what_is_near_is_set_apart():
    told = tell(STORY, " Henry", Reach(near=8))
    assert told.token == " Henry"
    assert told.after == ", said she."
    assert join(told, near=True) == " seven eight nine ten and the murderer is"
    assert join(told, mention=True) == "Henry"
    assert join(told, near=False).startswith("The gardener was Henry. one two")
    assert [part.text for part in told.before].count(GAP) == 1
    assert told.mention == len(FILLER.split()) + 6  # ". and the murderer is", and itself


def test_without_a_border_nothing_is_near():
    told = tell(STORY, " Henry")
    assert join(told, near=True) == ""
    assert join(told, mention=True) == "Henry"
    assert join(told).endswith("ten and the murderer is")


def test_a_mention_is_looked_for_within_the_context_of_the_model_only():
    told = tell(STORY, " Henry", Reach(context=100, near=8))
    assert told.mention is None
    assert not join(told, mention=True)
    assert join(told).startswith(GAP)


def test_a_mention_that_is_near_is_marked_there():
    told = tell(f"{FILLER} Henry saw Henry.", " Henry", Reach(near=8))
    assert told.mention == 2
    assert join(told, mention=True, near=True) == "Henry"


def test_excerpts_begin_and_end_with_whole_words():
    told = tell(STORY, " Henry", Reach(near=8))
    words = {*re.findall(r"\w+", STORY)}
    assert {*re.findall(r"\w+", join(told) + told.after)} <= words
    assert len(tell(STORY, "The", place=0).after) <= AFTER + 1


def test_the_first_token_has_nothing_before_it():
    told = tell("Rain in Paris.", "Rain", Reach(near=4))
    assert (list(told.before), told.token, told.mention) == ([], "Rain", None)


@pytest.mark.parametrize(
    "text", ["数据很多" * 400, "👩‍👩‍👧" * 300, "हिन्दी" * 300, "سلام دنيا " * 200, "e\u0301" * 900]
)
def test_nothing_is_cut_within_what_a_reader_sees_as_one(text):
    starts_N = np.arange(len(text))
    told = tell_before(text, starts_N, len(text) - 6, Reach(near=20))
    before = join(told).split(GAP)
    for piece in filter(None, before):
        at = text.rfind(piece, 0, len(text) - 6)
        assert at == find_border(text, at)


@given(st.text(min_size=1, max_size=300), st.data())
def test_any_text_can_be_told(text, data):
    starts_N = np.arange(len(text))
    position = data.draw(st.integers(0, len(text) - 1))
    near = data.draw(st.integers(0, 40))
    told = tell_before(text, starts_N, position, Reach(near=near))
    shown = [part.text for part in told.before if part.text != GAP]
    assert all(shown)
    assert all(one in text for one in shown)
    assert text[:position].endswith(shown[-1] if shown else "")


def test_near_is_what_a_short_context_may_have_seen():
    facts = {"context": 512, "short": 16}
    assert find_reach("key", facts) == Reach(512, 32)
    assert find_reach("learnt", facts) == Reach(512, 0)
    assert find_reach("ngram", None) == Reach(CONTEXT, 0)
