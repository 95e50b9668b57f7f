"""spaCy's tokenizer: what is a word, and what it costs to load."""

import sys

import pytest

from pipelines.words.english import _hide, english, split_words


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
