"""Gopher quality values against a plain reading of the published rules."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rules.bounds import Bounds
from pipelines.rules.families import gopher
from pipelines.rules.own_rules import GOPHER_QUALITY as RULES
from pipelines.rules.own_rules import STOP_WORDS
from pipelines.rules.registry import FAMILIES, annotate, find_failures
from pipelines.rules.registry import RULES as ALL
from pipelines.rules.rule import list_bounds
from pipelines.words import split_words
from pipelines.words.punctuation import PUNCTUATION
from tests.pipelines.rules.batches import TEXT, judge_as, make_batch, share

texts = st.lists(
    st.sampled_from(
        ["the", "and", "#", "...", "....", "…", "•", "- item", "word", "\n", " ", "x1", "!?"]
    )
    | st.text(TEXT, max_size=6),
    max_size=30,
).map(" ".join)


def reference(text):
    """The rules one document at a time, as section by section of the paper."""
    tokens = split_words(text)
    words = [t for t in tokens if any(c not in PUNCTUATION for c in t)]
    lines = text.splitlines()
    return {
        "gopher_words": len(words),
        "gopher_mean_word_length": share(sum(map(len, words)), len(words)),
        "gopher_hashes": share(text.count("#"), len(tokens)),
        "gopher_ellipses": share(text.count("...") + text.count("…"), len(tokens)),
        "gopher_bullet_lines": share(
            sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)
        ),
        "gopher_ellipsis_lines": share(
            sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)
        ),
        "gopher_alphabetic": share(
            sum(any(c.isalpha() for c in token) for token in tokens), len(tokens)
        ),
        "gopher_stop_words": len(set(STOP_WORDS) & set(tokens)),
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, min_size=1, max_size=5))
def test_values_equal_the_plain_reading(documents):
    values = gopher.annotate(make_batch(documents))
    assert list(values) == list(RULES)
    for i, text in enumerate(documents):
        for rule, expected in reference(text).items():
            assert values[rule][i] == pytest.approx(expected, nan_ok=True, rel=1e-12), rule


PROSE = "The dog and the cat have to be with that other animal of the house. " * 6


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The dog and the cat.", "gopher_words"),
        ("a to of the b " * 20, "gopher_mean_word_length"),
        (PROSE + "# " * 40, "gopher_hashes"),
        (PROSE.replace(" of", "... of ...") + "wait ... " * 12, "gopher_ellipses"),
        ("\n".join("- " + PROSE for _ in range(3)), "gopher_bullet_lines"),
        ("\n".join(PROSE + "…" for _ in range(3)), "gopher_ellipsis_lines"),
        (PROSE + "12 34 56 78 90 " * 20, "gopher_alphabetic"),
        ("colourless green ideas sleep furiously " * 12, "gopher_stop_words"),
    ],
)
def test_each_rule_drops_what_it_is_for(text, rule):
    failures = find_failures(gopher.annotate(make_batch([PROSE, text])), list_bounds(RULES))
    assert failures[0] == []
    assert rule in failures[1]


def test_only_rules_with_bounds_drop():
    values = gopher.annotate(make_batch(["stub"]))
    assert find_failures(values, {}) == [[]]
    assert find_failures(values, {"gopher_words": Bounds(1, None)}) == [[]]
    assert find_failures(values, {"gopher_words": Bounds(2, None)}) == [["gopher_words"]]


def test_an_empty_text_fails_on_counts_and_not_on_undefined_shares():
    failed = find_failures(gopher.annotate(make_batch([""])), list_bounds(RULES))
    assert failed == [["gopher_words", "gopher_stop_words"]]


def test_every_family_gives_every_rule_a_value():
    values = annotate(make_batch([PROSE, ""]))
    assert [*values, "contamination"] == list(ALL)
    assert all(len(column) == 2 for column in values.values())


def test_families_that_are_left_out_have_no_values():
    values = annotate(make_batch([PROSE], families=("gopher_quality",)))
    assert [*values, "contamination"] == list(ALL)
    known = {rule for rule, column in values.items() if not math.isnan(column[0])}
    assert known == set(FAMILIES["gopher_quality"].rules)


def test_punctuation_has_the_contracts_size():
    assert len(PUNCTUATION) == 281


# Text, and of its words: W, the mean of their characters, their share with a letter; stop words.
ELSEWHERE = {
    "zh": ("我们在学习，他们也工作。", 6, 10 / 6, 6 / 8, 2),
    "th": ("ที่บ้านและสวน", 4, 13 / 4, 1, 2),
    "hi": ("यह घर में है।", 4, 9 / 4, 4 / 5, 2),
    "ar": ("هو في البيت، من هنا", 5, 14 / 5, 5 / 6, 3),
    "am": ("ነው፡እና።", 2, 2, 2 / 3, 2),
    "de": ("Im Haus und im Garten.", 5, 17 / 5, 5 / 6, 2),
    "ko": ("집에 있다.", 2, 2, 2 / 3, math.nan),  # no list
    "en": ("Im of the house।", 5, 12 / 5, 5 / 6, 2),
}


@pytest.mark.parametrize("language", ELSEWHERE)
def test_words_and_stop_words_are_those_of_the_language(language):
    text, words, mean, alphabetic, stops = ELSEWHERE[language]
    # Others beside it, each with its own.
    batch = judge_as(make_batch(["the cat of it", text, "de la"]), "en", language, "fr")
    values = gopher.annotate(batch)
    told = [values[f"gopher_{name}"][1] for name in (*SIZES, "stop_words")]
    assert told == pytest.approx([words, mean, alphabetic, stops], nan_ok=True)
    assert values["gopher_stop_words"][[0, 2]].tolist() == [2, 2]


SIZES = ("words", "mean_word_length", "alphabetic")
