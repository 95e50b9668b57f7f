"""RUN/log.jsonl: what commands did to a run and when, one JSON object a line, only ever appended.

It tells a person or a monitor what happened, and nothing reads it to decide what is done: it is no
part of a run's identity and not in the manifest's list of files. Each line is written whole by one
call of the system as soon as there is something to tell, so a kill loses none that was told. A
line that was torn all the same, by a full disk, ends where the next one begins.
"""

import json
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.interrupt import LAST_WORDS
from weighting.command_line import name_program
from weighting.contracts.timings import tell_time
from weighting.errors import AssayError, Interrupted
from weighting.storage.failures import explain

NAME = "log.jsonl"
PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")
SIGNATURE = re.compile(r"(?<=://)([^?\s]*)\?\S+")
TAIL_BYTES = 2**16  # of a log, in which the last command's lines are looked for


class RunLog:
    """The log of one command. Before `open`, lines wait: the folder may be another run's."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._waiting: list[str] = []
        self._is_open = self._is_continued = False

    def open(self) -> "RunLog":
        """Write from here on, and what has waited: the folder is known to be the command's."""
        self._is_open = True
        self._append("".join(self._waiting))
        self._waiting.clear()
        return self

    def write(self, event: str, **facts: object) -> None:
        """Append one line: the time, the event and its facts.

        Raises:
            CannotWrite: no room, or no right to write there.
        """
        line = json.dumps({"time": tell_time(), "event": event, **facts}, default=str) + "\n"
        if self._is_open:
            self._append(line)
        else:
            self._waiting.append(line)

    def write_warning(self, message: str) -> None:
        """Append a warning."""
        self.write("warning", message=message)

    def fail(self, error: BaseException) -> None:
        """Append how the command ended early; a disk that takes no more has its own error."""
        known = explain(error)
        event = "interrupted" if isinstance(known, Interrupted) else "failed"
        message = " ".join(str(known or f"{type(error).__name__}: {error}").split())
        with suppress(AssayError, OSError):
            self.write(event, error=message, exit_code=known.exit_code if known else 1)

    def _append(self, lines: str) -> None:
        if not lines:
            return
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                torn = not self._is_continued and _ends_torn(handle)
                os.write(handle, (("\n" if torn else "") + lines).encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise explain(error, self._path) or error from None
        self._is_continued = True


@contextmanager
def keeping_log(folder: Path) -> Iterator[RunLog]:
    """Keep the log of a command: its start, the program's warnings, and how it ended."""
    log, begin = RunLog(folder), time.monotonic()
    log.write(
        "command started",
        command=describe_command(),
        version=version("assay"),
        host=socket.gethostname(),
        pid=os.getpid(),
        folder=str(Path.cwd()),
    )
    last, handler = partial(RunLog.fail, log), _Handler(log)
    LAST_WORDS.append(last)
    logging.getLogger().addHandler(handler)
    try:
        yield log
    except BaseException as error:
        log.fail(error)
        raise
    finally:
        LAST_WORDS.remove(last)
        logging.getLogger().removeHandler(handler)
    log.write("command finished", seconds=round(time.monotonic() - begin, 3))


def describe_command() -> list[str]:
    """Return the command line, without passwords and signatures of URLs."""
    words = [name_program(), *sys.argv[1:]]
    return [SIGNATURE.sub(r"\1?…", PASSWORD.sub("…", word)) for word in words]


def read_last_command(folder: Path) -> list[dict[str, Any]]:
    """Return the last lines of a log, from the start of its last command on; none without a log."""
    try:
        with (folder / NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    found: list[dict[str, Any]] = []
    for line in lines:
        with suppress(ValueError):  # torn
            fields = json.loads(line)
            found = [fields] if fields["event"] == "command started" else [*found, fields]
    return found


def _ends_torn(handle: int) -> bool:
    size = os.lseek(handle, 0, os.SEEK_END)
    return size > 0 and os.pread(handle, 1, size - 1) != b"\n"


class _Handler(logging.Handler):
    """Puts into the log what libraries warn of, less the root logger's, as on the screen."""

    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "root" and not record.name.startswith("apache_beam"):
            self._log.write_warning(record.getMessage())
