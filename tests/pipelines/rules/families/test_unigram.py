"""Unigram log-probability against a plain reading."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.families.unigram import annotate
from pipelines.words import split_words
from tests.pipelines.rules.batches import judge_as, make_batch
from weighting.errors import AssayError

COUNTS = {"the": 60, "cat": 25, "null": 10, ".": 5}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("unigrams") / "counts.csv"
    rows = "".join(f"{word},{count}\n" for word, count in COUNTS.items())
    path.write_text("word,count\n" + rows)
    return str(path)


def score(texts, path):
    return annotate(make_batch(texts, unigrams=path))["unigram_log_probability"]


texts = st.lists(
    st.sampled_from(["the", "The", "cat.", "null", "dog", " ", "\n", "\u3000", "don't", "("])
    | st.text(max_size=4),
    max_size=12,
).map(" ".join)


@given(st.lists(texts, max_size=4))
def test_values_equal_the_plain_reading(table, documents):
    values = score(documents, table)
    for value, text in zip(values, documents, strict=True):
        logs = [
            math.log(COUNTS[w] / 100 if (w := word.lower()) in COUNTS else 1e-9)
            for word in split_words(text)
        ]
        expected = sum(logs) / len(logs) if logs else math.nan
        assert value == pytest.approx(expected, nan_ok=True, rel=1e-12)


def test_without_a_table_there_is_no_value():
    assert np.isnan(score(["the cat"], None)).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("word,number\na,1\n", "count"),
        ("word,count\na,many\n", "many"),
        ("word,count\na,0\n", "not positive"),
        ("", "Empty"),
    ],
)
def test_a_bad_table_is_named(tmp_path, content, reason):
    path = tmp_path / "counts.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AssayError, match=f"unigrams: .*counts.csv.*{reason}"):
        score(["the"], str(path))


def test_languages_without_spaces_have_no_value(table):
    batch = judge_as(make_batch(["the cat", "我们"], unigrams=table), "en", "zh")
    assert np.isnan(annotate(batch)["unigram_log_probability"]).tolist() == [False, True]
