"""RUN/.permit: while it is there and says so, workers elsewhere may work on a run.

A job service may go on with a job that was cancelled; Beam's own does. So every worker looks at the
permit before each unit, and does not begin one without it. While it is at work it holds a shared
lock on the file: whoever takes the permit back then waits for the last of them. A run that comes
after one whose driver was killed takes back what that one left.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weighting.errors import AssayError

NAME = ".permit"
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 30.0  # for the units that are under way


class NotPermitted(AssayError):
    """A worker works for a run that has ended, or does not see the folder that the run has."""


@dataclass(frozen=True)
class Permit:
    """One job's right to work in a run folder: the file, and what it says meanwhile."""

    path: Path
    nonce: str

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Work on one unit.

        Raises:
            NotPermitted: the permit was taken back, or is not to be seen here.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            raise NotPermitted(f"{self.path} is not there: the run has ended") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            if os.read(handle, len(self.nonce) + 1) != self.nonce.encode():
                raise NotPermitted(f"{self.path} is another job's: the run has ended")
            yield
        finally:
            os.close(handle)


def issue(folder: Path) -> Permit:
    """Permit a job to work in a run folder; one of before loses its permit.

    Raises:
        AssayError: workers of a job of before are still at work.
    """
    if not take_back(folder):
        raise refuse(folder)
    permit = Permit(folder / NAME, secrets.token_hex(16))
    permit.path.write_text(permit.nonce, encoding="utf-8")
    return permit


def take_back(folder: Path, seconds: float = PATIENCE_SECONDS) -> bool:
    """Take back the permit of a run folder, if there is one; wait until nobody holds it.

    Returns whether all units that were under way have ended in that time.
    """
    path = folder / NAME
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        os.ftruncate(handle, 0)  # who opens it from now on finds no permit in it
        ended = _wait(handle, time.monotonic() + seconds)
        if ended:  # else it stays, empty, for the next one to wait for
            path.unlink(missing_ok=True)
    finally:
        os.close(handle)
    return ended


def refuse(folder: Path) -> AssayError:
    """Return the error of a folder in which workers did not end in time."""
    return AssayError(
        f"{folder}: workers of an earlier job are still at work here; stop them, or wait"
    )


def _wait(handle: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        else:
            return True
