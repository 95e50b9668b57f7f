"""Arrow columns of every kind: the text is kept, and a value that cannot be costs its cell."""

import datetime
import decimal
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.readers.columns import locate_column, to_rows
from pipelines.readers.records import ReadOptions, Record, Reject
from pipelines.readers.rows import Origin, read_batch, refuse_table

NAN, INF = float("nan"), float("inf")
BAD_TEXT = pa.Array.from_buffers(pa.string(), 2, pa.array([b"caf\xe9", b"ok"]).buffers())


def structs(**fields):
    return pa.StructArray.from_arrays([pa.array(values) for values in fields.values()], [*fields])


def twins(first, second):
    return pa.StructArray.from_arrays([pa.array(first), pa.array(second)], ["x", "x"])


def listed(values, sizes=(1, 1)):
    return pa.ListArray.from_arrays(pa.array([0, *np.cumsum(sizes)], pa.int32()), values)


def tensors():
    storage = pa.array([[1, 2, 3, 4], [5, 6, 7, 8]], pa.list_(pa.int32(), 4))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int32(), [2, 2]), storage)


def uuids():
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16, None], pa.binary(16)))


def runs():
    return pa.RunEndEncodedArray.from_arrays(pa.array([1, 2], pa.int32()), pa.array(["x", "y"]))


def unions(values):
    types, offsets = pa.array([0, 0], pa.int8()), pa.array([0, 1], pa.int32())
    return pa.UnionArray.from_dense(types, offsets, [pa.array(values)])


UNKNOWN = pa.timestamp("us", "Mars/Phobos")
FAR = 10**18
NANOSECONDS = pa.array([FAR + 1, 1], pa.timestamp("ns"))
LARGE_DECIMALS = pa.array([decimal.Decimal(10**40), None], pa.decimal256(60, 2))
MAPS = pa.array([[("k", NAN)], []], pa.map_(pa.string(), pa.float64()))
INTERVALS = pa.array([pa.MonthDayNano([1, 2, 3])] * 2)
# Two values of a column; the first as metadata has it, and why parts of it are left out.
KINDS = {
    "zone": (pa.array([1, 2], UNKNOWN), "1970-01-01T00:00:00.000001+00:00", []),
    "zone in a list": (listed(pa.array([1, 2], UNKNOWN)), ["1970-01-01T00:00:00.000001+00:00"], []),
    "zone and far": (pa.array([FAR, 2], UNKNOWN), None, ["bad_date"]),
    "offset": (pa.array([0, 2], pa.timestamp("s", "+05:30")), "1970-01-01T05:30:00+05:30", []),
    "date": (pa.array([10**7, 1], pa.date32()), None, ["bad_date"]),
    "date64": (pa.array([FAR, 1], pa.date64()), None, ["bad_date"]),
    "timestamp": (pa.array([FAR, 1], pa.timestamp("us")), None, ["bad_date"]),
    "nanoseconds": (NANOSECONDS, "2001-09-09 01:46:40.000000001", []),
    "duration": (pa.array([FAR, 1], pa.duration("s")), None, ["bad_value"]),
    "short duration": (pa.array([90, 1], pa.duration("s")), "0:01:30", []),
    "decimal": (pa.array([decimal.Decimal("1.50"), None]), "1.50", []),
    "decimal256": (LARGE_DECIMALS, f"{10**40}.00", []),
    "bytes": (pa.array([b"\xff", None]), "/w==", []),
    "bad text": (BAD_TEXT, None, ["bad_utf8"]),
    "bad text in a list": (listed(BAD_TEXT), [None], ["bad_utf8"]),
    "bad text in a struct": (structs(a=[1, 2], b=BAD_TEXT), {"a": 1, "b": None}, ["bad_utf8"]),
    "nan": (pa.array([NAN, 1.0]), None, ["nan"]),
    "half": (pa.array(np.array([INF, 1.0], np.float16)), None, ["infinity"]),
    "nan in a list": (pa.array([[1.5, NAN], [-INF]]), [1.5, None], ["nan"]),
    "nan in a struct": (structs(a=[NAN, 1.0]), {"a": None}, ["nan"]),
    "nan in a map": (MAPS, [["k", None]], ["nan"]),
    "nan in a dictionary": (pa.array([NAN, 1.0]).dictionary_encode(), None, ["nan"]),
    "nan in a union": (unions([NAN, 1.0]), None, ["nan"]),
    "map": (pa.array([[(1, "a")], None], pa.map_(pa.int32(), pa.string())), [[1, "a"]], []),
    "same names": (twins([1, 2], [3, 4]), {"x": 1, "x.2": 3}, []),
    "same names in a list": (listed(twins([1, 2], [3, 4])), [{"x": 1, "x.2": 3}], []),
    "same names, one bad": (twins([1, 2], BAD_TEXT), {"x": 1, "x.2": None}, ["bad_utf8"]),
    "uuid": (uuids(), "30303030-3030-3030-3030-303030303030", []),
    "tensor": (tensors(), [1, 2, 3, 4], []),
    "dictionary": (pa.array(["a", "b"]).dictionary_encode(), "a", []),
    "runs": (runs(), "x", []),
    "union": (unions([5, 6]), 5, []),
    "view": (pa.array(["x", None], pa.string_view()), "x", []),
    "list view": (pa.array([[1, 2], None], pa.list_view(pa.int32())), [1, 2], []),
    "fixed list": (pa.array([[1.0, NAN], None], pa.list_(pa.float32(), 2)), [1.0, None], ["nan"]),
    "null": (pa.nulls(2), None, []),
    "unsigned": (pa.array([2**64 - 1, 0], pa.uint64()), 2**64 - 1, []),
    "time": (pa.array([1, 2], pa.time64("us")), "00:00:00.000001", []),
    "interval": (INTERVALS, "MonthDayNano(months=1, days=2, nanoseconds=3)", []),
}


