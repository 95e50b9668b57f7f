"""Gopher repetition values against a plain reading of table A1."""

import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rules.families.repetition import annotate
from pipelines.rules.own_rules import GOPHER_REPETITION as RULES
from pipelines.words import split_words
from tests.pipelines.rules.batches import TEXT, make_batch

texts = st.lists(
    st.sampled_from(
        ["a", "b", "a b", "word", "wo", "rd", ".", "\n", "\n\n", "\n\n\n", " ", "é", "a b c d e f"]
    )
    | st.text(TEXT, max_size=3),
    max_size=60,
).map(" ".join) | st.lists(st.sampled_from("ab\n \t"), max_size=60).map("".join)


def repeats(parts):
    """Parts, those seen before, and their characters."""
    seen, again = set(), []
    for part in parts:
        if part in seen:
            again.append(part)
        seen.add(part)
    return len(parts), len(again), sum(map(len, again))


def top(words, n, least):
    grams = [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    if not grams:
        return 0
    gram, count = Counter(grams).most_common(1)[0]
    return len(gram) * count if count >= least else 0


def repeated(words, n):
    seen, chars, at = set(), 0, 0
    while at <= len(words) - n:
        gram = "".join(words[at : at + n])
        if gram in seen:
            chars += len(gram)
            at += n
        else:
            seen.add(gram)
            at += 1
    return chars


def reference(text, least):
    if not text:
        return dict.fromkeys(RULES, math.nan)
    words = split_words(text)
    paragraphs, again, chars = repeats(re.split(r"\n{2,}", text.strip()))
    lines, lines_again, line_chars = repeats(re.split(r"\n+", text))
    return {
        "gopher_dup_paragraphs": again / paragraphs,
        "gopher_dup_paragraph_chars": chars / len(text),
        "gopher_dup_lines": lines_again / lines,
        "gopher_dup_line_chars": line_chars / len(text),
        **{f"gopher_top_{n}gram": top(words, n, least) / len(text) for n in (2, 3, 4)},
        **{f"gopher_dup_{n}gram": repeated(words, n) / len(text) for n in range(5, 11)},
    }


@settings(max_examples=400)
@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_values_equal_the_plain_reading(documents, compat):
    values = annotate(make_batch(documents, compat=compat))
    assert list(values) == list(RULES)
    for at, text in enumerate(documents):
        for rule, expected in reference(text, 1 if compat else 2).items():
            assert values[rule][at] == pytest.approx(expected, nan_ok=True, rel=1e-12), rule


def test_many_documents_do_not_disturb_each_other():
    """The table of n-grams is emptied only every few hundred documents."""
    text = "one two three four five six seven " * 3
    values = annotate(make_batch([text, "a b c d e f g h i j k l"] * 1000))
    for column in values.values():
        assert len(set(column[::2].tolist())) == 1
        assert len(set(column[1::2].tolist())) == 1


def test_an_ngram_that_occurs_once_counts_only_for_compat():
    [text] = ["unrepeated words"]
    assert annotate(make_batch([text]))["gopher_top_2gram"][0] == 0
    assert annotate(make_batch([text], compat=True))["gopher_top_2gram"][0] == 1
