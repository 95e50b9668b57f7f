"""C4's bad words against the reference's regular expression."""

import re

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.batch import Batch
from pipelines.rules.families.bad_words import ALLOWED, annotate
from pipelines.settings import RuleSettings
from weighting.errors import AssayError

LISTS = {
    "en": ["darn", "darn it", "heck", "a.b", "Blast", "sm"],
    "ja": ["馬鹿", "グロ", "x"],
    "de": [],
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad_words")
    for language, phrases in LISTS.items():
        (folder / language).write_text("# a comment\n" + "\n".join(phrases))
    return RuleSettings(bad_words={language: str(folder / language) for language in LISTS})


def count(texts, languages, settings):
    metadata = [
        orjson.dumps({"language": language} if language else {}).decode() for language in languages
    ]
    return annotate(Batch(pa.array(texts, pa.string()), pa.array(metadata), settings))[
        "c4_bad_words"
    ]


texts = st.lists(
    st.sampled_from(
        ["darn", "Darn it", "HECK", "a.b", "axb", "blast", "sm", "馬鹿", "グロ", "x", " ", "_", "é"]
    )
    | st.text(max_size=2),
    max_size=10,
).map("".join)


@given(texts, st.sampled_from(["en", "ja"]))
def test_decisions_equal_the_expression(settings, text, language):
    phrases = "|".join(re.escape(word.lower()) for word in LISTS[language] if word not in ALLOWED)
    anywhere = language == "ja"
    pattern = phrases if anywhere else rf"(?:\W|^)({phrases})(?:\W|$)"
    [value] = count([text], [language], settings)
    assert (value > 0) == bool(re.search(pattern, text.lower()))


def test_distinct_phrases_are_counted(settings):
    text = "Darn it! Oh darn, what the heck. Darned, heck_"
    assert count([text], ["en"], settings).tolist() == [3]


def test_the_language_is_the_metadata_s_or_the_first_wanted(settings):
    values = count(["darn x"] * 4, ["en", "ja", None, "fr"], settings)
    assert values[:3].tolist() == [1, 1, 1]
    assert np.isnan(values[3])
    assert np.isnan(count(["darn"], ["en"], RuleSettings())).all()
    assert count(["darn"], ["de"], settings).tolist() == [0]


def test_a_missing_list_is_named_even_if_no_document_needs_it(tmp_path):
    settings = RuleSettings(bad_words={"fr": str(tmp_path / "fr")})
    with pytest.raises(AssayError, match=r"bad_words\.fr: "):
        count(["text"], ["en"], settings)
