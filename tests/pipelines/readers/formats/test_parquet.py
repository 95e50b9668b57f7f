import base64
import datetime
import json

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.readers.formats import parquet
from pipelines.readers.records import ReadOptions, Record, Reject
from pipelines.readers.rows import read_batch


def write(path, columns, group=100, **options):
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, path, row_group_size=group, **options)


@settings(deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=40),
    group=st.integers(1, 15),
    target=st.integers(1, 3000),
)
def test_any_cut_gives_every_row_once_in_order(scratch, texts, group, target):
    path = scratch / "law.parquet"
    write(path, {"text": pa.array(texts, pa.string())}, group)
    parts = parquet.cut(str(path), "law.parquet", target)
    records = [item for part in parts for item in parquet.read(part, ReadOptions())]
    assert [record[1] for record in records] == texts
    assert [record.locator for record in records] == [f"row {n}" for n in range(len(texts))]


def test_rows_are_counted_over_batches_and_groups(tmp_path, read_all):
    path = tmp_path / "a.parquet"
    count = 3 * parquet.BATCH_ROWS
    write(path, {"text": [f"{number}" for number in range(count)]}, group=count // 2)
    records = read_all(path)
    assert [record.locator for record in records] == [f"row {number}" for number in range(count)]
    assert [record.text for record in records] == [f"{number}" for number in range(count)]


def test_small_groups_are_merged(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, {"text": ["some text " * 50] * 100}, group=10, use_dictionary=False)
    group = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    parts = parquet.cut(str(path), "a.parquet", 2 * group)
    assert [(part.start, part.end) for part in parts] == [(0, 2), (2, 4), (4, 6), (6, 8), (8, -1)]


def test_source_and_metadata(tmp_path, read_all):
    path = tmp_path / "wiki.parquet"
    columns = {
        "text": pa.array(["a", "b"], pa.large_string()),
        "source": ["s", None],
        "day": [datetime.date(2024, 5, 1), None],
        "blob": [b"\xff", None],
    }
    write(path, columns)
    first, second = read_all(path)
    blob = base64.b64encode(b"\xff").decode()
    assert first == Record(
        "row 0", "a", "s", json.dumps({"blob": blob, "day": "2024-05-01"}).replace(" ", "")
    )
    assert second == Record("row 1", "b", "wiki", '{"blob":null,"day":null}')


def test_bad_rows_are_rejected_one_by_one(tmp_path, read_all):
    path = tmp_path / "a.parquet"
    raw = pa.array([b"good", b"bad \xff", None, b"also good"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 4, raw.buffers(), null_count=1)
    write(path, {"text": text, "n": [1, 2, 3, 4]})
    items = read_all(path)
    assert [item.text for item in items if isinstance(item, Record)] == ["good", "also good"]
    bad, missing = (item for item in items if isinstance(item, Reject))
    assert (bad.locator, bad.error, bad.payload) == ("row 1", "bad_utf8", b"bad \xff")
    assert (missing.locator, missing.error) == ("row 2", "missing_field")
    assert json.loads(missing.payload) == {"n": 3, "text": None}


def test_a_value_that_python_cannot_hold_costs_its_cell(tmp_path, read_all):
    path = tmp_path / "a.parquet"
    write(
        path, {"text": ["a", "b"], "when": pa.array([10**15, 0], pa.timestamp("ms")), "n": [1, 2]}
    )
    far, near = read_all(path)
    assert far == Record("row 0", "a", "a", '{"n":1,"when":null}', ("bad_date",))
    assert near[1:] == ("b", "a", '{"n":2,"when":"1970-01-01T00:00:00"}', ())


@pytest.mark.parametrize("values", [[1, 2], [["a"], ["b"]], [None, None]])
def test_a_text_column_of_another_type_is_one_reject(tmp_path, read_all, values):
    path = tmp_path / "a.parquet"
    write(path, {"text": values, "body": ["long enough", ""]}, group=1)
    [reject] = read_all(path, target_bytes=1)
    assert reject[:2] == ("file", "wrong_type")
    assert "column 'text' is of type" in reject.message
    assert reject.message.endswith('; set read.text_field = "body"')


@pytest.mark.parametrize("target", [1, 10**9])
def test_a_column_that_cannot_be_decoded_costs_itself(tmp_path, read_all, target):
    path = tmp_path / "a.parquet"
    count = 3 * parquet.BATCH_ROWS
    numbers = [f"{number * 7919:07d}" for number in range(count)]
    table = {"text": numbers, "note": numbers[::-1], "n": range(count)}
    write(path, {name: list(column) for name, column in table.items()}, count, use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    content = bytearray(path.read_bytes())
    place = column.data_page_offset + column.total_compressed_size // 2
    content[place : place + 2000] = b"\xff" * 2000
    path.write_bytes(content)
    records = read_all(path, target)
    assert [record.text for record in records] == numbers
    assert [record.locator for record in records] == [f"row {number}" for number in range(count)]
    assert {record.left_out for record in records} >= {("bad_column",)}
    last = records[-1]
    assert (last.metadata, last.left_out) == (f'{{"n":{count - 1},"note":null}}', ("bad_column",))


def test_a_missing_column_is_one_reject(tmp_path, read_all):
    path = tmp_path / "a.parquet"
    write(path, {"title": ["a"] * 50, "body": ["b"] * 50}, group=5)
    [reject] = read_all(path, target_bytes=1)
    message = "no column 'text'; there is title, body; set read.text_field = \"title\""
    assert reject[:3] == ("file", "missing_field", message)


def test_columns_of_one_name_are_all_kept(tmp_path, read_all):
    columns = [["a", "b"], ["c", "d"], [1, 2], [3, 4]]
    pq.write_table(pa.table(columns, ["text", "text", "n", "n"]), tmp_path / "a.parquet")
    first, _ = read_all(tmp_path / "a.parquet")
    assert (first.text, first.metadata) == ("a", '{"n":1,"n.4":3,"text.2":"c"}')


@pytest.mark.parametrize("content", [b"", b"not parquet at all", b"PAR1" * 5])
def test_an_unreadable_file_is_one_reject(tmp_path, read_all, content):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    [reject] = read_all(path)
    assert reject[:2] == ("file", "bad_parquet")
    assert reject.message


@pytest.mark.parametrize("target", [1, 10**9])
def test_a_damaged_row_group_costs_only_itself(tmp_path, read_all, target):
    path = tmp_path / "a.parquet"
    texts = [f"text {number}" for number in range(30)]
    write(path, {"text": texts}, group=10, compression="zstd", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    end = column.data_page_offset + column.total_compressed_size
    content[column.data_page_offset : end] = b"\xff" * column.total_compressed_size
    path.write_bytes(content)
    items = read_all(path, target_bytes=target)
    assert [item.text for item in items if isinstance(item, Record)] == texts[:10] + texts[20:]
    [reject] = [item for item in items if isinstance(item, Reject)]
    assert (reject.locator, reject.error) == ("row 10", "bad_parquet")
    assert reject.message.startswith("rows 10 to 19 of row group 1: ")


def test_urls_are_opened_through_fsspec(tmp_path):
    write(tmp_path / "a.parquet", {"text": ["a", "b"]})
    fsspec.filesystem("memory").pipe("/parquet/a.parquet", (tmp_path / "a.parquet").read_bytes())
    [part] = parquet.cut("memory://parquet/a.parquet", "a.parquet", 10**6)
    assert [record[1] for record in parquet.read(part, ReadOptions())] == ["a", "b"]


def test_a_page_unlike_its_checksum_is_damage(tmp_path, read_all):
    path = tmp_path / "a.parquet"
    options = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    write(path, {"text": [f"text {number:03d}" for number in range(20)]}, 10, **options)
    assert len(read_all(path)) == 20
    path.write_bytes(path.read_bytes().replace(b"text 013", b"TEXT 013"))
    items = read_all(path)
    assert [item.text for item in items[:-1]] == [f"text {number:03d}" for number in range(10)]
    assert (items[-1].locator, items[-1].error) == ("row 10", "bad_parquet")


def failing(monkeypatch, size):
    """Let reading fail as Arrow does for want of memory."""

    def iter_batches(*_args, **_options):
        raise pa.lib.ArrowMemoryError(f"malloc of size {size} failed")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)


def test_want_of_memory_is_no_damage(tmp_path, read_all, monkeypatch):
    path = tmp_path / "a.parquet"
    write(path, {"text": ["some text " * 9000] * 10, "n": range(10)}, use_dictionary=False)
    failing(monkeypatch, 900_000)
    with pytest.raises(MemoryError, match=r"a\.parquet: malloc of size 900000"):
        read_all(path)
    failing(monkeypatch, 2**40)
    [reject] = read_all(path)
    assert reject[:2] == ("row 0", "bad_parquet")


@pytest.mark.parametrize("text", ["text", "data.text"])
def test_only_the_fields_that_are_named_are_read(tmp_path, read_all, monkeypatch, text):
    asked = []
    read = pq.ParquetFile.iter_batches

    def iter_batches(self, *args, columns=None, **options):
        asked.append(columns)
        return read(self, *args, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    path = tmp_path / "a.parquet"
    data = [{"text": "b", "more": 1}]
    write(path, {"page": ["long"], "text": ["a"], "n": [1], "data": data, "source": ["web"]})
    [record] = read_all(path, options=ReadOptions(text, fields=("n", "gone")))
    assert record[1:] == ("a" if text == "text" else "b", "web", '{"n":1}', ())
    assert [set(columns) for columns in asked] == [{text.partition(".")[0], "n", "source"}]


def test_a_batch_of_large_rows_is_bounded(tmp_path, read_all, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_BYTES", 100_000)
    sizes = []

    def note(batch, *args):
        sizes.append(batch.num_rows)
        return read_batch(batch, *args)

    monkeypatch.setattr("pipelines.readers.formats.parquet.read_batch", note)
    path = tmp_path / "a.parquet"
    write(path, {"text": ["x" * 30_000 + f"{n}" for n in range(10)]}, use_dictionary=False)
    assert [record.locator for record in read_all(path)] == [f"row {n}" for n in range(10)]
    assert max(sizes) == 3


def test_a_file_without_rows_yields_nothing(tmp_path, read_all):
    for number, table in enumerate([pa.table({}), pa.table({"title": pa.array([], pa.string())})]):
        write(tmp_path / f"{number}.parquet", table)
        assert read_all(tmp_path / f"{number}.parquet") == []
