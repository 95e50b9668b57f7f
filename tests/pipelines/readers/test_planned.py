"""What was planned is read whole or fails the run; what could not be read then is not read now."""

import errno
import gzip
import os
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from pipelines.readers.reader import Reader
from pipelines.readers.records import ReadOptions, Record, Reject, RejectKind, Slice
from pipelines.readers.registry import READERS
from pipelines.readers.streams.open_stream import InputFile
from pipelines.work.units import bind, fingerprint, plan
from weighting.errors import AssayError

LINES = b"".join(b'{"text": "line %d"}\n' % number for number in range(2000))
CANNOT = (
    r"could be read when the run was planned and cannot be now \(.*\); what is finished is kept"
)


def planned(*paths, target_bytes=2**22):
    units = plan([str(path) for path in paths], target_bytes).units
    return [part for unit in bind(units, fingerprint(units)) for part in unit.slices]


def read(parts):
    return [item for part in parts for item in READERS[part.reader].read(part, ReadOptions())]


def write_all(folder):
    (folder / "a.jsonl").write_bytes(LINES)
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(LINES))
    table = pa.table({"text": [f"row {number}" for number in range(2000)]})
    pq.write_table(table, folder / "c.parquet", row_group_size=500)
    pa.feather.write_feather(table, folder / "d.feather", chunksize=500)
    (folder / "e.csv").write_bytes(b"text\n" + b"".join(b"line %d\n" % n for n in range(2000)))
    (folder / "f.txt").write_bytes(LINES)


NAMES = ("a.jsonl", "b.jsonl.gz", "c.parquet", "d.feather", "e.csv", "f.txt")


def fail_reads(monkeypatch, chosen, number=errno.EIO):
    """Fail the reads of files whose number `chosen` picks."""
    numbers, preadv = count(), os.preadv

    def failing(handle, buffers, offset):
        if chosen(next(numbers)):
            raise OSError(number, os.strerror(number))
        return preadv(handle, buffers, offset)

    monkeypatch.setattr(os, "preadv", failing)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_disk_that_fails_for_a_moment_costs_nothing(tmp_path, monkeypatch, name, number):
    write_all(tmp_path)
    parts = planned(tmp_path / name, target_bytes=2**14)
    whole = read(parts)
    for at in range(4):
        with monkeypatch.context() as patch:
            fail_reads(patch, lambda n, at=at: n == at, number)
            assert read(parts) == whole


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_goes_on_failing_fails_the_run(tmp_path, monkeypatch, name):
    write_all(tmp_path)
    parts = planned(tmp_path / name)
    fail_reads(monkeypatch, lambda n: n >= 1)
    with pytest.raises(AssayError, match=rf"{name} {CANNOT}") as caught:
        read(parts)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_gone_after_planning_fails_the_run(tmp_path):
    write_all(tmp_path)
    parts = planned(tmp_path)
    (tmp_path / "c.parquet").unlink()
    with pytest.raises(AssayError, match=rf"c\.parquet {CANNOT}"):
        read(parts)


@pytest.mark.parametrize("change", [lambda x: x + b"{}\n", lambda x: x[:-9]])
def test_a_file_of_another_size_than_planned_is_refused(tmp_path, change):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    parts = planned(path)
    path.write_bytes(change(LINES))
    with pytest.raises(AssayError, match="not what it was when the run was planned"):
        read(parts)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    [part] = planned(path)
    items = READERS["jsonl"].read(part, ReadOptions())
    next(items)
    with path.open("ab") as file:
        file.write(LINES)
    with pytest.raises(AssayError, match="not what it was when the run was planned"):
        list(items)


def test_damage_in_a_file_that_is_as_planned_stays_a_reject(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINES)[:-600])
    *records, reject = read(planned(tmp_path))
    assert all(isinstance(item, Record) for item in records)
    assert isinstance(reject, Reject)
    assert reject.error == RejectKind.TRUNCATED


def test_an_error_of_a_decoder_is_a_reject_and_one_of_the_system_is_not(tmp_path):
    piece = Slice(__file__, "name", "mine", 3, 9, 6)
    size = Path(__file__).stat().st_size
    errors = [OSError("bad data")]

    def scan(piece, options):
        yield Record("one", "text", "s", "{}")
        raise errors[0]

    reader = Reader(meaning="m", locator="l", cut=lambda *_: [piece], scan=scan)
    bound = piece._replace(stored=size, hash="abc")
    for part in (piece, bound):
        items = list(reader.read(part, ReadOptions()))
        assert items[1:] == [Reject("slice 3:9", RejectKind.UNREADABLE, "bad data", b"")]
    errors[0] = OSError(errno.ESTALE, "stale")
    with pytest.raises(AssayError, match="cannot be now"):
        list(reader.read(bound, ReadOptions()))
    [_, reject] = reader.read(piece, ReadOptions())
    assert isinstance(reject, Reject)
    assert reject.error == RejectKind.UNREADABLE


def test_what_could_not_be_read_when_planned_is_not_read_later(tmp_path):
    path = tmp_path / "gone.jsonl"
    path.symlink_to(tmp_path / "elsewhere")
    parts = planned(path)
    [reject] = read(parts)
    assert isinstance(reject, Reject)
    assert reject.error == RejectKind.UNREADABLE
    assert reject.message == f"[Errno 2] No such file or directory: '{path}'"
    (tmp_path / "elsewhere").write_bytes(LINES)
    [reject] = read(parts)
    assert reject.message == "could not be read when the run was planned; assay replay reads it now"


def test_a_disk_that_fails_while_planning_is_asked_again(tmp_path, monkeypatch):
    write_all(tmp_path)
    whole = planned(tmp_path)
    for at in (0, 3):
        with monkeypatch.context() as patch:
            fail_reads(patch, lambda n, at=at: n == at)
            again = planned(tmp_path)
        assert [part.hash for part in again] == [part.hash for part in whole]
    fail_reads(monkeypatch, lambda n: True)
    with pytest.raises(AssayError, match=r"a\.jsonl cannot be read \(Input/output err.* 6 such"):
        planned(tmp_path)


def test_a_disk_that_fails_behind_the_first_bytes_fails_planning(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES)
    units = plan([str(path)]).units
    fail_reads(monkeypatch, lambda n: True)
    with pytest.raises(AssayError, match=r"a\.jsonl: cannot be read \(.*Input/output error"):
        fingerprint(units)


def test_a_reader_with_a_digest_of_its_own_is_asked_for_it(tmp_path):
    hashes = iter(["one", "two"])
    piece = Slice("x:1", "x", "mine", 0, -1, 6, 0, "one")
    reader = Reader(
        meaning="m",
        locator="l",
        cut=lambda *_: [piece],
        scan=lambda *_: iter([Record("one", "text", "s", "{}")]),
        digest=lambda path: (0, next(hashes)),
    )
    assert len(list(reader.read(piece, ReadOptions()))) == 1
    with pytest.raises(AssayError, match="not what it was when the run was planned"):
        list(reader.read(piece._replace(path="x:2"), ReadOptions()))


def test_an_input_file_is_like_any_other(tmp_path):
    (tmp_path / "a").write_bytes(LINES)
    with InputFile((tmp_path / "a").open("rb", buffering=0)) as file:
        assert file.readable()
        assert file.seekable()
        assert file.read(4) == LINES[:4]
        assert file.tell() == 4
        assert file.readall() == LINES[4:]
