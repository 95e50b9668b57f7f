"""Remote inputs: what a network does to them is tried again, told in one line, and never read."""

import gzip
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from benchmarks.robustness.faulty_server import serving
from pipelines.readers.records import ReadOptions, Record
from pipelines.readers.registry import READERS
from pipelines.readers.streams import remote
from pipelines.readers.streams.open_stream import digest, open_input
from pipelines.readers.streams.remote import COPIES, download
from pipelines.readers.streams.retries import ChangedInput
from pipelines.work.units import bind, fingerprint, plan
from weighting.errors import AssayError

LINES = b"".join(b'{"text": "line %d of some text"}\n' % number for number in range(200))
FEW = b"".join(LINES.splitlines(keepends=True)[:40])
FILES = {
    "/c/a.jsonl": LINES,
    "/c/b.jsonl.gz": gzip.compress(LINES),
    "/c/d/e.jsonl": FEW,
}
PASSING = ("503", "stall", "cut", "lie", "drop")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(remote, "READ_SECONDS", 0.3)
    with serving(FILES) as started:
        yield started


def first(times, fault, name="a.jsonl"):
    """Return what fails the first so many requests of a file."""
    return lambda path, before: fault if path.endswith(name) and before < times else None


def planned(server, *names):
    units = plan([f"{server.url}/c/{name}" for name in names]).units
    return bind(units, fingerprint(units))


def texts(units):
    parts = [part for unit in units for part in unit.slices]
    items = [item for p in parts for item in READERS[p.reader].read(p, ReadOptions())]
    records = [item for item in items if isinstance(item, Record)]
    assert records == items
    return [record.text for record in records]


def test_planning_and_reading_get_a_file_once_each(server):
    names = ("a.jsonl", "b.jsonl.gz", "d/e.jsonl")
    units = planned(server, *names)
    assert set(server.requests.values()) == {1}
    assert set(server.heads.values()) == {1}
    assert len(texts(units)) == 440
    assert set(server.requests.values()) == {1}  # the same process has copies
    COPIES.forget()
    texts(units)
    assert set(server.requests.values()) == {2}
    assert set(server.heads.values()) == {1}


@pytest.mark.parametrize("fault", [*PASSING, "other"])
@pytest.mark.parametrize("name", ["a.jsonl", "b.jsonl.gz"])
def test_what_fails_for_a_moment_is_tried_again(server, fault, name):
    """Another body when planning cannot be told from the true one."""
    server.start_over(first(0 if fault == "other" else 3, fault, name))
    units = planned(server, name)
    COPIES.forget()
    server.start_over(first(3, fault, name))
    assert len(texts(units)) == 200
    assert server.hits[fault] == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("503", "503"),
        ("404", "http://"),
        ("403", "403"),
        ("stall", "Timeout"),
        ("cut", "not completed"),
        ("lie", "bytes came of"),
        ("drop", "disconnected"),
    ],
)
def test_what_fails_to_the_end_fails_planning_in_one_line(server, fault, reason):
    server.start_over(first(99, fault))
    with pytest.raises(AssayError, match=rf"/a\.jsonl: cannot be read \(.*{reason}") as caught:
        planned(server, "a.jsonl")
    assert "\n" not in str(caught.value)
    hits = server.hits[fault]
    assert hits in ((1,) if fault in ("404", "403") else (4, 8))  # aiohttp takes up dropped ones


@pytest.mark.parametrize("fault", [*PASSING, "404", "403"])
def test_what_is_lost_after_planning_fails_the_run(server, fault):
    units = planned(server, "a.jsonl", "b.jsonl.gz")
    COPIES.forget()
    server.start_over(first(99, fault))
    message = "a.jsonl (could be read when the run was planned and cannot|is not what it was)"
    with pytest.raises(AssayError, match=message) as caught:
        texts(units)
    assert "\n" not in str(caught.value)
    server.start_over(first(0, fault))
    assert len(texts(units)) == 400


def test_another_body_than_planned_is_refused(server):
    units = planned(server, "a.jsonl")
    COPIES.forget()
    server.start_over(first(99, "other"))
    with pytest.raises(AssayError, match=r"is not what it was .* begin anew with --overwrite"):
        texts(units)
    assert server.hits["other"] == 4


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/a.jsonl", r"cannot be read \(Cannot connect"),
        ("http://127.0.0.1:1/a/", r"cannot be opened \(Cannot connect"),
        ("http://127.0.0.1:1/*.jsonl", r"cannot be opened \(Cannot connect"),
    ],
)
def test_a_dead_endpoint_is_one_line(url, reason):
    with pytest.raises(AssayError, match=reason) as caught:
        plan([url])
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    def refuse(url, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(remote, "url_to_fs", refuse)
    with pytest.raises(AssayError, match=r"Install s3fs to access S3; pip install 'assay\[s3\]'"):
        plan(["s3://bucket/a.jsonl"])


def test_what_is_packed_for_the_way_only_is_unpacked():
    """Servers send a .gz file with and without `Content-Encoding: gzip`."""
    packed = gzip.compress(LINES)
    with serving({"/c/a.jsonl.gz": packed, "/c/b.jsonl": packed}) as server:
        server.headers = {"content-encoding": "gzip"}
        assert len(texts(planned(server, "a.jsonl.gz"))) == 200
        assert len(texts(planned(server, "b.jsonl"))) == 200


def test_copies_have_no_name_and_are_dropped_beyond_a_bound(server, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(remote, "KEPT", len(LINES))
    for name in ("a.jsonl", "b.jsonl.gz", "d/e.jsonl", "a.jsonl"):
        digest(f"{server.url}/c/{name}")
        with open_input(f"{server.url}/c/{name}") as file:
            assert file.read() == FILES[f"/c/{name}"]
        assert not list(tmp_path.iterdir())
    assert server.requests == {"/c/a.jsonl": 2, "/c/b.jsonl.gz": 1, "/c/d/e.jsonl": 1}


def test_readers_of_one_copy_do_not_move_each_other(server):
    url = f"{server.url}/c/a.jsonl"
    with open_input(url) as one, open_input(url) as other:
        COPIES.forget()
        assert one.read(10) == other.read(10) == LINES[:10]
        assert one.seek(-5, os.SEEK_END) == len(LINES) - 5
        assert one.read() == LINES[-5:]
        assert other.read(3) == LINES[10:13]
        with pytest.raises(ValueError, match="no place"):
            one.seek(-1)


def test_no_room_is_one_line(server, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(AssayError, match=r"bytes do not fit into .*TMPDIR"):
        plan([f"{server.url}/c/a.jsonl"])
    assert not list(Path(tmp_path).iterdir())


def test_a_hash_is_asked_for_and_compared(server):
    url = f"{server.url}/c/a.jsonl"
    whole = download(url)
    assert (whole.size, whole.hash) == digest(url)
    download(url, whole.hash).file.close()
    with pytest.raises(ChangedInput):
        download(url, "0" * 16)
    whole.file.close()
