"""Search for many phrases at once, against `str.find`."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.phrases import Phrases

phrases = st.sets(st.text(st.sampled_from("abé"), max_size=3), max_size=6)
texts = st.text(st.sampled_from("abé "), max_size=20)


@given(phrases, texts)
def test_every_occurrence_is_found(some, text):
    expected = [
        (start, phrase)
        for phrase in some - {""}
        for start in range(len(text))
        if text.startswith(phrase, start)
    ]
    assert sorted(Phrases(sorted(some)).find(text)) == sorted(expected)


def test_no_phrase_is_found_nowhere():
    assert list(Phrases([]).find("text")) == []
    assert list(Phrases([""]).find("text")) == []
    assert list(Phrases(["x"]).find("")) == []


def test_phrases_may_be_searched_again_and_again():
    some = Phrases(["aa"])
    assert list(some.find("aaa")) == [(0, "aa"), (1, "aa")]
    assert list(some.find("aaa")) == [(0, "aa"), (1, "aa")]
