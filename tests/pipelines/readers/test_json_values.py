"""Values that JSON cannot hold, and what becomes of them."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.json_values import DEEPEST, fit, parse, to_json, write_fitted

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(ANY)
def test_whatever_python_writes_is_parsed_and_fitted_once(value):
    text = json.dumps(value)
    parsed, cut = parse(text.encode())
    assert cut == ()
    fitted = fit(parsed)
    written = write_fitted(fitted.value)
    written.encode()
    assert json.loads(written) == json.loads(json.dumps(fitted.value))
    assert fit(fitted.value) == (fitted.value, ())
    odd = sum(text.count(word) for word in ("NaN", "Infinity")) if '"' not in text else 0
    assert len(fitted.left_out) >= odd


@given(
    st.recursive(
        st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        lambda inner: st.lists(inner) | st.dictionaries(st.just("k"), inner),
    )
)
def test_what_fits_is_written_as_ever(value):
    assert fit(value) == (value, ())
    assert write_fitted(value) == to_json(value)


def nest(depth):
    return b"[" * depth + b"1" + b"]" * depth


@pytest.mark.parametrize("depth", [1, DEEPEST - 1, DEEPEST, DEEPEST + 1, 400, 100_000])
def test_depth_is_cut_at_one_place_however_it_is_read(depth):
    parsed, cut = parse(nest(depth))
    kept, reasons = fit(parsed)
    assert [*cut, *reasons] == (["too_deep"] if depth > DEEPEST else [])
    wanted = nest(depth) if depth <= DEEPEST else nest(DEEPEST).replace(b"1", b"null")
    assert write_fitted(kept).encode() == wanted
    if depth <= 1000:
        assert fit(orjson.loads(nest(depth))).value == kept


def test_brackets_in_texts_are_no_depth():
    text = json.dumps({"a": "[" * 1000, "b": '\\"{' * 1000}).encode()
    assert parse(text) == (json.loads(text), ())


@pytest.mark.parametrize("text", [b"[" * 1000, b"{", b"nan", b"", b'{"a": 1} x', b"]" * 999])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=" "):
        parse(text)


def test_tuples_keys_and_numbers():
    value = {1: (math.nan, 2), "z": -math.inf, "\ud800": 1, "big": 2**70}
    fitted = fit(value)
    assert fitted.value == {"1": [None, 2], "z": None, "big": 2**70}
    assert list(fitted.left_out) == ["nan", "infinity", "lone_surrogate"]
    assert write_fitted(fitted.value) == f'{{"1":[null,2],"big":{2**70},"z":null}}'
