"""URLs that were taken for paths are told from paths."""

from pathlib import Path

import pytest

from weighting.storage.urls import find_url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("s3://bucket/run", "s3://bucket/run"),
        ("https://host/a.txt", "https://host/a.txt"),
        ("/home/me/gs:/bucket/run", "gs://bucket/run"),
        ("runs/mine", None),
        ("/a/b:c/d", None),
        ("c:/a", None),  # a letter is a drive
    ],
)
def test_a_url_is_found_in_what_path_made_of_it(given, url):
    assert find_url(Path(given)) == url


def test_a_path_that_is_there_is_none(tmp_path):
    (tmp_path / "s3:" / "b").mkdir(parents=True)
    assert find_url(tmp_path / "s3:" / "b") is None
