"""Files that are whole or absent, also where the disk refuses."""

import errno
import os
import resource
import subprocess
import sys

import pytest

from weighting.errors import AssayError
from weighting.storage.failures import CannotWrite, OutOfMemory, explain
from weighting.storage.files import remove_temporaries, replacing, write_json, write_text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_what_the_disk_refuses_names_the_file_and_leaves_the_old_one(monkeypatch, tmp_path, number):
    path = tmp_path / "a.json"
    write_json(path, 1)

    def refuse(handle):
        raise OSError(number, "worded by a library, without a name")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CannotWrite, match=rf"a\.json: cannot be written \({os.strerror(number)}\)"):
        write_json(path, 2)
    assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]


LIMITED = """
import resource, sys
from pathlib import Path
import pyarrow as pa
import pyarrow.parquet as pq
from weighting.storage.failures import CannotWrite
from weighting.storage.files import replacing
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
table = pa.table({"n": pa.array(range(100_000))})
def arrow(path):
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
for name, write in {"arrow": arrow, "parquet": lambda path: pq.write_table(table, path)}.items():
    try:
        with replacing(Path(sys.argv[1], name)) as path:
            write(path)
    except CannotWrite as error:
        print(error)
"""


def test_writers_of_libraries_that_meet_a_limit_leave_nothing(tmp_path):
    """RLIMIT_FSIZE fails a write half-way, as a full disk does; Python ignores its signal."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        str(tmp_path / name) for name in ("arrow", "parquet")
    ]
    assert all("(File too large); make room" in line for line in told)
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10_000


def test_an_error_of_reading_is_not_told_as_one_of_writing(tmp_path):
    denied = PermissionError(errno.EACCES, "Permission denied", "/elsewhere/words.txt")
    with pytest.raises(PermissionError) as caught, replacing(tmp_path / "a"):
        raise denied
    assert caught.value is denied
    assert "/elsewhere/words.txt: cannot be written" in str(explain(denied))


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    write_text(tmp_path / "documents" / "kept", "whole")
    (tmp_path / "documents" / ".kept.123.tmp").write_text("half")
    (tmp_path / "notes.tmp").write_text("not ours")
    remove_temporaries(tmp_path)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == ["kept", "notes.tmp"]


def test_only_what_is_known_is_explained():
    assert explain(ValueError("a defect")) is None
    assert explain(OSError(errno.EIO, "broken")) is None
    known = AssayError("as it is")
    assert explain(known) is known
    told = explain(MemoryError("Unable to allocate 9 PiB"))
    assert isinstance(told, OutOfMemory)
    assert "(Unable to allocate 9 PiB)" in str(told)
    assert {told.exit_code, CannotWrite.exit_code} == {2}
