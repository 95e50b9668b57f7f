"""Fields of documents beside their texts."""

import json

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.metadata import URL_FIELDS, read_field, read_urls

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


def nest(name, value):
    """The metadata in which a dotted name leads through objects."""
    for key in reversed(name.split(".")):
        value = {key: value}
    return json.dumps(value)


@pytest.mark.parametrize("name", URL_FIELDS)
def test_a_url_is_found_where_corpora_have_it(name):
    metadata = pa.array([nest(name, "http://e.org/"), json.dumps({name: "http://e.org/"})])
    assert read_urls(metadata, None) == ["http://e.org/"] * 2
    assert read_urls(metadata, "other") == [None] * 2
    assert read_urls(metadata, name) == ["http://e.org/"] * 2


def test_the_first_url_counts_and_brackets_do_not():
    row = {"meta": {"url": "b"}, "url": "<http://a/>", "source_url": "c"}
    rows = [json.dumps(row), json.dumps({**row, "url": None}), json.dumps({"url": ["x"]})]
    assert read_urls(pa.array(rows), None) == ["http://a/", "b", None]


@pytest.mark.parametrize("name", ['u"rl', "url\\", "адрес", "a.b c"])
def test_a_url_field_may_have_any_name(name):
    metadata = pa.array([orjson.dumps({name: "http://e.org/"}).decode()])
    assert read_urls(metadata, name) == ["http://e.org/"]


def test_a_url_in_an_object_that_is_stored_as_text():
    rows = [{"meta": '{"url": "http://e.org/"}'}, {"meta": "{not JSON url"}, {"meta": "url"}]
    metadata = pa.array([json.dumps(row) for row in rows])
    assert read_urls(metadata, None) == ["http://e.org/", None, None]
