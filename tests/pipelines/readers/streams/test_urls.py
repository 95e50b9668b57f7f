"""URLs with queries and chains: the suffix is the path's, and names hold no secrets."""

import pytest

from pipelines.readers.partitions import read_partitions
from pipelines.readers.registry import find_by_suffix
from pipelines.readers.streams.compression import compression_of
from pipelines.readers.streams.urls import file_path, is_gone, name_path, tidy
from weighting.errors import AssayError

SIGNED = "https://h/d/lang=en/a.jsonl.gz?X-Signature=b/c&size=2.zst"
IN_ZIP = "zip://part/a.jsonl::file:///d/x.zip"


@pytest.mark.parametrize(
    ("url", "path", "name"),
    [
        (SIGNED, "https://h/d/lang=en/a.jsonl.gz", "https://h/d/lang=en/a.jsonl.gz"),
        (IN_ZIP, "zip://part/a.jsonl", "file:///d/x.zip/part/a.jsonl"),
        (
            "tar:///a.txt::https://h/x.tar?token=1",
            "tar:///a.txt",
            "https://h/x.tar/a.txt",
        ),
        ("zip://a.txt::zip://b.zip::s3://b/c.zip", "zip://a.txt", "s3://b/c.zip/b.zip/a.txt"),
        ("s3://bucket/what?.txt", "s3://bucket/what?.txt", "s3://bucket/what?.txt"),
        ("d/y::z?.jsonl", "d/y::z?.jsonl", "d/y::z?.jsonl"),
    ],
)
def test_suffix_and_name(url, path, name):
    assert (file_path(url), name_path(url)) == (path, name)


def test_what_looks_at_paths_looks_at_the_files():
    assert find_by_suffix(SIGNED) == find_by_suffix(IN_ZIP) == "jsonl"
    assert (compression_of(SIGNED), compression_of(IN_ZIP)) == (".gz", "")
    assert read_partitions(SIGNED) == {"lang": "en"}
    assert read_partitions("zip://lang=en/a.jsonl::file:///d/x.zip") == {"lang": "en"}


@pytest.mark.parametrize(
    ("url", "tidied"),
    [
        ("http://h/a.jsonl#part", "http://h/a.jsonl"),
        ("http://[::1]:80/a.jsonl", "http://[::1]:80/a.jsonl"),
        ("simplecache::s3://b/a.jsonl", "s3://b/a.jsonl"),
        ("filecache::zip://a.txt::s3://b/c.zip", "zip://a.txt::s3://b/c.zip"),
        ("y::z.jsonl", "y::z.jsonl"),
        ("s3://b/a.jsonl", "s3://b/a.jsonl"),
    ],
)
def test_tidied(url, tidied):
    assert tidy(url) == tidied


def test_a_local_archive_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tidy("zip://*.txt::x.zip") == f"zip://*.txt::file://{tmp_path}/x.zip"


@pytest.mark.parametrize(
    "url", ["zip://a.jsonl", "zip://a.jsonl::", "github://a::s3://b", "a::s3://b"]
)
def test_other_chains_are_refused(url):
    with pytest.raises(AssayError, match=r"name the (archive|file)"):
        tidy(url)


def test_links_that_lead_nowhere_are_gone(tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "b").symlink_to(tmp_path / "c")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert not is_gone(str(tmp_path / "a"))
    assert is_gone(str(tmp_path / "b"))
    assert is_gone(str(tmp_path / "nothing"))
