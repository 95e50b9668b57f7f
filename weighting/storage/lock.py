"""One process a folder, and a name for who holds it.

The lock is an advisory `flock` of FOLDER/.lock, so it goes when its process does, however that
ends; the record in the file only says who that is. Where `flock` is known to hold on all machines
that see the folder, a record left by a dead process is stale and is taken over. Elsewhere (some
network file systems, or NFS mounted with `local_lock`) the record of another machine may be that of
a process that works: then the user must say so, by removing the file.

On NFS, `flock` has been a byte-range lock at the server since Linux 2.6.12; `local_lock` is of
2.6.37 (nfs(5), flock(2)).
"""

import fcntl
import json
import os
import shlex
import shutil
import socket
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from weighting.command_line import name_program
from weighting.errors import AssayError
from weighting.storage.failures import explain
from weighting.storage.files import remove_temporaries

NAME = ".lock"
MOUNTS = Path("/proc/self/mountinfo")
LOCAL = (
    *("apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs3"),
    *("overlay", "ramfs", "tmpfs", "vfat", "xfs", "zfs"),
)  # file systems of which a kernel is the only user
COMMAND_CHARS = 120
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: process id, host name, UTC time of the start, command line."""

    pid: int
    host: str
    since: str
    command: str

    def __str__(self) -> str:
        if not self.pid:
            return "one that has not given its name"
        return f"process {self.pid} on {self.host} since {self.since}: {self.command}"


UNKNOWN = Holder(0, "", "", "")


@contextmanager
def locking(folder: Path) -> Iterator[None]:
    """Make `folder`, hold it, and remove what killed processes left there half-written.

    A folder below it that another process holds is left alone: what is half-written there is not
    left. Afterwards there is no trace of the lock, and no folder that was made and stayed empty.

    Raises:
        AssayError: another process holds it, or may hold it on another machine.
        OSError: the lock cannot be written.
    """
    made = _make(folder)
    path = folder / NAME
    try:
        handle = _acquire(path)
        try:
            _write(handle, path)
            remove_temporaries(folder, _is_held)
            yield
        finally:
            with suppress(OSError):  # a disk that turned read-only has its own error
                path.unlink(missing_ok=True)
            os.close(handle)
    finally:
        with suppress(OSError):  # the first that is not empty
            for parent in made:
                parent.rmdir()


def find_holder(folder: Path) -> Holder | None:
    """Return who works in a folder now; None if nobody on this machine does, as far as it tells."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(handle) or UNKNOWN
    finally:
        os.close(handle)
    return None  # left by a process that was killed


def list_content(folder: Path) -> list[Path]:
    """Return what is in a folder besides its lock, by name."""
    return sorted(path for path in folder.iterdir() if path.name != NAME)


def clear(folder: Path) -> None:
    """Remove all that is in a folder, but not its lock, which its process goes on holding.

    Raises:
        AssayError: another process works in a folder below.
    """
    for path in folder.rglob(NAME):
        below = path.parent
        if below != folder and (holder := find_holder(below)):
            raise AssayError(f"{below}: another process works here ({holder})")
    for path in list_content(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_held(folder: Path) -> bool:
    return find_holder(folder) is not None


def _make(folder: Path) -> list[Path]:
    """Make a folder and its parents; return those that were missing, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise AssayError(f"{folder}: a file is in the way; name another folder") from None
    except OSError as error:
        unknown = AssayError(f"{folder}: cannot be made ({error.strerror}); name another folder")
        raise explain(error, folder) or unknown from None
    return missing


def _acquire(path: Path) -> int:
    """Return the handle of the locked file.

    Who held it may have removed the file between our opening and locking it: then the lock is one
    of a file without a name, and is tried again on the new one.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle, path)
            if _is_named(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        _take(handle)
    except BlockingIOError:
        holder = _read(handle) or UNKNOWN
        raise AssayError(f"{path.parent}: another process works here ({holder})") from None
    except OSError as error:
        raise AssayError(
            f"{path.parent}: no locks on its file system ({error.strerror}); name another folder"
        ) from None
    left = _read(handle)
    if left and left.host != socket.gethostname() and not _proves(path):
        raise AssayError(
            f"{path.parent}: another process may work here ({left}), and this file system cannot "
            f"tell; if it does not, remove {path} and run again"
        )


def _take(handle: int) -> None:
    """Lock; wait a little, for who only looks whether somebody holds it (`find_holder`)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return


def _is_named(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _proves(path: Path) -> bool:
    """Say whether a lock that is free on this machine is free on all."""
    kind, options = _find_mount(path)
    if kind in {"nfs", "nfs4"}:
        return "local_lock=none" in options
    return kind in LOCAL


def _find_mount(path: Path) -> tuple[str, list[str]]:
    """Return type and options of the file system that holds a file; proc(5) has the format."""
    above = {str(parent): len(str(parent)) for parent in path.resolve().parents}
    found, longest = ("unknown", [""]), 0
    with suppress(OSError):
        for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
            mount, _, system = line.partition(" - ")
            length = above.get(mount.split()[4].replace("\\040", " "), 0)
            if length >= max(longest, 1):  # of two at one place, the later hides the other
                kind, _, options = system.split(" ", 2)
                found, longest = (kind, options.split(",")), length
    return found


def _read(handle: int) -> Holder | None:
    """Return the record in the file, None if it is empty or not a record."""
    try:
        return Holder(**json.loads(os.pread(handle, 2**16, 0)))
    except (TypeError, ValueError):
        return None


def _write(handle: int, path: Path) -> None:
    words = [name_program(), *sys.argv[1:]]
    command = textwrap.shorten(shlex.join(words), COMMAND_CHARS, placeholder=" ...")
    since = datetime.now(UTC).isoformat(" ", "seconds")
    holder = Holder(os.getpid(), socket.gethostname(), since, command)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(asdict(holder)).encode(), 0)
    except OSError as error:
        raise explain(error, path) or error from None
