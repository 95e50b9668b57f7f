"""Calls of the compiled tokenizer libraries: their failures become one line of assay's.

Compiled code that fails in a way its authors did not foresee raises what `except Exception` does
not catch, and writes a report of its own to standard error. Both end here.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock

from weighting.errors import AssayError

PANIC = "pyo3_runtime"  # the module of what compiled code raises when it gives up
STANDARD_ERROR = 2
_alone = Lock()  # standard error is the whole process's


@contextmanager
def calling(what: str, quiet: bool = True) -> Iterator[None]:
    """Turn any failure of a library in the block into an AssayError that begins with `what`.

    What the library writes to standard error is dropped if it fails. `quiet` is False where other
    threads may write there at the same time.
    """
    try:
        with _holding_errors() if quiet else nullcontext():
            yield
    except AssayError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != PANIC:
            raise  # an interrupt, or the end of the process
        raise AssayError(f"{what} ({_first_line(error)})") from None


@contextmanager
def _holding_errors() -> Iterator[None]:
    """Hold back standard error; pass it on when the block ends well."""
    with _alone, tempfile.TemporaryFile() as held:
        before = os.dup(STANDARD_ERROR)
        os.dup2(held.fileno(), STANDARD_ERROR)
        try:
            yield
        except BaseException:
            held.truncate(0)
            raise
        finally:
            os.dup2(before, STANDARD_ERROR)
            os.close(before)
            held.seek(0)
            if said := held.read():
                os.write(STANDARD_ERROR, said)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
