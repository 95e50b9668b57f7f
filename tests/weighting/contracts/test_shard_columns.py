"""Columns of every Arrow type that says the same give the same arrays; faults name the document."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from weighting.contracts.shard_columns import Rows, check_columns
from weighting.errors import BrokenContract

IDS, WEIGHTS = [[1, 2], [], [7]], [[1.0, 0.5], [], [2.0]]


def rows(ids=IDS, weights=WEIGHTS, **columns):
    columns = {"input_ids": ids, "weights": weights, "doc_id": ["a", "b", "c"], **columns}
    batch = pa.record_batch({name: c for name, c in columns.items() if c is not None})
    check_columns(Path("train.arrow"), batch.schema)
    return Rows(Path("/data/train.arrow"), 10, batch)


def read(found):
    ids_N, weights_N = found.read_ids(9, np.uint16), found.read_weights()
    return found.ids.offsets_D1.tolist(), ids_N.tolist(), weights_N.tolist()


@pytest.mark.parametrize(
    "kind", [pa.list_, pa.large_list, pa.list_view, pa.large_list_view], ids=lambda k: k.__name__
)
@pytest.mark.parametrize("item", [pa.uint8(), pa.int32(), pa.int64(), pa.uint64()], ids=str)
def test_lists_of_every_kind_and_width(kind, item):
    found = rows(pa.array(IDS, kind(item)), pa.array(WEIGHTS, kind(pa.float64())))
    assert read(found) == ([0, 2, 2, 3], [1, 2, 7], [1.0, 0.5, 2.0])
    assert (found.read_ids(9, np.uint16).dtype, found.read_weights().dtype) == ("uint16", "float32")


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, pa.list_view, pa.large_list_view])
def test_a_slice_has_its_own_offsets(kind):
    full = pa.record_batch(
        {
            "input_ids": pa.array([[8], *IDS, [8]], kind(pa.int64())),
            "weights": pa.array([[4.0, 4.0], *WEIGHTS, [4.0]], pa.list_(pa.float32())),
        }
    )
    found = Rows(Path("train.arrow"), 0, full.slice(1, 3))
    assert read(found) == ([0, 2, 2, 3], [1, 2, 7], [1.0, 0.5, 2.0])


def test_views_may_overlap_and_be_in_any_order():
    views = pa.ListViewArray.from_arrays([2, 0, 1], [1, 0, 2], pa.array([5, 6, 7]))
    found = rows(views, pa.array([[1.0], [], [1.0, 2.0]]))
    assert read(found) == ([0, 1, 1, 3], [7, 6, 7], [1.0, 1.0, 2.0])


def test_lists_of_fixed_size():
    pairs = pa.array([[8, 8], [1, 2], [3, 4], [5, 6]], pa.list_(pa.int16(), 2)).slice(1)
    found = rows(pairs, pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float16(), 2)))
    assert read(found) == ([0, 2, 4, 6], [1, 2, 3, 4, 5, 6], [1.0, 2.0] * 3)


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ([[1, 0], [], [2]], pa.int8()),
        ([[True, False], [], [True]], pa.bool_()),
        ([[Decimal("1.5"), Decimal("0.5")], [], [Decimal(1)]], pa.decimal128(4, 2)),
        ([[-0.0, 1.0], [], [1.0]], pa.float32()),
    ],
)
def test_weights_may_be_any_numbers(weights, kind):
    found = rows(weights=pa.array(weights, pa.list_(kind)))
    assert read(found)[2] == [float(one) for row in weights for one in row]


@pytest.mark.parametrize(
    "doc_ids",
    [
        pa.array(["a", "b", "c"], pa.large_string()),
        pa.array(["a", "b", "c"], pa.string_view()),
        pa.array(["a", "b", "c"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays([0, 1, 2], pa.array(["a", "b", "c"], pa.string_view())),
    ],
)
def test_document_ids_may_be_any_texts(doc_ids):
    assert rows(doc_id=doc_ids).doc_ids.to_pylist() == ["a", "b", "c"]


def test_what_may_be_missing_is_filled_in():
    found = rows(doc_id=None)
    assert found.doc_ids.to_pylist() == [f"data/train.arrow:{row}" for row in (10, 11, 12)]
    assert found.sources.to_pylist() == ["", "", ""]
    assert found.read_reasons().tolist() == [0, 0, 0]
    assert rows(source=["s", None, "t"]).sources.to_pylist() == ["s", "", "t"]
    assert rows(source=pa.nulls(3)).sources.to_pylist() == ["", "", ""]
    assert rows(doc_id=[4, 5, 6]).doc_ids.to_pylist() == ["4", "5", "6"]


def test_lists_that_are_all_empty_have_no_type():
    assert read(rows([[], [], []], [[], [], []])) == ([0, 0, 0, 0], [], [])


def test_what_has_the_right_type_is_not_copied():
    ids, weights = pa.array(IDS, pa.list_(pa.uint16())), pa.array(WEIGHTS, pa.list_(pa.float32()))
    found = rows(ids, weights)
    assert not found.read_ids(9, np.uint16).flags.owndata
    assert not found.read_weights().flags.owndata


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ids": [[1, 2], [], [9]]}, "document c .row 12.: token 0 has id 9, the vocabulary"),
        ({"ids": [[1, -2], [], [7]]}, "document a .row 10.: token 1 has id -2"),
        ({"ids": [[1, None], [], [7]]}, "document a .row 10.: token 1 has null in input_ids"),
        ({"ids": [[1, 2], None, [7]]}, "document b .row 11.: input_ids is null"),
        ({"ids": [[1, 2], [], [7, 7]]}, "document c .*weights and input_ids .* length, 1 and 2"),
        ({"weights": [[1, 1], [], [-1]]}, "document c .*: token 0 has weight -1, weights are"),
        ({"weights": [[1, 1e39], [], [1]]}, r"document a .*: token 1 has weight 1e\+39, weights"),
        ({"weights": [[1, float("nan")], [], [1]]}, "document a .*: token 1 has weight nan"),
        ({"weights": [[1, None], [], [1]]}, "document a .*: token 1 has null in weights"),
        ({"reasons": [[1, 256], [], [1]]}, "document a .*: token 1 has reasons 256"),
        ({"reasons": [[1, 2], [3], [1]]}, "document b .*reasons and input_ids .* length, 1 and 0"),
        ({"doc_id": ["a", None, "c"]}, "doc_id of row 11 is null"),
        ({"doc_id": pa.nulls(3)}, "doc_id of row 10 is null"),
        ({"ids": [[None], [], []]}, "document a .*: token 0 has null in input_ids"),
    ],
)
def test_a_fault_names_the_document(columns, message):
    found = rows(**columns)
    with pytest.raises(BrokenContract, match=message):
        (found.doc_ids, read(found), found.read_reasons())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"weights": None}, "no column weights; it has input_ids, doc_id"),
        ({"weights": [1.0, 1.0, 1.0]}, "column weights is double, must be lists of numbers, one"),
        ({"ids": [[1.0, 2.0], [], [7.0]]}, "column input_ids is list<.*>, must be lists of whole"),
        ({"weights": [["1"], [], []]}, "column weights is list<.*>, must be lists of numbers"),
        ({"doc_id": [1.5, 2.5, 3.5]}, "column doc_id is double, must be texts"),
    ],
)
def test_a_column_of_another_kind_is_refused(columns, message):
    with pytest.raises(BrokenContract, match=message):
        rows(**columns)


def test_a_column_that_is_there_twice_is_refused():
    schema = pa.schema([("weights", pa.int8()), ("input_ids", pa.int8()), ("weights", pa.int8())])
    with pytest.raises(BrokenContract, match="column input_ids is int8"):
        check_columns(Path("t.arrow"), schema)
    lists = schema.set(1, pa.field("input_ids", pa.list_(pa.int8())))
    with pytest.raises(BrokenContract, match="2 columns are named weights"):
        check_columns(Path("t.arrow"), lists)
