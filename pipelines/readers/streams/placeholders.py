"""Files that stand for others, which are elsewhere: pointers of Git LFS and git-annex.

They are read nowhere, for a pointer under a suffix of text would be a document.
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from pipelines.readers.streams.open_stream import open_input
from pipelines.readers.streams.retries import LostInput, retry
from pipelines.readers.streams.urls import is_gone, is_url
from weighting.errors import AssayError

SIZE = 1024  # bytes of which a pointer has fewer
LFS = b"version https://git-lfs.github.com/spec/v1"
ANNEX = re.compile(rb"/annex/objects/\S+\s*")
NOISE = re.compile(r"^\[Errno \d+\] |: '.*'$")  # number and path in an error of the system
ANNEX_FOLDER = "/annex/objects/"
IN_LFS = "is a Git LFS pointer, the file itself is not here: git lfs pull"
IN_ANNEX = "is a git-annex pointer, the file itself is not here: git annex get"


def check_files(paths: Iterable[str]) -> None:
    """Refuse local files that are there and cannot be read, and pointers to others.

    Links that lead nowhere pass, but those of git-annex.

    Raises:
        AssayError: names the first, and how many there are.
    """
    found: dict[str, str] = {}
    for path in paths:
        if not is_url(path) and (fault := find_fault(path)):
            found[path] = fault
    if found:
        path, fault = next(iter(found.items()))
        more = f" (the first of {len(found):,} such files)" if len(found) > 1 else ""
        raise AssayError(f"{path} {fault}{more}")


def find_fault(path: str) -> str:
    """Return why an input is not to be read though it is there, "" where nothing is wrong.

    Raises:
        LostInput: a remote input cannot be got.
    """
    if is_url(path):
        return _name_pointer(_read_head(path))  # which tries again by itself
    if is_gone(path):
        is_annexed = Path(path).is_symlink() and ANNEX_FOLDER in str(Path(path).readlink())
        return IN_ANNEX if is_annexed else ""
    try:
        head = retry(partial(_read_head, path))
    except LostInput as error:
        reason = NOISE.sub("", str(error))
        return f"cannot be read ({reason}); give the right to read it, or leave it out"
    return _name_pointer(head)


def _name_pointer(head: bytes) -> str:
    if len(head) < SIZE and head.startswith(LFS):
        return IN_LFS
    return IN_ANNEX if len(head) < SIZE and ANNEX.fullmatch(head) else ""


def _read_head(path: str) -> bytes:
    with open_input(path) as file:
        return file.read(SIZE)
