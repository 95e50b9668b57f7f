"""Which files of a folder are shards, of which format and split, and whether they are whole."""

from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from weighting.contracts.shard_files import list_shards, open_batches, tell_split
from weighting.errors import AssayError, BrokenContract

TABLE = pa.table({"input_ids": [[1, 2], [3]], "other": ["a", "b"]})


def write_file(path):
    with pa.ipc.new_file(path, TABLE.schema) as writer:
        writer.write_table(TABLE)


def write_stream(path):
    with pa.ipc.new_stream(path, TABLE.schema) as writer:
        writer.write_table(TABLE)


WRITERS = {
    "file": write_file,
    "stream": write_stream,
    "feather": lambda path: pyarrow.feather.write_feather(TABLE, path, compression="zstd"),
    "lz4": lambda path: pyarrow.feather.write_feather(TABLE, path, compression="lz4"),
    "parquet": lambda path: pq.write_table(TABLE, path),
}


def read(path):
    opened = open_batches(path, ["input_ids"])
    return [row for batch in opened.batches for row in batch["input_ids"].to_pylist()]


@pytest.mark.parametrize("writer", WRITERS)
def test_the_format_is_told_by_the_first_bytes(tmp_path, writer):
    path = tmp_path / "train.arrow"
    WRITERS[writer](path)
    assert read(path) == [[1, 2], [3]]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("cut", [1, 8, 100])
def test_a_file_that_was_cut_off_is_refused(tmp_path, writer, cut):
    path = tmp_path / "train.arrow"
    WRITERS[writer](path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BrokenContract, match=r"train\.arrow: not a whole") as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"FEA1....", "Feather of version 1; write version 2"),
        (b"version https://git-lfs", "begins with 'version '"),
    ],
)
def test_what_is_no_table_is_told_by_how_it_begins(tmp_path, content, message):
    path = tmp_path / "train.arrow"
    path.write_bytes(content)
    with pytest.raises(BrokenContract, match=message):
        read(path)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-000001.arrow", "train"),
        ("validation.parquet", "validation"),
        ("train_2.feather", "train"),
        ("validation/data-00000-of-00001.arrow", "validation"),
        ("train/validation-0.arrow", "validation"),
        ("training.arrow", None),
        ("train-runs/part.arrow", None),
        ("part-0.parquet", None),
    ],
)
def test_the_split_is_told_by_the_name(name, split):
    assert tell_split(Path("/data") / name) == split


def test_a_folder_is_listed_with_those_of_its_splits(tmp_path):
    names = ["train/b.arrow", "train-0.arrow", "validation-0.arrow"]
    for name in [*names, ".train.arrow", "_x.arrow", "notes.txt", "test/c.arrow"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [path.relative_to(tmp_path).as_posix() for path in list_shards(tmp_path)]
    assert found == names


def test_two_suffixes_may_be_the_same_twice(tmp_path):
    for name in ("train.arrow", "train.parquet"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(AssayError, match=r"holds \.arrow and \.parquet files"):
        list_shards(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "train.arrow").write_bytes(b"")
    with pytest.raises(AssayError, match="name the folder"):
        list_shards(tmp_path / "train.arrow")