def read(batch, options=ReadOptions()):
    return list(read_batch(batch, 0, options, Origin("src")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_nobody_asked_for_never_costs_the_text(kind):
    column, value, reasons = KINDS[kind]
    batch = pa.record_batch({"text": ["first", "second"], "c": column, "n": [1, 2]})
    first, second = read(batch)
    assert (first.text, second.text) == ("first", "second")
    assert json.loads(first.metadata) == {"c": value, "n": 1}
    assert list(first.left_out) == reasons
    assert json.loads(second.metadata)["n"] == 2


@pytest.mark.parametrize("kind", ["zone", "date", "same names", "bad text", "nan in a struct"])
def test_a_text_beside_such_a_value_in_one_struct_is_kept(kind):
    column, value, reasons = KINDS[kind]
    data = pa.StructArray.from_arrays([pa.array(["first", "second"]), column], ["text", "c"])
    first, _ = read(pa.record_batch({"data": data}), ReadOptions("data.text"))
    assert first == Record("row 0", "first", "src", first.metadata, tuple(reasons))
    assert json.loads(first.metadata) == {"data": {"c": value}}


TEXTS = ["grün", None, "wörter"]
WIDE = [None if text is None else text.encode() for text in TEXTS]
TEXTUAL = {
    "string": pa.array(TEXTS),
    "large string": pa.array(TEXTS, pa.large_string()),
    "view": pa.array(TEXTS, pa.string_view()),
    "binary": pa.array(WIDE),
    "large binary": pa.array(WIDE, pa.large_binary()),
    "binary view": pa.array(WIDE, pa.binary_view()),
    "fixed": pa.array([text and text.ljust(9, b"\0") for text in WIDE], pa.binary(9)),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "dictionary of bytes": pa.array(WIDE).dictionary_encode(),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), pa.array(TEXTS)),
    "extension": pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(TEXTS)),
}


@pytest.mark.parametrize("kind", TEXTUAL)
@pytest.mark.parametrize("name", ["text", "a.b"])
def test_text_of_any_kind(kind, name):
    column = TEXTUAL[kind]
    if name == "a.b":
        column = pa.StructArray.from_arrays([column], ["b"])
    batch = pa.record_batch({name.partition(".")[0]: column, "n": [1, 2, 3]})
    assert refuse_table(batch.schema, ReadOptions(name), batch) is None
    first, missing, last = read(batch, ReadOptions(name))
    assert (first.text, last.text) == ("grün", "wörter")
    assert json.loads(first.metadata)["n"] == 1
    assert (missing.locator, missing.error) == ("row 1", "missing_field")


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(4)])
def test_bytes_that_are_no_text_cost_their_row(type_):
    batch = pa.record_batch({"text": pa.array([b"caf\xe9", b"good"], type_), "n": [1, 2]})
    bad, good = read(batch)
    assert (bad.error, bad.payload) == ("bad_utf8", b"caf\xe9")
    assert good.text == "good"


def test_a_slice_of_a_batch_is_read_as_the_whole():
    kinds = {name: column for name, (column, *_) in KINDS.items()}
    batch = pa.record_batch({"text": ["first", "second"], **kinds})
    whole = read(batch)
    assert all(isinstance(item, Record) for item in whole)
    parts = [list(read_batch(batch.slice(n, 1), n, ReadOptions(), Origin("src"))) for n in (0, 1)]
    assert [item for part in parts for item in part] == whole


def test_rows_and_names():
    batch = pa.record_batch([pa.array([1]), twins([2], [3])], ["a", "b"])
    assert to_rows(batch).values == [{"a": 1, "b": {"x": 2, "x.2": 3}}]
    fields = list(batch.schema)
    assert locate_column(fields, "b.x") == [1, 0]
    assert locate_column(fields, "b.x.2") == [1, 1]
    assert locate_column(fields, "b.y") == locate_column(fields, "a.x") == []
    flat = [*fields, pa.field("b.x", pa.string())]
    assert locate_column(flat, "b.x") == [2]


@pytest.mark.parametrize("values", [[1], [["a"]], [{"a": "b"}], [True], [None]])
def test_a_text_column_of_another_type_names_it_and_another(values):
    batch = pa.record_batch({"text": pa.array(values), "body": ["a long text"]})
    refused = refuse_table(batch.schema, ReadOptions(), batch)
    assert isinstance(refused, Reject)
    assert refused.error == "wrong_type"
    assert f"is of type {batch.schema.field(0).type}" in refused.message
    assert refused.message.endswith('set read.text_field = "body"')


def test_a_parquet_file_with_all_of_it(tmp_path, read_all):
    skipped = ("runs", "union", "nan in a union", "interval")  # Parquet has no such types
    kinds = {name: column for name, (column, *_) in KINDS.items() if name not in skipped}
    when = pa.array([datetime.date(2024, 5, 1)] * 2)
    table = pa.table({"text": ["first", "second"], "when": when, **kinds})
    pq.write_table(table, tmp_path / "a.parquet", store_schema=True)
    first, second = read_all(tmp_path / "a.parquet")
    assert (first.text, second.text) == ("first", "second")
    assert json.loads(first.metadata)["when"] == "2024-05-01"
    assert json.loads(second.metadata)["unsigned"] == 0
    # pyarrow writes lists of fixed size with a null that it cannot read back
    wanted = [reason for name in kinds if name != "fixed list" for reason in KINDS[name][2]]
    assert sorted(first.left_out) == sorted([*wanted, "bad_column"])
