"""Folders that commands are given: on a disk that this machine mounts, named from its root."""

import re
from pathlib import Path

from weighting.errors import AssayError

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")  # s3://bucket, and what Path makes of it


def read_folder(name: str | Path) -> Path:
    """Return the absolute path of a folder, which need not exist.

    Absolute, because worker processes elsewhere have another current folder.

    Raises:
        AssayError: it is a URL, or nothing.
    """
    if not str(name).strip():
        raise AssayError("the name of a folder is empty")
    if URL.match(str(name)):
        raise AssayError(
            f"{name}: a folder must be on a disk that this machine mounts, not at a URL"
        )
    return Path(name).absolute()
