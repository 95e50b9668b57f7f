"""Records go to JSON and back; what does not fit is refused with its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.contracts.counts import Counts, Funnel, Replay
from weighting.errors import BrokenContract
from weighting.storage.json_records import from_json, read_record, to_json, write_record


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    low: float
    high: float = 1.0


@dataclass(frozen=True)
class Record:
    name: str
    pair: Pair
    counts: Mapping[str, tuple[int, int]]
    many: list[Pair] = field(default_factory=list)
    colour: Colour = Colour.RED
    maybe: float | None = None
    rows: tuple[int, ...] = ()
    anything: Any = None


records = st.builds(
    Record,
    st.text(),
    st.builds(Pair, st.floats(allow_nan=False), st.floats(allow_nan=False)),
    st.dictionaries(st.text(), st.tuples(st.integers(), st.integers())),
    st.lists(st.builds(Pair, st.floats(-1, 1), st.floats(-1, 1))),
    st.just(Colour.RED),
    st.none() | st.floats(-1, 1),
    st.lists(st.integers()).map(tuple),
    st.none() | st.lists(st.integers()) | st.dictionaries(st.text(), st.booleans()),
)


@given(records)
def test_a_record_comes_back_from_its_json(record):
    assert from_json(Record, json.loads(json.dumps(to_json(record)))) == record


def test_a_record_comes_back_from_its_file(tmp_path):
    replay = Replay(3, {"bad_json": (4, 1)}, {"text_field": "content"}, ["a.jsonl"])
    write_record(tmp_path / "replay.json", replay)
    assert read_record(Replay, tmp_path / "replay.json") == replay


def test_an_integer_is_a_float_and_a_flag_is_no_number():
    assert from_json(Pair, {"low": 1}) == Pair(1.0)
    with pytest.raises(BrokenContract, match=r"\.low: True is no float"):
        from_json(Pair, {"low": True})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, r"\.name: 3 is no str"),
        ({"pair": {"high": 2.0}}, r"\.pair: field 'low' is missing"),
        ({"pair": {"low": 1.0, "middle": 2.0}}, r"\.pair: unknown field 'middle'"),
        ({"counts": {"a": [1]}}, r"\.counts\.a: \[1\] is no tuple"),
        ({"counts": []}, r"\.counts: \[\] is no"),
        ({"many": [{"low": "x"}]}, r"\.many\[0\]\.low: 'x' is no float"),
        ({"maybe": "x"}, r"\.maybe: 'x' is no float"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(change, message):
    value = to_json(Record("a", Pair(0.0), {})) | change
    with pytest.raises(BrokenContract, match=message):
        from_json(Record, value)


def test_an_error_names_the_file(tmp_path):
    (tmp_path / "funnel.json").write_text('{"read": 1}')
    with pytest.raises(BrokenContract, match=r"funnel\.json: Funnel: field '\w+' is missing"):
        read_record(Funnel, tmp_path / "funnel.json")


def test_the_manifests_counts_have_types_that_can_be_read():
    with pytest.raises(BrokenContract, match="Counts: field"):
        from_json(Counts, {})
