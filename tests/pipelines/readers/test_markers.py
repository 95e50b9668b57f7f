"""What lies beside the data in folders, and is neither read nor named as ignored."""

import pytest

from pipelines.readers.inputs import expand
from pipelines.readers.markers import is_hidden, is_marker, is_private

MARKERS = [
    *("_SUCCESS", "_metadata", "_common_metadata", "_metadata.parquet", "_committed_123"),
    *("part-0.parquet.crc", ".part-0.jsonl.crc", ".hidden.jsonl", "dataset_infos.json"),
]
DATA = ["part-0.jsonl", "_n=1.jsonl", "metadata.jsonl", "state.json", "a_SUCCESS.txt"]


@pytest.mark.parametrize("name", MARKERS)
def test_markers(name):
    assert is_marker(name) or is_hidden(name) or is_private(name)


@pytest.mark.parametrize("name", DATA)
def test_data(name):
    assert not any(test(name) for test in (is_marker, is_hidden, is_private))


def fill(folder):
    folder.mkdir()
    for name in (*MARKERS, *DATA, "other.xyz"):
        (folder / name).write_text("{}")


@pytest.mark.parametrize("end", ["", "/*", "/**/*"])
def test_folders_and_globs_leave_them_out(tmp_path, end):
    fill(tmp_path / "data")
    for name in ("_delta_log", "_temporary", "__MACOSX"):
        fill(tmp_path / "data" / name)
    found, ignored, _ = expand([f"{tmp_path}/data{end}"])
    assert sorted(item.name for item in found) == sorted(DATA)
    assert ignored == [f"{tmp_path}/data/other.xyz"]


def test_a_reader_that_is_named_does_not_read_them(tmp_path):
    fill(tmp_path / "data")
    found, ignored, _ = expand([str(tmp_path / "data")], "jsonl")
    assert [item.name for item in found] == sorted([*DATA, "other.xyz"])
    assert ignored == []


def test_one_that_is_named_is_read(tmp_path):
    fill(tmp_path / "data")
    found, _, _ = expand([str(tmp_path / "data" / "_metadata.parquet")])
    assert [item.name for item in found] == ["_metadata.parquet"]
