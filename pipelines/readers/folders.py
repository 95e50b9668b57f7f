"""Searching folders and globs for files, and what is left out of them on the way, with the reason.

Left out are runs of assay, hidden and private files, and what says something of the data beside it.
A folder or file that the user names is taken, whatever its name.

Names that look the same are one name: macOS stores "é" as two characters, a keyboard types one, and
Unicode holds both equal.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import reduce
from glob import has_magic
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from pipelines.readers.markers import DELTA_LOG, is_hidden, is_marker, is_private
from pipelines.readers.registry import find_by_folder, find_by_suffix
from weighting.contracts.claim import is_claimed
from weighting.errors import AssayError
from weighting.storage.lock import find_holder

RUN = "a run of assay"
OUT = "the output of this run"
ADVICE = {
    RUN: "name what is meant of it, such as its folder documents",
    OUT: "name another --out, which is in none of the inputs",
}
DELTA = "the log of a Delta table: its files of older versions are read as well"


class LeftOut(NamedTuple):
    """A file or folder that is no input though it may look like one, and why."""

    path: str
    reason: str


class Search:
    """One search for inputs: `out` is the folder of the run that they are for, never an input."""

    def __init__(self, out: str | None = None) -> None:
        self._out = os.path.realpath(out) if out else None
        self._reasons: dict[str, str] = {}
        self._private: set[str] = set()

    def list_left_out(self) -> list[LeftOut]:
        """Return what was left out by path, private files together as one."""
        found = [LeftOut(path, reason) for path, reason in self._reasons.items()]
        if self._private:
            first, *more = sorted(self._private)
            others = f", and those of {len(more):,} more such files and folders" if more else ""
            found.append(LeftOut(first, f"private, for its name begins with _{others}"))
        return sorted(found)

    def find(self, spec: str) -> set[str]:
        """Return the absolute paths of the files that a local path, folder or glob names.

        Raises:
            AssayError: a folder cannot be listed, or is a run of assay.
        """
        root, pattern = split_glob(spec)
        # Not resolve(), which would rename linked files.
        root = respell(os.path.abspath(root))  # noqa: PTH100
        if not pattern and (reason := self._find_reason(root)):
            raise AssayError(f"{spec} is {reason}; {ADVICE[reason]}")
        paths: set[str] = set()
        for match in map(os.path.abspath, self._match(root, pattern) if pattern else [root]):
            if Path(match).is_dir():
                paths.update(self._walk(match))
            elif os.path.lexists(match):  # a link that leads nowhere is an unreadable file
                paths.add(match)
        return paths

    def admits(self, path: str, folder: bool, asked: str = "") -> bool:
        """Say whether something found in a folder may be read; note it where that must be said.

        `asked` is the pattern that found it: hidden and private names must be asked for.
        """
        name = path.rpartition("/")[2]
        if is_private(name) and not asked.startswith("_"):
            self._note_private(path, folder)
            return False
        if (is_hidden(name) and not asked.startswith(".")) or (not folder and is_marker(name)):
            return False
        reason = self._find_reason(path) if folder else ""
        if reason:
            self._reasons[path] = reason
        return not reason

    def leave_out(self, path: str, reason: str) -> None:
        """Note something that is left out."""
        self._reasons[path] = reason

    def note_private(self, path: str) -> None:
        """Note a private file or folder that holds data."""
        if path.rpartition("/")[2] == DELTA_LOG:
            self._reasons[path] = DELTA
        else:
            self._private.add(path)

    def _note_private(self, path: str, folder: bool) -> None:
        names = (name for _, _, some in os.walk(path) for name in some) if folder else [path]
        if any(map(looks_like_data, names)):
            self.note_private(path)

    def _find_reason(self, folder: str) -> str:
        """Return why a folder is no input, "" where it may be one."""
        if self._out and os.path.realpath(folder) == self._out:
            return OUT
        return RUN if is_run(Path(folder)) else ""

    def _walk(self, root: str) -> Iterator[str]:
        """Yield the files under a folder, and folders that a reader owns; each real one once."""
        seen: set[str] = set()
        for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_refuse):
            real = os.path.realpath(folder)
            if real in seen:
                subfolders.clear()
                continue
            seen.add(real)
            if find_by_folder(folder):
                subfolders.clear()
                yield folder
                continue
            subfolders[:] = [x for x in sorted(subfolders) if self.admits(f"{folder}/{x}", True)]
            yield from (f"{folder}/{x}" for x in files if self.admits(f"{folder}/{x}", False))

    def _match(self, folder: str, pattern: list[str]) -> Iterator[str]:
        """Yield what a glob finds in a folder: hidden and private names if it begins as they do."""
        first, *rest = pattern
        if not has_magic(first):
            yield from self._go_on(_spell(folder, first), rest)
        elif first == "**":
            yield from self._match_below(folder, rest, ())
        else:
            for path, is_folder in _list(folder):
                name = path.rpartition("/")[2]
                fits = fnmatchcase(_compose(name), _compose(first))
                if fits and self.admits(path, is_folder, first):
                    yield from self._go_on(path, rest)

    def _match_below(self, folder: str, rest: list[str], above: tuple[str, ...]) -> Iterator[str]:
        """Yield what a glob finds in a folder and those below; `above` are the real ones above."""
        real = os.path.realpath(folder)
        if real in above:
            return
        yield from self._go_on(folder, rest)
        for path, is_folder in _list(folder) if rest else ():
            if is_folder and self.admits(path, is_folder):
                yield from self._match_below(path, rest, (*above, real))

    def _go_on(self, path: str, rest: list[str]) -> Iterator[str]:
        if not rest:
            yield path
        elif Path(path).is_dir():
            yield from self._match(path, rest)


def split_glob(spec: str) -> tuple[str, list[str]]:
    """Return the folder or file that is there under its very name, and the pattern below it.

    So a folder named `[x]` is itself, not a pattern for `x`.
    """
    if os.path.lexists(spec) or not has_magic(spec):
        return spec, []
    parts = spec.split("/")
    heads = ("/".join(parts[:count]) for count in range(len(parts)))
    there = list(takewhile(lambda head: not head or os.path.lexists(head), heads))
    root = there[-1] or ("/" if spec.startswith("/") else ".")
    return root, [part for part in parts[len(there) - 1 :] if part]


def respell(path: str) -> str:
    """Return an absolute path as the file system spells it."""
    return reduce(_spell, path.split("/")[1:], "") if not os.path.lexists(path) else path


def is_run(folder: Path) -> bool:
    """Say whether a folder is a run of assay, or is just becoming one."""
    if is_claimed(folder):
        return True
    with suppress(OSError):
        return find_holder(folder) is not None
    return False


def looks_like_data(path: str) -> bool:
    """Say whether a reader takes a file of this name, found in a folder."""
    name = path.rpartition("/")[2]
    return not is_hidden(name) and not is_marker(name) and find_by_suffix(name) is not None


def _spell(folder: str, name: str) -> str:
    """Return the path of a name in a folder, as the folder spells it where it is not there so."""
    path = f"{folder.rstrip('/')}/{name}"
    if name.isascii() or os.path.lexists(path):
        return path
    with suppress(OSError):
        there = sorted(os.listdir(folder or "/"))  # noqa: PTH208 - of many files, paths are slow
        return next((f"{folder}/{x}" for x in there if _compose(x) == _compose(name)), path)
    return path


def _compose(name: str) -> str:
    return name if name.isascii() else normalize("NFC", name)


def _list(folder: str) -> list[tuple[str, bool]]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - of many files, paths are slow
    except OSError as error:
        _refuse(error)
    base = folder.rstrip("/")
    return [(path, Path(path).is_dir()) for path in (f"{base}/{name}" for name in names)]


def _refuse(error: OSError) -> None:
    raise AssayError(f"{error.filename}: the folder cannot be listed ({error.strerror})")
