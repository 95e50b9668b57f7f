"""One process a folder: the lock goes when its process does, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weighting.errors import AssayError


@contextmanager
def locking(folder: Path) -> Iterator[None]:
    """Make `folder` and hold it.

    Raises:
        AssayError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssayError(f"{folder}: another process is training here") from None
        yield
