"""Trying again what may fail for a moment: networks, object stores, network file systems."""

import errno
import os
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from weighting.errors import AssayError, MayPass

T = TypeVar("T")
WAITS = (1.0, 2.0, 4.0)  # seconds before the second, third and fourth try
LASTING = (
    *(FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError),
    *(ImportError, NotImplementedError),
)
LASTING_ERRNOS = frozenset({errno.ELOOP, errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT})
# Of packages that are not imported here: no try brings credentials.
LASTING_NAMES = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError", "InvalidURL"}
)
PASSING_STATUSES = frozenset({408, 425, 429})  # of those under 500
NETWORK_PACKAGES = frozenset(
    {
        *("aiobotocore", "aiohttp", "botocore", "fsspec", "gcsfs", "http", "httpcore", "httpx"),
        *("huggingface_hub", "requests", "s3fs", "socket", "ssl", "urllib", "urllib3"),
    }
)
REASON_LIMIT = 200  # characters; some libraries quote whole pages


class LostInput(Exception):
    """An input cannot be opened, or fails while it is read; the message is the reason.

    It is no OSError, which decoders raise for damaged data too. `lasts` says that trying again is
    of no use.
    """

    def __init__(self, reason: str, lasts: bool = False) -> None:
        super().__init__(reason)
        self.lasts = lasts

    def tell(self, what: str) -> AssayError:
        """Return the error for the user: what could not be done, and why."""
        kind = AssayError if self.lasts else MayPass
        return kind(f"{what} ({self})")


class ChangedInput(LostInput):
    """An input is not what it was when the run was planned; the message says how."""


def retry(
    action: Callable[[], T],
    again: Callable[[], object] = lambda: None,
    waits: Sequence[float] | None = None,
) -> T:
    """Return what an action returns, tried again after each of `waits` where that may help.

    They are WAITS by default; `again` is called before each try but the first.

    Raises:
        LostInput: it fails to the end, or for a lasting reason.
        AssayError: it raises one.
    """
    for wait in (*(WAITS if waits is None else waits), None):
        try:
            return action()
        except (AssayError, MemoryError):
            raise
        except Exception as error:  # whatever file systems raise; most have classes of their own
            lost = _lose(error)
            if wait is None or lost.lasts:
                raise lost from None
        rest(wait)
        again()
    raise AssertionError("the last try returns or raises")


def _lose(error: Exception) -> LostInput:
    if isinstance(error, LostInput):
        return error
    return LostInput(describe(error), is_lasting(error))


def rest(seconds: float) -> None:
    """Wait about so long; workers do not all come back at once."""
    time.sleep(seconds * (0.75 + os.getpid() % 64 / 128))


def is_lasting(error: BaseException) -> bool:
    """Say whether trying again is of no use."""
    if isinstance(error, LASTING) or type(error).__name__ in LASTING_NAMES:
        return True
    if isinstance(error, OSError) and error.errno in LASTING_ERRNOS:
        return True
    status = error.status if hasattr(error, "status") else getattr(error, "code", None)
    return str(status).isdigit() and int(str(status)) in set(range(400, 500)) - PASSING_STATUSES


def is_of_network(error: BaseException | None) -> bool:
    """Say whether an error, or what it came from, is of a network or disk rather than of data."""
    while error is not None:
        package = type(error).__module__.partition(".")[0]
        if package in NETWORK_PACKAGES or isinstance(error, ConnectionError | TimeoutError):
            return True
        if isinstance(error, OSError) and error.errno is not None:
            return True
        error = error.__cause__ or error.__context__
    return False


def describe(error: BaseException) -> str:
    """Return what an error says, on one line; its class where it says nothing."""
    said = " ".join(str(error).split())
    if not said or said.isdigit():
        return f"{type(error).__name__} {said}".rstrip()
    return said if len(said) <= REASON_LIMIT else f"{said[: REASON_LIMIT - 1]}…"
