"""Every reader of files, on what no writer wrote: only records and rejects may come out."""

import csv
import io
import json
from itertools import product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.readers.records import ReadOptions, Record, Reject, Skipped
from pipelines.readers.registry import READERS
from tests.pipelines.readers.packs import PACK_OR_NOT

TEXTS = [f"text {number * 7919}" for number in range(12)]
SUFFIXES = {
    "jsonl": ".jsonl",
    "csv": ".csv",
    "text": ".md",
    "arrow": ".arrow",
    "parquet": ".parquet",
}


def write_jsonl():
    return "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()


def write_csv():
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["text", "n"], *([text, "a\nb"] for text in TEXTS)])
    return text.getvalue().encode()


def write_arrow(writer, compression=None):
    table = pa.table({"text": TEXTS, "n": range(12)})
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with writer(sink, table.schema, options=options) as file:
        file.write_table(table, max_chunksize=4)
    return sink.getvalue()


def write_parquet():
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": TEXTS, "n": range(12)}), sink, row_group_size=4)
    return sink.getvalue()


FILES = {
    "jsonl": write_jsonl(),
    "csv": write_csv(),
    "text": "\n".join(TEXTS).encode(),
    "arrow": write_arrow(pa.ipc.new_file),
    "arrow-zstd": write_arrow(pa.ipc.new_file, "zstd"),
    "arrow-stream": write_arrow(pa.ipc.new_stream),
    "parquet": write_parquet(),
}
EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6)), min_size=1, max_size=4)
TARGETS = (1, 40, 150)


def damage(content, edits, kept):
    """Overwrite bytes at places (taken modulo the length) and cut off the end."""
    changed = bytearray(content)
    for place, new in edits:
        at = place % len(changed)
        changed[at : at + len(new)] = new
    return bytes(changed[: max(1, len(changed) - kept)])


def read(path, reader, target_bytes):
    """Cut and read a file, and check what comes out."""
    parts = READERS[reader].cut(str(path), path.name, target_bytes)
    items = [item for part in parts for item in READERS[reader].read(part, ReadOptions())]
    assert all(isinstance(item, Record | Reject) for item in items)
    for item in items:
        if isinstance(item, Record):
            item.text.encode()
            json.loads(item.metadata)
    places = [item.locator for item in items if not isinstance(item, Skipped)]
    assert len(places) == len(set(places))
    return items


def read_any_cut(path, reader):
    whole = read(path, reader, 10**9)
    for target in TARGETS:
        assert read(path, reader, target) == whole
    return whole


@pytest.mark.parametrize(
    ("reader", "packed"),
    [
        *product(("jsonl", "csv", "text"), PACK_OR_NOT),
        ("arrow", ""),
        ("parquet", ""),
    ],
)
@settings(max_examples=40)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes(scratch, reader, packed, content):
    path = scratch / f"any{SUFFIXES[reader]}{packed}"
    path.write_bytes(content)
    read_any_cut(path, reader)
    path.write_bytes(PACK_OR_NOT[packed](content))
    read_any_cut(path, reader)


@pytest.mark.parametrize("kind", FILES)
@given(edits=EDITS, kept=st.integers(0, 300))
@example(edits=[(616744, b"\x80")], kept=0)  # arrow-zstd: a column's name is no UTF-8
def test_damaged_files(scratch, kind, edits, kept):
    reader = kind.partition("-")[0]
    path = scratch / f"damaged-{kind}{SUFFIXES[reader]}"
    content = damage(FILES[kind], edits, kept)
    path.write_bytes(content)
    items = read_any_cut(path, reader)
    if kind in ("jsonl", "csv"):
        sound = next(
            (
                at
                for at, pair in enumerate(zip(content, FILES[kind], strict=False))
                if len(set(pair)) > 1
            ),
            len(content),
        )
        before = [text for text in TEXTS if FILES[kind].index(text.encode()) + 40 < sound]
        assert [item.text for item in items[: len(before)]] == before


@pytest.mark.parametrize("packed", [suffix for suffix in PACK_OR_NOT if suffix])
@given(edits=EDITS, kept=st.integers(0, 60))
def test_damaged_compression(scratch, packed, edits, kept):
    path = scratch / f"damaged.jsonl{packed}"
    path.write_bytes(damage(PACK_OR_NOT[packed](FILES["jsonl"]), edits, kept))
    read_any_cut(path, "jsonl")
    path.rename(path.with_name(f"damaged.csv{packed}"))
    read(path.with_name(f"damaged.csv{packed}"), "csv", 1)
