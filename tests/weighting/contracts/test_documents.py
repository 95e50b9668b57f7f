"""Tables of documents: rows in the order of the schema, and what a file may not break."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.contracts.documents import (
    DOCUMENTS,
    LEDGER_HEAD,
    check_table,
    ledger_schema,
    read_table,
    tabulate_rows,
    write_table,
)
from weighting.errors import BrokenContract

SCHEMA = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("size", pa.int64())])
rows = st.lists(st.tuples(st.text(max_size=5), st.none() | st.integers(-(2**63), 2**63 - 1)))


@given(rows)
def test_rows_become_a_table_and_back(some):
    table = tabulate_rows(iter(some), SCHEMA)
    assert table.schema == SCHEMA
    assert [tuple(row.values()) for row in table.to_pylist()] == some
    check_table("table", table, SCHEMA)


def test_a_row_has_a_value_for_every_field():
    with pytest.raises(ValueError, match="argument"):
        tabulate_rows([("a",)], SCHEMA)
    with pytest.raises(ValueError, match="shorter"):
        tabulate_rows([("a", 1), ("b",)], SCHEMA)


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = tabulate_rows([("a", 1), ("b", None)], SCHEMA)
    write_table(tmp_path / "t.parquet", table, SCHEMA)
    assert read_table(tmp_path / "t.parquet", SCHEMA).equals(table)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"name": ["a"]}), "columns are"),
        (pa.table({"name": ["a"], "size": ["b"]}), "column size is string, must be int64"),
        (pa.table({"name": [None, "a"], "size": [1, 2]}), "column name has 1 nulls"),
    ],
)
def test_what_breaks_the_schema_is_named(tmp_path, table, message):
    with pytest.raises(BrokenContract, match=message):
        write_table(tmp_path / "t.parquet", table, SCHEMA)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"no table")
    with pytest.raises(BrokenContract, match="not a readable Parquet file"):
        read_table(tmp_path / "t.parquet", SCHEMA)


def test_the_ledger_has_a_column_for_each_rule():
    schema = ledger_schema(["gopher_words", "length"])
    assert schema.names == [*(field.name for field in LEDGER_HEAD), "gopher_words", "length"]
    assert schema.field("length").type == pa.float64()
    assert not DOCUMENTS.field("text").nullable
