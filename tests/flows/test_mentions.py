"""Words of any script, and where they stood before."""

import pytest

from flows.mentions import find_mention, find_word


def word_of(text, token):
    start = text.rindex(token)
    found = find_word(text, start, start + len(token))
    return found and text[slice(*found)]


@pytest.mark.parametrize(
    ("text", "token", "word"),
    [
        ("a tall Greenlaw came", "law", "Greenlaw"),
        ("a tall Greenlaw came", " Green", "Greenlaw"),
        ("in 1987, then", "87", "1987"),
        ("हिन्दी में", "दी", "हिन्दी"),
        ("كتب الكتاب", "كتاب", "الكتاب"),
        ("他说数据很好", "数据", "数据"),
        ("well, then", ",", None),
        ("what a day", " a", None),
        ("☕👩‍👩‍👧", "☕", None),
    ],
)
def test_the_word_of_a_token(text, token, word):
    assert word_of(text, token) == word


@pytest.mark.parametrize(
    ("text", "token", "place"),
    [
        ("Rain and rain, then rain", "rain", 9),
        ("RAIN, then rain", "rain", 0),
        ("rainy, then rain", "rain", None),
        ("a.b axb a.b", "a.b", None),  # the word is the letter, which counts as none
        ("数据很多的数据", "数据", 0),
        ("c++ and c++11", "11", None),
    ],
)
def test_a_mention_is_the_last_whole_word_before(text, token, place):
    start = text.rindex(token)
    word = find_word(text, start, start + len(token))
    found = find_mention(text, word, 0) if word else None
    assert (found and found.start) == place


def test_what_lies_before_the_beginning_is_not_looked_at():
    word = find_word("rain or rain", 8, 12)
    assert word
    assert find_mention("rain or rain", word, 1) is None
