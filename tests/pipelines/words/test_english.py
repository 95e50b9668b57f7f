"""spaCy's tokenizer: what is a word, and what it costs to load."""

import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.words import english as module
from pipelines.words.english import (
    CURRENCY,
    LONGEST,
    PIECE,
    TAIL,
    UNITS,
    _hide,
    english,
    split_words,
)
from tests.pipelines.words.test_splitting import chunks

# A chunk, and more of it up to a hundred characters: longer than the tail that is looked at.
long_chunks = st.builds(lambda chunk, times: (chunk * times)[:100], chunks, st.integers(1, 100))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop.", ["Do", "n't", "stop", "."]),
        ("  two\n\n words ", ["two", "words"]),
        ("", []),
        (" \t", []),
        ("U.S. (and U.K.)", ["U.S.", "(", "and", "U.K.", ")"]),
    ],
)
def test_white_space_is_no_word_and_punctuation_is(text, words):
    assert split_words(text) == words


@settings(max_examples=1000)
@given(st.lists(long_chunks | st.text(max_size=8), min_size=1, max_size=3).map(" ".join))
@example("a" + "." * 70)
@example("x" * 30 + "5km.")
@example("…" * 40)
@example("http://a.b/" + "c" * 60 + ").")
def test_words_are_spacys(text):
    """Affixes are looked for at the ends of chunks alone, and those found are the same."""
    words = [str(token) for token in english()(text) if not str(token).isspace()]
    assert split_words(text) == words


@pytest.mark.parametrize("chunk", ["=(x)" * 256, "5km." * 256, "a.b:c" * 200, "é" * LONGEST])
def test_up_to_the_limit_words_are_spacys(chunk):
    assert len(chunk) > PIECE
    assert split_words(chunk) == [str(token) for token in english()(chunk)]


def test_no_suffix_is_longer_than_the_tail_that_is_looked_at():
    longest = max(map(len, f"{UNITS}|{CURRENCY}".split("|")))
    assert longest + len("°F.") < TAIL


@pytest.mark.parametrize(
    "some", ["=", "([", "\0", "\ufffd", "http://", "fe80::", "a:@", "\U0001f600"]
)
def test_spacy_sees_no_long_chunk(monkeypatch, some):
    seen = []

    def split(piece):
        seen.append(piece)
        return []

    monkeypatch.setattr(module, "_quick", lambda _: split)
    split_words("a word " + (some * 100_000)[:100_000] + " more")
    assert [len(piece) for piece in seen if len(piece) > PIECE] == []
    assert sum(map(len, seen)) == len("a word ") + 100_000 + len(" more")


def test_there_is_one_tokenizer():
    assert english() is english()


def test_a_hidden_package_looks_as_if_not_installed():
    name = "xml.dom.pulldom"  # which nobody has imported
    sys.modules.pop(name, None)
    with _hide(name), pytest.raises(ImportError):
        __import__(name)
    assert name not in sys.modules
    __import__(name)
    with _hide(name):  # imported already: left alone
        assert sys.modules[name] is not None
    assert name in sys.modules
