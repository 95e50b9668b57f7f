"""Where compiled kernels are kept: in the user's cache, else where nobody else can write."""

import stat
from pathlib import Path

import pytest

from pipelines.words import compiled


@pytest.fixture
def private(tmp_path, monkeypatch):
    """Where temporary folders are made."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_kernels_are_kept_in_the_users_cache(tmp_path, monkeypatch, private):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = compiled._make_cache()
    assert folder.parent == tmp_path / "cache" / "assay"
    assert folder == compiled._make_cache()
    assert folder.is_dir()
    assert list(private.iterdir()) == []


def _refuse():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize("fault", ["a file", "read-only", "homeless"])
def test_without_a_cache_there_is_a_private_one(tmp_path, monkeypatch, private, fault):
    monkeypatch.setenv("XDG_CACHE_HOME", "" if fault == "homeless" else str(tmp_path / "cache"))
    if fault == "a file":
        (tmp_path / "cache").touch()
    elif fault == "read-only":
        monkeypatch.setattr("os.access", lambda *_: False)
    else:
        monkeypatch.setattr(Path, "home", _refuse)
    folder = compiled._make_cache()
    assert folder.parent == private
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder != compiled._make_cache()


def test_a_named_cache_is_used_only_where_it_can_be_written(tmp_path):
    assert compiled._is_usable(str(tmp_path / "new" / "folder"))
    (tmp_path / "file").touch()
    assert not compiled._is_usable(str(tmp_path / "file" / "folder"))
    assert not compiled._is_usable("\0")
