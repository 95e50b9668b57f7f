"""Pointers to files that are elsewhere, and files that may not be read, are refused."""

import errno
import os
from pathlib import Path

import fsspec
import pytest

from pipelines.readers.inputs import expand
from pipelines.readers.read import list_slices
from pipelines.readers.streams.placeholders import find_fault
from weighting.errors import AssayError

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 146946961\n"
ANNEX = "/annex/objects/MD5E-s5--abc.jsonl\n"


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl.gz", "a.txt", "a.arrow", "a.html"])
def test_pointers_of_git_lfs_are_refused_under_every_suffix(tmp_path, name):
    (tmp_path / name).write_text(LFS)
    (tmp_path / "good.txt").write_text("text")
    with pytest.raises(AssayError, match=rf"{name} is a Git LFS pointer, .*: git lfs pull$"):
        expand([str(tmp_path)])


def test_the_first_is_named_and_all_are_counted(tmp_path):
    for name in ("b.txt", "a.jsonl", "c.txt"):
        (tmp_path / name).write_text(LFS)
    with pytest.raises(AssayError, match=r"a\.jsonl is .*\(the first of 3 such files\)"):
        expand([str(tmp_path)])


def test_pointers_of_git_annex(tmp_path):
    (tmp_path / "a.jsonl").write_text(ANNEX)
    assert "git annex get" in find_fault(str(tmp_path / "a.jsonl"))
    link = tmp_path / "b.jsonl"
    link.symlink_to(".git/annex/objects/Mj/x/MD5E-s5--abc/MD5E-s5--abc")
    assert "git annex get" in find_fault(str(link))


@pytest.mark.parametrize("content", [LFS + "x" * 2000, "Of " + LFS, ANNEX + "more text", "", "{}"])
def test_texts_about_pointers_are_texts(tmp_path, content):
    (tmp_path / "a.txt").write_text(content)
    assert find_fault(str(tmp_path / "a.txt")) == ""


def test_remote_pointers_are_refused_when_they_are_planned():
    fsspec.filesystem("memory").pipe("/pointers/a.txt", LFS.encode())
    with pytest.raises(AssayError, match="a Git LFS pointer"):
        list_slices(["memory://pointers"], 100)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EPERM])
def test_files_that_cannot_be_read_are_refused(tmp_path, monkeypatch, number):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("text")
    opened = Path.open

    def refusing(path, *args, **options):
        if path.name in ("b.txt", "c.txt"):
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", refusing)
    reason = os.strerror(number)
    with pytest.raises(AssayError, match=rf"b\.txt cannot be read \({reason}\).*first of 2"):
        expand([str(tmp_path)])


def test_links_that_lead_nowhere_pass(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "nowhere")
    assert [item.name for item in expand([str(tmp_path)]).found] == ["a.txt"]
