"""What the machine refuses, as errors that a user can act on: room, permission, memory."""

import errno
import os
from pathlib import Path

from weighting.errors import AGAIN, AssayError, Interrupted

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NO_RIGHT = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class CannotWrite(AssayError):
    """The disk took no more, or the target may not be written."""


class OutOfMemory(AssayError):
    """A process asked for more memory than it gets."""


def explain(error: BaseException, path: Path | None = None) -> AssayError | Interrupted | None:
    """Return the error of ours that says what happened, None where only a traceback can.

    `path` is what was being written, where the caller knows; many libraries do not say.
    """
    if isinstance(error, AssayError | Interrupted):
        return error
    if isinstance(error, MemoryError):
        reason = f" ({error})" if str(error) else ""
        return OutOfMemory(f"out of memory{reason}; {AGAIN}, perhaps with fewer --workers")
    if isinstance(error, OSError) and error.errno in NO_ROOM | NO_RIGHT:
        return _explain_writing(error, str(path or error.filename or "a file"))
    return None


def _explain_writing(error: OSError, name: str) -> CannotWrite:
    reason = os.strerror(error.errno or 0)  # libraries word it in their own ways
    if error.errno in NO_ROOM:
        return CannotWrite(f"{name}: cannot be written ({reason}); make room: {AGAIN}")
    return CannotWrite(
        f"{name}: cannot be written ({reason}); give the right to write it, or name another folder"
    )
