"""FineWeb values against a plain reading."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.rules.families.fineweb import annotate
from pipelines.rules.own_rules import FINEWEB_QUALITY as RULES
from pipelines.words import split_words
from pipelines.words.punctuation import TERMINATORS
from tests.pipelines.rules.batches import TEXT, judge_as, make_batch, share

texts = st.lists(
    st.sampled_from(
        [
            "A line.",
            "A line",
            "no end",
            " ",
            "",
            "é。",
            "x" * 30,
            "x" * 31,
            "é" * 30 + "!",
            "\t",
            "\r",
            "\x85",
        ]
    )
    | st.text(TEXT, max_size=5),
    max_size=10,
).map("\n".join)


def reference(text):
    lines = [line for line in text.split("\n") if line.strip()]
    seen, repeated = set(), 0
    for line in lines:
        repeated += len(line) * (line in seen)
        seen.add(line)
    ended = sum(line.endswith(tuple(TERMINATORS)) for line in lines)
    return {
        "fineweb_line_punctuation": share(ended, len(lines)),
        "fineweb_short_lines": share(sum(len(line) <= 30 for line in lines), len(lines)),
        "fineweb_dup_line_chars": share(repeated, len(text.replace("\n", ""))),
        "fineweb_newlines": share(text.count("\n"), len(split_words(text))),
    }


@settings(max_examples=400)
@given(st.lists(texts, min_size=1, max_size=4))
def test_values_equal_the_plain_reading(documents):
    values = annotate(make_batch(documents))
    assert list(values) == list(RULES)
    for at, text in enumerate(documents):
        for rule, expected in reference(text).items():
            assert values[rule][at] == pytest.approx(expected, nan_ok=True, rel=1e-12), rule


@given(st.lists(texts, min_size=1, max_size=3))
def test_after_the_line_rules_what_they_leave_counts(documents):
    batch = make_batch(documents, line_rules=True)
    left = batch.line_cut.texts_D.to_pylist()
    late, plain = annotate(batch), annotate(make_batch(left))
    for rule in RULES:
        assert late[rule] == pytest.approx(plain[rule], nan_ok=True)


def test_languages_without_sentence_marks_have_no_share_of_lines_that_end_in_one():
    values = annotate(judge_as(make_batch(["สวัสดี", "好。", "Yes."]), "th", "zh", "en"))
    assert values["fineweb_line_punctuation"] == pytest.approx([math.nan, 1, 1], nan_ok=True)
    assert not np.isnan(values["fineweb_short_lines"]).any()
