"""The lock of a folder: one holder, named; what a dead one left is taken over or asked about."""

import errno
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from weighting.errors import AssayError
from weighting.storage import lock
from weighting.storage.lock import NAME, clear, list_content, locking

HOLDER = """
import sys, time
from pathlib import Path
from weighting.storage.lock import locking
with locking(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
ELSEWHERE = {"pid": 7, "host": "elsewhere", "since": "2026-01-01", "command": "assay curate"}


@pytest.fixture
def holder(tmp_path):
    """A process that holds tmp_path/run."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def mount(monkeypatch, tmp_path):
    """Says of which file system tmp_path is."""

    def write(kind, options):
        line = f"1 2 0:1 / {{}} rw - {kind} device {options}\n"
        (tmp_path / "mounts").write_text(line.format("/") + line.format(tmp_path.resolve()))
        monkeypatch.setattr(lock, "MOUNTS", tmp_path / "mounts")

    return write


def leave_record(folder, record):
    folder.mkdir()
    (folder / NAME).write_text(json.dumps(record))


def test_a_second_process_is_told_who_holds_it(holder, tmp_path):
    whose = rf"another process works here \(process {holder.pid} on .+ since 20.+: -c .*run\)"
    with pytest.raises(AssayError, match=whose) as caught, locking(tmp_path / "run"):
        pytest.fail("two hold it")
    assert caught.value.exit_code == 2
    assert json.loads((tmp_path / "run" / NAME).read_text())["pid"] == holder.pid


def test_a_killed_holder_does_not_block_and_its_leftovers_go(holder, tmp_path):
    leftover = tmp_path / "run" / "documents" / ".000000.parquet.1.tmp"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / NAME).exists()
    with locking(tmp_path / "run"):
        assert not leftover.exists()
        assert json.loads((tmp_path / "run" / NAME).read_text())["pid"] == os.getpid()


def test_nothing_is_left_of_the_lock(tmp_path):
    with locking(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b" / NAME).exists()
    assert list(tmp_path.iterdir()) == []
    with locking(tmp_path / "run"):
        (tmp_path / "run" / "file").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["file"]


def test_a_folder_is_cleared_and_stays_locked(tmp_path):
    run = tmp_path / "run"
    with locking(run):
        (run / "stats").mkdir()
        (run / "stats" / "a").touch()
        (run / "manifest.json").touch()
        (run / "link").symlink_to(tmp_path)
        assert [path.name for path in list_content(run)] == ["link", "manifest.json", "stats"]
        clear(run)
        assert list_content(run) == []
        with pytest.raises(AssayError, match="another process"), locking(run):
            pytest.fail("two hold it")
    assert tmp_path.exists()


def test_a_file_removed_while_it_is_locked_is_locked_anew(monkeypatch, tmp_path):
    """Who held it removes the file between our opening it and our locking it."""
    flock, files = fcntl.flock, []

    def remove_first(handle, operation):
        files.append(os.fstat(handle).st_ino)
        if len(files) == 1:
            (tmp_path / "run" / NAME).unlink()
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with locking(tmp_path / "run"):
        assert len(files) == 2
        assert (tmp_path / "run" / NAME).stat().st_ino == files[1]


@pytest.mark.parametrize(
    ("kind", "options"), [("ext4", "rw"), ("nfs4", "rw,local_lock=none"), ("tmpfs", "rw")]
)
def test_another_machines_record_is_stale_where_a_lock_holds_everywhere(
    mount, tmp_path, kind, options
):
    mount(kind, options)
    leave_record(tmp_path / "run", ELSEWHERE)
    with locking(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / NAME).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("kind", "options"), [("nfs", "rw,local_lock=all"), ("fuse.sshfs", "rw"), ("cifs", "rw")]
)
def test_another_machines_record_is_asked_about_where_it_may_be_alive(
    mount, tmp_path, kind, options
):
    mount(kind, options)
    leave_record(tmp_path / "run", ELSEWHERE)
    told = rf"process 7 on elsewhere.*remove {re.escape(str(tmp_path / 'run' / NAME))} and run"
    with pytest.raises(AssayError, match=told), locking(tmp_path / "run"):
        pytest.fail("the other may be alive")
    (tmp_path / "run" / NAME).unlink()
    with locking(tmp_path / "run"):
        assert (tmp_path / "run" / NAME).exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": 1}'])
def test_a_record_that_says_nothing_does_not_block(mount, tmp_path, content):
    mount("fuse.sshfs", "rw")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).write_text(content)
    with locking(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / NAME).read_text())["pid"] == os.getpid()


def test_a_file_system_without_locks_is_refused(monkeypatch, tmp_path):
    def refuse(handle, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(AssayError, match="no locks on its file system"), locking(tmp_path / "run"):
        pytest.fail("nothing was locked")


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "run").touch()
    for folder in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(AssayError, match="a file is in the way"), locking(folder):
            pytest.fail("there is no folder")


def test_a_folder_below_that_is_held_is_left_alone(holder, tmp_path):
    held, left = tmp_path / "run" / ".new.7.tmp", tmp_path / "other" / ".new.7.tmp"
    for path in (held, left):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with locking(tmp_path):
        assert held.exists()
        assert not left.exists()
        with pytest.raises(AssayError, match=f"another process works here .process {holder.pid} "):
            clear(tmp_path)
        assert held.exists()


def test_looking_for_a_holder_does_not_keep_others_out(tmp_path, monkeypatch):
    (tmp_path / NAME).touch()
    looking = os.open(tmp_path / NAME, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(looking))  # while it waits
    with locking(tmp_path):
        assert lock.find_holder(tmp_path) is not None


def test_a_holder_without_a_record_is_one_too(tmp_path):
    (tmp_path / NAME).touch()
    handle = os.open(tmp_path / NAME, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert str(lock.find_holder(tmp_path)) == "one that has not given its name"
    os.close(handle)
