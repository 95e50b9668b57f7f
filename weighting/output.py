"""Standard output and error of the commands: any text can be written, and a closed pipe ends all.

A terminal that knows no UTF-8 shows other characters by their number, where Python would fail. Who
reads from a pipe may leave before all is written, as `head` does, and a terminal may be closed; the
command then ends as others do, without a word and with the exit code of a process that SIGPIPE
ended.
"""

import errno
import io
import signal
import sys
from typing import TextIO

from weighting.errors import AssayError

NOBODY_READS = (errno.EPIPE, errno.EIO)  # of a pipe; of a terminal that was closed


class OutputClosed(AssayError):
    """Nobody reads what is written."""

    exit_code = 128 + signal.SIGPIPE

    def __init__(self) -> None:
        super().__init__("standard output is closed")


class Output(io.TextIOWrapper):
    """A stream that raises OutputClosed, which no library takes for an error of its own."""

    def write(self, text: str, /) -> int:
        """Write text."""
        try:
            return super().write(text)
        except OSError as error:
            self.close_for(error)
            return len(text)

    def flush(self) -> None:
        """Write out what is still held."""
        try:
            super().flush()
        except OSError as error:
            self.close_for(error)

    def close_for(self, error: OSError) -> None:
        """Raise OutputClosed if nobody reads any more, else the error."""
        if error.errno in NOBODY_READS:
            raise OutputClosed from None
        raise error


class ErrorOutput(Output):
    """A stream for errors and progress: where nobody reads them, the work goes on."""

    def close_for(self, error: OSError) -> None:
        """Raise an error that has another cause."""
        if error.errno not in NOBODY_READS:
            raise error


def guard_streams() -> None:
    """Make standard output and error what this module says; streams that were replaced stay."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = _rewrap(sys.stdout, Output)
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = _rewrap(sys.stderr, ErrorOutput)


def _rewrap(stream: io.TextIOWrapper, kind: type[Output]) -> Output:
    return kind(
        stream.buffer,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
    )


def open_data_output() -> TextIO:
    """Return standard output for data, such as JSON, which is UTF-8 whatever the terminal is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return sys.stdout
