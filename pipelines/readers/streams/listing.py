"""Which files a path or glob of a remote file system names: all of them, or an error.

Stores list a whole prefix at once. Other file systems are walked folder by folder, and fsspec's own
walk leaves out a folder that fails; so it is walked here.
"""

import re
from collections.abc import Iterator
from glob import has_magic
from sys import maxsize
from typing import Any

from fsspec.asyn import AsyncFileSystem
from fsspec.spec import AbstractFileSystem
from fsspec.utils import glob_translate


def list_paths(filesystem: Any, path: str) -> list[str]:  # noqa: ANN401 - fsspec has no types
    """Return what a path or glob of a file system names, nothing where nothing is there.

    Raises:
        Exception: a folder cannot be listed; whatever the file system raises.
    """
    if not _is_walked(filesystem):
        return list(filesystem.glob(path) if has_magic(path) else filesystem.find(path))
    if not has_magic(path):
        return list(_walk(filesystem, path, maxsize))
    fixed = re.match(r"[^*?[]*/", path)
    root = fixed[0] if fixed else ""
    depth = maxsize if "**" in path else path.count("/") - root.count("/") + 1
    fits = re.compile(glob_translate(path)).match
    return [found for found in _walk(filesystem, root, depth) if fits(found)]


def _is_walked(filesystem: Any) -> bool:  # noqa: ANN401
    kind = type(filesystem)
    if isinstance(filesystem, AsyncFileSystem):
        return bool(kind._find is AsyncFileSystem._find)
    return bool(kind.find is AbstractFileSystem.find)


def _walk(filesystem: Any, folder: str, depth: int) -> Iterator[str]:  # noqa: ANN401
    """Yield the files under a folder, so many levels deep; a file's own path for a file."""
    try:
        listing = filesystem.ls(folder, detail=True)
    except FileNotFoundError:  # a link that leads nowhere, or a folder that is gone
        return
    for info in listing:
        if info["type"] != "directory":
            yield info["name"]
        elif depth > 1 and info["name"].rstrip("/") != folder.rstrip("/"):
            yield from _walk(filesystem, info["name"], depth - 1)
