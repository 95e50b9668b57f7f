"""What is told of an error that ends a command: one line, whatever it is.

A known error is its message. Any other is a defect of ours: its line names the file that holds its
traceback.
"""

import traceback
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from weighting.storage.failures import explain
from weighting.visible import show_line

MOST_CHARS = 400  # of an unknown error that are told


class End(NamedTuple):
    """How a command ends: the line that it tells, and its exit code."""

    line: str
    exit_code: int


def describe_end(error: BaseException) -> End:
    """Return how a command ends that an error ends."""
    known = explain(error)
    if known is None:
        return End(show_line(describe_defect(error)), 1)
    return End(show_line(str(known)), known.exit_code)


def describe_defect(error: BaseException) -> str:
    """Return a line on an error that assay does not know; its traceback goes to a file."""
    lines = "".join(traceback.format_exception(error))
    told = " ".join(f"{type(error).__name__}: {error}".split())
    if len(told) > MOST_CHARS:
        told = told[:MOST_CHARS] + "…"
    try:
        with NamedTemporaryFile("w", prefix="assay-", suffix=".txt", delete=False) as file:
            file.write(lines)
    except OSError:  # nowhere to write: then here
        return f"unexpected {told}; {lines}"
    return f"unexpected {told}; the traceback is in {file.name}"
