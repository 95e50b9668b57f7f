"""What names an input: a path of this machine, a URL, or a reader's scheme.

Folders, links and errors are tested through `plan`, in tests/pipelines/work/test_units.py.
"""

import gzip
from zipfile import ZipFile

import pytest

from benchmarks.robustness.faulty_server import serving
from pipelines.readers.inputs import Input, expand, is_local
from pipelines.readers.read import read_records
from weighting.errors import AssayError


@pytest.mark.parametrize(
    ("spec", "local"),
    [
        ("a/b.jsonl", True),
        ("a/*.jsonl", True),
        ("python-docs.txt", True),
        ("hf", True),
        ("python-docs:3", False),
        ("hf:org/name", False),
        ("hf-stream:org/name", False),
        ("s3://bucket/a.jsonl", False),
    ],
)
def test_paths_and_globs_are_local(spec, local):
    assert is_local(spec) == local


def test_a_scheme_locates_its_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    found = expand(["hf:data@train", "hf-stream:org/name", "python-docs:2"]).found
    assert found == [
        Input(f"hf:{tmp_path}/data@train", "data@train", "huggingface"),
        Input("hf-stream:org/name", "hf-stream:org/name", "huggingface-stream"),
        Input("python-docs:2", "python-docs:2", "python-docs"),
    ]


@pytest.mark.parametrize("name", ["python-docs", "hf:x.jsonl", "python-docs:3"])
def test_a_name_that_means_two_things_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.txt").write_text("text")
    with pytest.raises(AssayError, match=rf"{name} is a file or folder here .*; \./{name} names"):
        expand([name])
    assert [item.name for item in expand([f"./{name}"]).found] == ["a.txt"]


def test_files_in_archives_are_named_below_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for archive in ("x.zip", "y.zip"):
        with ZipFile(archive, "w") as file:
            file.writestr("part/a.jsonl", f'{{"text": "{archive}"}}')
            file.writestr("part/b.jsonl", '{"text": "b"}')
    assert [item.name for item in expand(["zip://part/*.jsonl::x.zip"]).found] == [
        "a.jsonl",
        "b.jsonl",
    ]
    both = expand(["zip://part/a.jsonl::x.zip", "zip://part/a.jsonl::y.zip"]).found
    assert [item.name for item in both] == ["x.zip/part/a.jsonl", "y.zip/part/a.jsonl"]
    texts = [found.record.text for found in read_records(["zip://**/a.jsonl::y.zip"])]
    assert texts == ["y.zip"]


def test_urls_with_a_query_are_files_and_their_names_have_none():
    page = "/a.jsonl.gz?X-Signature=a%2Fb&size=[1]*.txt"
    with serving({page: gzip.compress(b'{"text": "x"}\n')}) as server:
        [found] = read_records([f"{server.url}{page}#part"])
    assert found.name == "a.jsonl.gz"
    assert found.record.text == "x"
    assert found.record.source == "a"
    assert "Signature" not in found.record.metadata


def test_only_readers_of_files_can_be_forced(tmp_path):
    with pytest.raises(AssayError, match=r"python-docs: no reader of files.*valid: jsonl, text"):
        expand([str(tmp_path)], "python-docs")
