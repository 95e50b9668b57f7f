"""How a command ends early: at a signal or a failure, with one line and nothing left running."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from pipelines.engine.processes import ENDING, stop_workers
from weighting.defects import describe_end
from weighting.output import OutputClosed
from weighting.processes.interruption import raise_signals

# Called with the error before the process ends, by whatever way: a log's last line, for instance.
LAST_WORDS: list[Callable[[BaseException], None]] = []


def catch_signals() -> None:
    """Raise Interrupted in the main thread at the first signal; end the process soon in any case.

    Workers are ended with it; a job elsewhere gets the time that it takes to cancel it.
    """
    raise_signals(leave, stop_workers, ENDING.is_set)


def leave(error: BaseException) -> NoReturn:
    """Tell an error in one line; end the process without waiting for threads of Beam."""
    if isinstance(error, OutputClosed):
        os._exit(error.exit_code)
    end = describe_end(error)
    while LAST_WORDS:
        LAST_WORDS.pop()(error)
    with suppress(OSError, OutputClosed):  # on a full disk, or when nobody reads
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.write(f"assay: {end.line}\n")
        sys.stderr.flush()
    os._exit(end.exit_code)
