"""What names an input: a path of this machine, a URL, or a reader's scheme.

Folders, links and errors are tested through `plan`, in tests/pipelines/work/test_units.py.
"""

import pytest

from pipelines.readers.inputs import Input, expand, is_local
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


def test_only_readers_of_files_can_be_forced(tmp_path):
    with pytest.raises(AssayError, match=r"python-docs: no reader of files.*valid: jsonl, text"):
        expand([str(tmp_path)], "python-docs")
