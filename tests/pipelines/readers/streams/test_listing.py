"""Remote folders and globs name all their files, or fail."""

import pytest

from benchmarks.robustness.faulty_server import serving
from pipelines.work.units import plan
from weighting.errors import AssayError

LINE = b'{"text": "a line"}\n'
FILES = dict.fromkeys(("/c/a.jsonl", "/c/b.jsonl.gz", "/c/d/e.jsonl"), LINE)


@pytest.fixture
def server():
    with serving(FILES) as started:
        yield started


def names(server, spec):
    units = plan([f"{server.url}/c/{spec}"]).units
    return [part.name for unit in units for part in unit.slices]


def test_a_web_folder_is_searched(server):
    assert names(server, "*.jsonl") == ["a.jsonl"]
    assert names(server, "**/*.jsonl") == ["a.jsonl", "d/e.jsonl"]
    assert names(server, "") == ["a.jsonl", "b.jsonl.gz", "d/e.jsonl"]
    with pytest.raises(AssayError, match="no such file or folder"):
        names(server, "none/")


def test_a_folder_that_cannot_be_listed_is_not_left_out(server, monkeypatch):
    async def list_links(self, url, detail=True, **options):
        url = url.rstrip("/")
        if url.endswith("/d"):
            raise TimeoutError("no answer")
        kinds = {"a.jsonl": "file", "d/": "directory"}
        return [{"name": f"{url}/{name}", "size": None, "type": kinds[name]} for name in kinds]

    kind = "fsspec.implementations.http.HTTPFileSystem._ls_real"
    monkeypatch.setattr(kind, list_links)
    with pytest.raises(AssayError, match=r"cannot be opened \(FSTimeoutError\)"):
        plan([f"{server.url}/c/"])
