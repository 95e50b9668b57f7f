"""Readers are found by suffix, scheme and folder; their records say what they read."""

import pytest

from pipelines.readers.reader import Reader
from pipelines.readers.registry import (
    READERS,
    find_by_folder,
    find_by_scheme,
    find_by_suffix,
    known_suffixes,
)


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("a/b.jsonl", "jsonl"),
        ("A.MD.GZ", "text"),
        ("a.htm", "html"),
        ("a.warc.gz", "warc"),
        ("a.tsv.zst", "csv"),
        ("a.feather", "arrow"),
        ("a.parquet", "parquet"),
        ("a.png", None),
        ("jsonl", None),
    ],
)
def test_a_file_is_read_by_its_suffix(path, reader):
    assert find_by_suffix(path) == reader


@pytest.mark.parametrize(
    ("spec", "reader"),
    [
        ("hf:org/name", "huggingface"),
        ("hf-stream:org/name:part@train", "huggingface-stream"),
        ("python-docs", "python-docs"),
        ("python-docs:50", "python-docs"),
        ("python-docs.txt", None),
        ("hf", None),  # a file or folder of that name
        ("s3://bucket/hf:x", None),
        ("folder/a.jsonl", None),
    ],
)
def test_an_input_is_named_by_a_scheme(spec, reader):
    assert find_by_scheme(spec) == reader


def test_a_folder_is_one_input_where_a_reader_owns_it(tmp_path):
    assert find_by_folder(str(tmp_path)) is None
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / name).write_text("{}")
    assert find_by_folder(str(tmp_path)) == "huggingface"


def test_every_record_is_whole():
    for name, reader in READERS.items():
        assert isinstance(reader, Reader)
        assert reader.meaning
        assert reader.locator
        assert reader.suffixes or reader.scheme, name
        assert bool(reader.scheme) == bool(reader.usage), name
        assert all(suffix.startswith(".") for suffix in reader.suffixes)


def test_suffixes_are_listed_once():
    listed = known_suffixes()
    assert listed.startswith(".jsonl, .ndjson, .json, .txt")
    assert "each also with .gz" in listed
    assert listed.count(".arrow,") == 1
