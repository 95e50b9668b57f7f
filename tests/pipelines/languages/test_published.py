"""The published stop words and bounds: whole, sane, and of the rules that there are."""

import pytest

from pipelines.languages.published import find_stop_words, list_known, load_published
from pipelines.languages.writing import ENGLISH, UNENDED, UNSPACED
from pipelines.rules.bounds import Bounds
from pipelines.rules.own_rules import STOP_WORDS
from pipelines.rules.registry import RULES


def test_every_language_has_the_same_rules_in_bounds_that_make_sense():
    published = load_published()
    assert len(published) == 173
    rules = {frozenset(known.bounds) for known in published.values()}
    assert len(rules) == 1
    assert rules.pop() <= RULES.keys()
    for known in published.values():
        for low, high in known.bounds.values():
            assert low is None or -1 <= low <= (1 if high is None else high)
            assert high is None or 0 < high <= 100


def test_bounds_are_those_of_the_configs():
    thai, chinese = (load_published()[language].bounds for language in ("th", "zh"))
    assert thai["gopher_mean_word_length"] == Bounds(2, 10)
    assert thai["language_score"] == Bounds(0.9, None)
    assert chinese["gopher_mean_word_length"] == Bounds(1, 5)
    assert chinese["gopher_dup_10gram"] == Bounds(None, 0.127)
    assert chinese["fineweb_short_lines"] == Bounds()


@pytest.mark.parametrize(
    ("language", "some"),
    [("th", "และ"), ("hi", "में"), ("ja", "の"), ("zh", "的"), ("ar", "في"), ("de", "und")],
)
def test_stop_words_are_of_the_language(language, some):
    assert some in find_stop_words(language)


def test_languages_without_a_list_have_none():
    assert find_stop_words("ko") == find_stop_words("sh") == ()  # particles; no config
    assert find_stop_words(ENGLISH) == STOP_WORDS
    lists = [known.stop_words for known in load_published().values()]
    assert all(word == word.strip() and word for words in lists for word in words)
    assert all(len(set(words)) == len(words) for words in lists)


def test_the_languages_that_are_told_apart_are_176():
    assert len(list_known()) == 176
    assert {ENGLISH} | UNENDED | UNSPACED <= list_known()
