"""Fields of documents beside their texts."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.metadata import read_field

values = st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=2), max_size=2)
fields = st.dictionaries(st.sampled_from(["url", "uri", 'u"rl', "x"]), values, max_size=3)


def read(some):
    return read_field(pa.array(some, pa.string()), "url")


@given(st.lists(fields, max_size=5))
def test_a_field_is_its_text_or_nothing(documents):
    expected = [document.get("url") for document in documents]
    expected = [value if isinstance(value, str) and value else None for value in expected]
    assert read([json.dumps(document) for document in documents]) == expected


@pytest.mark.parametrize("metadata", [None, "", "{}", '{"x": "\\"url\\""}', '{"x": "url"}'])
def test_where_there_is_none_there_is_none(metadata):
    assert read([metadata]) == [None]


def test_a_field_within_a_field_is_another_one():
    assert read(['{"x": {"url": "a"}}', '{"x": {"url": "a"}, "url": "b"}']) == [None, "b"]
