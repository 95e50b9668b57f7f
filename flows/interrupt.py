"""How a command ends early: at a signal or a failure, with one line and nothing left running."""

import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from tempfile import NamedTemporaryFile
from types import FrameType
from typing import NoReturn

from pipelines.engine.processes import ENDING, stop_workers
from weighting.errors import Interrupted
from weighting.output import OutputClosed
from weighting.storage.failures import explain
from weighting.visible import show_line

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 5.0  # for the main thread to clean up and leave by itself
# Called with the error before the process ends, by whatever way: a log's last line, for instance.
LAST_WORDS: list[Callable[[BaseException], None]] = []
ENDING_SECONDS = 45.0  # more of it while a job elsewhere is cancelled
DEFECT_CHARS = 400  # of an unknown error that are told
IMPORT_MACHINERY = "<frozen importlib._bootstrap>"  # file name of its functions


def catch_signals() -> None:
    """Raise Interrupted in the main thread at the first signal; end the process soon in any case.

    Python hands a signal to the main thread between two of its steps, and a library at work for a
    minute is one step. A thread that is told by the system itself sees to the end then. While a
    library is imported, the signal ends the process at once: libraries catch what their imports
    raise, and go on without.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_insist, args=(told,), daemon=True).start()
    for number in SIGNALS:
        signal.signal(number, _interrupt)


def leave(error: BaseException) -> NoReturn:
    """End the process with the exit code of an error, without waiting for threads of Beam.

    A known error is one line. Any other is a defect of ours: it is one line as well, which names
    the file that holds its traceback.
    """
    if isinstance(error, OutputClosed):
        os._exit(error.exit_code)
    known = explain(error)
    told = str(known) if known else describe_defect(error)
    while LAST_WORDS:
        LAST_WORDS.pop()(error)
    with suppress(OSError, OutputClosed):  # on a full disk, or when nobody reads
        sys.stdout.flush()
    sys.stderr.write(f"assay: {show_line(told)}\n")
    sys.stderr.flush()
    os._exit(known.exit_code if known else 1)


def describe_defect(error: BaseException) -> str:
    """Return a line on an error that assay does not know; its traceback goes to a file."""
    lines = "".join(traceback.format_exception(error))
    told = " ".join(f"{type(error).__name__}: {error}".split())
    if len(told) > DEFECT_CHARS:
        told = told[:DEFECT_CHARS] + "…"
    try:
        with NamedTemporaryFile("w", prefix="assay-", suffix=".txt", delete=False) as file:
            file.write(lines)
    except OSError:  # nowhere to write: then here
        return f"unexpected {told}; {lines}"
    return f"unexpected {told}; the traceback is in {file.name}"


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # a second one finds the command stopping already
    if _is_importing(frame):
        _end(number)
    raise Interrupted(number)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != IMPORT_MACHINERY:
        frame = frame.f_back
    return frame is not None


def _insist(told: int) -> None:
    """Wait for a signal that is ours, then for the main thread; end the process if it does not."""
    ours, number = False, 0
    while not (ours and number):  # while the trainer takes signals itself they are not ours
        ours = signal.getsignal(signal.SIGTERM) is _interrupt
        ready, _, _ = select.select([told], [], [], LOOK_SECONDS)
        number = os.read(told, 1)[0] if ready else 0
    time.sleep(PATIENCE_SECONDS)
    deadline = time.monotonic() + ENDING_SECONDS
    while ENDING.is_set() and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    _end(number)


def _end(number: int) -> NoReturn:
    stop_workers()
    leave(Interrupted(number))
