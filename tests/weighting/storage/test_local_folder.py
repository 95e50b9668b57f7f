"""Folders that commands are given: absolute, and on a disk."""

from pathlib import Path

import pytest

from weighting.errors import AssayError
from weighting.storage.local_folder import read_folder


def test_a_folder_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_folder("runs/a") == tmp_path / "runs" / "a"
    assert read_folder(Path("/x/../y")) == Path("/x/../y")
    assert read_folder("a:b") == tmp_path / "a:b"
    assert read_folder("./s3:/a") == tmp_path / "s3:" / "a"


@pytest.mark.parametrize(
    "name", ["s3://b/r", "gs://b", "file:///x", "HTTP://a", "s3:/b/r", "hf://x"]
)
def test_a_url_is_refused(name):
    with pytest.raises(AssayError, match="must be on a disk that this machine mounts"):
        read_folder(name)


@pytest.mark.parametrize("name", ["", "  "])
def test_so_is_no_name(name):
    with pytest.raises(AssayError, match="empty"):
        read_folder(name)
