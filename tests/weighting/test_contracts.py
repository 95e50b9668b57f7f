"""Files, tables and reasons: whole or absent, checked on write and on open."""

import subprocess
import sys

import pyarrow as pa
import pytest

from weighting.contracts.documents import DOCUMENTS, ledger_schema, read_table, write_table
from weighting.contracts.reasons import Reason, name_flags
from weighting.errors import AssayError, BrokenContract
from weighting.storage.files import read_json, replacing, write_json, write_text

ROW = {
    "doc_id": "d",
    "source": "s",
    "locator": "byte 0",
    "text": "x",
    "metadata": "{}",
    "edits": [],
    "passages": [],
    "contaminated": [],
}


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_json_with_nan_is_refused_and_the_old_file_stays(tmp_path):
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert read_json(tmp_path / "a.json") == {"x": 1}


def test_unreadable_json_is_an_error_a_user_can_act_on(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(AssayError, match=r"a\.json: not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(AssayError, match="no such file"):
        read_json(tmp_path / "b.json")


def test_a_table_is_checked_on_write_and_on_read(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.Table.from_pylist([ROW], schema=DOCUMENTS)
    write_table(path, table, DOCUMENTS)
    assert read_table(path, DOCUMENTS).to_pylist() == [ROW]
    with pytest.raises(BrokenContract, match="columns are"):
        write_table(path, table.drop_columns(["text"]), DOCUMENTS)
    with pytest.raises(BrokenContract, match="columns are"):
        read_table(path, ledger_schema(["words"]))


def test_nulls_and_other_types_are_refused(tmp_path):
    nullable = pa.schema([pa.field(f.name, f.type) for f in DOCUMENTS])
    with pytest.raises(BrokenContract, match="text has 1 nulls"):
        write_table(
            tmp_path / "a", pa.Table.from_pylist([{**ROW, "text": None}], nullable), DOCUMENTS
        )
    wrong = pa.Table.from_pylist([{**ROW, "text": 3}])
    with pytest.raises(BrokenContract, match="text is int64, must be string"):
        write_table(tmp_path / "a", wrong, DOCUMENTS)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(BrokenContract, match=r"a\.parquet: not a readable Parquet file"):
        read_table(tmp_path / "a.parquet", DOCUMENTS)


def test_flags_have_names():
    assert name_flags(Reason.RARE | Reason.SPECIAL) == ["rare", "special"]


def test_weighting_imports_nothing_heavy():
    modules = ", ".join(
        (
            *(f"weighting.contracts.{name}" for name in ("shards", "manifest", "statistics")),
            *(f"weighting.policies.{name}" for name in ("registry", "effective_sample")),
            *("weighting.contracts.documents", "weighting.signals.ngrams"),
        )
    )
    code = f"import {modules}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"torch", "apache_beam", "prefect", "duckdb", "datasets", "pydantic", "tokenizers"}
    assert not heavy & set(loaded)
