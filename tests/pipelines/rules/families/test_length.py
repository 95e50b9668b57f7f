"""Lengths."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.batch import Batch
from pipelines.rules.families.length import annotate
from pipelines.settings import RuleSettings


@given(st.lists(st.text(st.sampled_from("ab \n\t\x1f\x85\u3000\u200bé😀")), max_size=5))
def test_lengths_are_python_s(texts):
    array = pa.array(texts, pa.string())
    values = annotate(Batch(array, pa.nulls(len(texts), pa.string()), RuleSettings()))
    assert values["length_chars"].tolist() == [len(text) for text in texts]
    assert values["length_words"].tolist() == [len(text.split()) for text in texts]


def test_a_slice_of_an_array_has_its_own_lengths():
    array = pa.array(["one", "two words", ""]).slice(1)
    values = annotate(Batch(array, pa.nulls(2, pa.string()), RuleSettings()))
    assert values["length_words"].tolist() == [2, 0]
