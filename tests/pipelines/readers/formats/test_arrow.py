import io

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.readers.formats import arrow
from pipelines.readers.records import ReadOptions, Record, Reject

ROWS = 5
TEXTS = [f"batch {batch} row {row} {'x' * 50}" for batch in range(4) for row in range(ROWS)]
WRITERS = {"file": pa.ipc.new_file, "stream": pa.ipc.new_stream}
EACH = pytest.mark.parametrize("kind", WRITERS)


def pack(kind, columns, rows=ROWS, compression=None):
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with WRITERS[kind](sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def texts(items):
    return [item.text for item in items if isinstance(item, Record)]


def rejects(items):
    return [item[:2] for item in items if isinstance(item, Reject)]


@EACH
@given(
    values=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=30),
    rows=st.integers(1, 9),
    target=st.integers(1, 2000),
)
def test_any_cut_gives_every_row_once_in_order(scratch, read_all, kind, values, rows, target):
    path = scratch / "law.arrow"
    path.write_bytes(pack(kind, {"text": pa.array(values, pa.string())}, rows))
    records = read_all(path, target)
    assert texts(records) == values
    places = [f"batch {at // rows} row {at % rows}" for at in range(len(values))]
    assert [record.locator for record in records] == places


def test_a_file_is_cut_by_batches_and_a_stream_is_not(tmp_path):
    counts = {}
    for kind in WRITERS:
        path = tmp_path / f"{kind}.feather"
        path.write_bytes(pack(kind, {"text": TEXTS}))
        counts[kind] = len(arrow.cut(str(path), path.name, 1))
    assert counts == {"file": 4, "stream": 1}


@pytest.mark.parametrize("suffix", ["arrow", "parquet"])
@pytest.mark.parametrize(
    "type_",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_strings_of_every_layout(tmp_path, read_all, type_, suffix):
    path = tmp_path / f"a.{suffix}"
    values = ["first", None, "a longer one that is no inline view", "first"]
    column = pa.array(values, pa.string()).cast(type_)
    if suffix == "arrow":
        path.write_bytes(pack("file", {"text": column, "n": [1, 2, 3, 4]}, rows=3))
    else:
        pq.write_table(pa.table({"text": column, "n": [1, 2, 3, 4]}), path)
    items = read_all(path)
    assert texts(items) == [values[0], values[2], values[3]]
    assert [item.error for item in items if isinstance(item, Reject)] == ["missing_field"]
    assert items[0].metadata == '{"n":1}'
    assert items[0].source == "a"


@EACH
@pytest.mark.parametrize("target", [1, 10**9])
def test_a_damaged_batch_costs_only_itself(tmp_path, read_all, kind, target):
    content = bytearray(pack(kind, {"text": TEXTS}, compression="zstd"))
    frames = [at for at in range(len(content)) if content[at : at + 4] == b"\x28\xb5\x2f\xfd"]
    assert len(frames) == 4 * 1 or len(frames) == 4 * 2  # one or two buffers of each batch
    at = frames[len(frames) // 4]
    content[at : at + 12] = b"\xee" * 12
    path = tmp_path / "a.arrow"
    path.write_bytes(content)
    items = read_all(path, target)
    assert texts(items) == TEXTS[:ROWS] + TEXTS[2 * ROWS :]
    assert rejects(items) == [("batch 1", "bad_arrow")]


@EACH
def test_offsets_that_lead_outside_are_damage(tmp_path, read_all, kind):
    content = bytearray(pack(kind, {"text": TEXTS}))
    offsets = b"".join(len(text).to_bytes(4, "little") for text in ["", TEXTS[0]])
    at = [place for place in range(len(content)) if content[place : place + 8] == offsets][2]
    content[at + 4 : at + 8] = b"\xff\xff\xff\x7f"
    path = tmp_path / "a.arrow"
    path.write_bytes(content)
    items = read_all(path)
    assert texts(items) == TEXTS[: 2 * ROWS] + TEXTS[3 * ROWS :]
    assert rejects(items) == [("batch 2", "bad_arrow")]


@EACH
def test_bad_utf8_costs_its_row(tmp_path, read_all, kind):
    path = tmp_path / "a.arrow"
    path.write_bytes(
        pack(kind, {"text": TEXTS, "n": range(20)}).replace(b"batch 1 row 2", b"\xff" * 13)
    )
    items = read_all(path)
    assert texts(items) == TEXTS[:7] + TEXTS[8:]
    assert rejects(items) == [("batch 1 row 2", "bad_utf8")]


def test_what_is_before_the_cut_of_a_truncated_input_is_kept(tmp_path, read_all):
    for kind in WRITERS:
        content = pack(kind, {"text": TEXTS})
        path = tmp_path / f"{kind}.arrow"
        path.write_bytes(content[: len(content) * 3 // 5])
        items = read_all(path)
        kept = texts(items)
        assert kept == TEXTS[: len(kept)]
        assert len(kept) in (ROWS, 2 * ROWS)
        assert {error for _, error in rejects(items)} == {"bad_arrow"}
        assert len({locator for locator, _ in rejects(items)}) == len(rejects(items))


def test_a_missing_column_is_one_reject(tmp_path, read_all):
    path = tmp_path / "a.ipc"
    path.write_bytes(pack("file", {"title": TEXTS}))
    [reject] = read_all(path, target_bytes=1)
    message = "no column 'text'; there is title; set read.text_field = \"title\""
    assert reject[:3] == ("file", "missing_field", message)


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1", b"ARROW1\0\0" + b"x" * 99, b"FEA1", b"\xff" * 99]
)
def test_an_unreadable_file_is_one_reject(tmp_path, read_all, content):
    path = tmp_path / "a.arrow"
    path.write_bytes(content)
    [reject] = read_all(path)
    assert reject[:2] == ("file", "bad_arrow")
    assert reject.message


def test_urls_are_opened_through_fsspec():
    for kind in WRITERS:
        fsspec.filesystem("memory").pipe(f"/arrow/{kind}.arrow", pack(kind, {"text": TEXTS}))
        parts = arrow.cut(f"memory://arrow/{kind}.arrow", "a.arrow", 10**6)
        assert texts(item for part in parts for item in arrow.read(part, ReadOptions())) == TEXTS


@pytest.mark.parametrize(("size", "kept"), [(1000, False), (2**60, True)])
def test_want_of_memory_is_no_damage(tmp_path, read_all, monkeypatch, size, kept):
    path = tmp_path / "a.arrow"
    with pa.ipc.new_file(path, pa.schema([("text", pa.string())])) as file:
        file.write_table(pa.table({"text": ["a", "b"]}), max_chunksize=1)

    def get_batch(_file, _number):
        raise pa.lib.ArrowMemoryError(f"malloc of size {size} failed")

    monkeypatch.setattr(pa.RecordBatchFileReader, "get_batch", get_batch, raising=False)
    if kept:
        assert [item.error for item in read_all(path)] == ["bad_arrow", "bad_arrow"]
    else:
        with pytest.raises(MemoryError, match=r"a\.arrow: malloc of size 1000"):
            read_all(path)
