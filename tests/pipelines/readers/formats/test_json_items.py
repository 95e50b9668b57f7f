"""JSON that is not lines: arrays, objects over several lines, and where they break."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.formats import json_items
from pipelines.readers.formats.json_items import holds_lines
from pipelines.readers.records import Record, Reject
from pipelines.readers.streams import open_stream
from tests.pipelines.readers.packs import PACK_OR_NOT

ROWS: list[dict[str, Any]] = [
    {"text": "plain", "n": 1},
    {"text": 'quotes " and \\ and ] } [ {', "m": {"a": [1, {"b": "}"}]}},
    {"text": "late", "e": "é\u2028"},
]
TEXTS = [row["text"] for row in ROWS]
WHOLE = {
    "array": json.dumps(ROWS),
    "pretty array": json.dumps(ROWS, indent=2),
    "array of lines": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "lines, then comma": "[" + "\n,".join(map(json.dumps, ROWS)) + "]",
    "pretty objects": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "lines with commas": ",\n".join(map(json.dumps, ROWS)) + ",\n",
    "empty lines first": "\n\n  " + json.dumps(ROWS, indent=2),
    "byte order mark": "\ufeff" + json.dumps(ROWS, indent=2),
    "two arrays": json.dumps(ROWS[:1], indent=1) + json.dumps(ROWS[1:]),
    "tabs": json.dumps(ROWS, indent="\t").replace("\n", "\r\n"),
}


@pytest.fixture(params=["", ".gz", ".zst", ".bz2", ".xz"])
def packed(request):
    return request.param


@pytest.mark.parametrize("shape", WHOLE)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_what_is_no_lines_is_read_item_by_item(tmp_path, read_all, shape, suffix, packed):
    path = tmp_path / f"a{suffix}{packed}"
    path.write_bytes(PACK_OR_NOT.get(packed, bytes)(WHOLE[shape].encode()))
    for target in (1, 10**9):
        records = read_all(path, target)
        assert [record.text for record in records] == TEXTS
        assert [record.locator for record in records] == ["item 0", "item 1", "item 2"]
        assert json.loads(records[1].metadata) == {"m": ROWS[1]["m"]}


LINES = {
    "lines": "\n".join(map(json.dumps, ROWS)),
    "one line": json.dumps(ROWS[0]),
    "a first line that is cut": '{"text": "cut off\n' + json.dumps(ROWS[0]),
    "cut at a comma": '{"text": "a", "n": 1,\n' + json.dumps(ROWS[0]),
    "cut in a text at a brace": '{"text": "a {\n' + json.dumps(ROWS[0]),
    "lists": "[1]\n[2]",
    "no JSON": "plain words\nand more",
}


@pytest.mark.parametrize("shape", LINES)
def test_what_is_lines_is_read_by_line(tmp_path, read_all, shape):
    assert holds_lines(LINES[shape].encode())
    path = tmp_path / "a.json"
    path.write_text(LINES[shape])
    assert [item.locator.split()[0] for item in read_all(path)] == ["byte"] * (
        LINES[shape].count("\n") + 1
    )


def test_one_object_is_one_record(tmp_path, read_all):
    row = {"text": "alone", "items": [{"a": 1}, {"b": [2]}]}
    for indent in (None, 2):
        path = tmp_path / "a.json"
        path.write_text(json.dumps(row, indent=indent))
        [record] = read_all(path)
        assert record[1:4] == ("alone", "a", '{"items":[{"a":1},{"b":[2]}]}')


GOOD = b'[{"text": "a"}, {"text": "b"}'
BROKEN = {
    "not closed": (GOOD, "truncated", "before the array does"),
    "cut in an item": (GOOD + b', {"text": "c', "truncated", "within a value"),
    "cut in a text": (GOOD + b', "c', "truncated", "within a text"),
    "no value": (GOOD + b', : {"text": "c"}]', "bad_json", "no value begins here"),
    "a stray bracket": (GOOD + b'}, {"text": "c"}]', "bad_json", "no value begins here"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_good_items_before_damage_are_kept_and_the_rest_is_one_reject(tmp_path, read_all, damage):
    content, kind, part = BROKEN[damage]
    path = tmp_path / "a.json"
    path.write_bytes(content)
    *records, reject = read_all(path)
    assert [record.text for record in records] == ["a", "b"]
    assert (reject.locator, reject.error) == ("item 2", kind)
    assert part in reject.message


def test_compressed_data_that_breaks_off(tmp_path, read_all):
    content = PACK_OR_NOT[".gz"](json.dumps([{"text": f"{n * 7919}"} for n in range(500)]).encode())
    path = tmp_path / "a.json.gz"
    path.write_bytes(content[: len(content) // 2])
    *records, reject = read_all(path)
    assert len(records) > 50
    assert [record.text for record in records] == [f"{n * 7919}" for n in range(len(records))]
    assert reject.error == "truncated"
    assert "cut short" in reject.message


def test_an_item_that_is_bad_costs_itself(tmp_path, read_all):
    path = tmp_path / "a.json"
    path.write_bytes(b'[{"text": "a"}, {"text": b}, 3, "x", null, [1], {"n": NaN, "text": "z"}]')
    items = read_all(path)
    assert [item.text for item in items if isinstance(item, Record)] == ["a", "z"]
    rejects = {item.locator: item.error for item in items if isinstance(item, Reject)}
    assert rejects == {
        "item 1": "bad_json",
        **{f"item {number}": "wrong_type" for number in (2, 3, 4, 5)},
    }
    assert items[-1].left_out == ("nan",)


def test_an_empty_array_holds_nothing(tmp_path, read_all):
    path = tmp_path / "a.json"
    for content in (b"[]", b"[ ]\n", b"  ", b"[\n]\n"):
        path.write_bytes(content)
        assert read_all(path) == []


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_items_do_not_depend_on_blocks(tmp_path, read_all, monkeypatch, block):
    monkeypatch.setattr("pipelines.readers.streams.open_stream.BLOCK", block)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ROWS, indent=3), encoding="utf-8")
    assert [record.text for record in read_all(path)] == TEXTS


def test_an_item_beyond_the_limit_ends_the_file(tmp_path, read_all, monkeypatch):
    monkeypatch.setattr(open_stream, "RECORD_LIMIT", 2000)
    monkeypatch.setattr(open_stream, "BLOCK", 100)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"text": "short"}, {"text": "x" * 5000}], indent=1))
    first, reject = read_all(path)
    assert first.text == "short"
    assert (reject.locator, reject.error) == ("item 1", "too_long")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=5))
def test_any_array_gives_its_items(scratch, rows):
    path = scratch / "law.json"
    path.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    values = [orjson.loads(part[1]) for part in json_items.read_items(str(path))]
    assert values == rows
