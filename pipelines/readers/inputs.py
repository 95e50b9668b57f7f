"""From what a user names (files, folders, globs, URLs, datasets) to a list of input files."""

import os
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from fsspec.core import url_to_fs

from pipelines.readers.markers import is_marker
from pipelines.readers.registry import (
    READERS,
    find_by_folder,
    find_by_scheme,
    find_by_suffix,
    known_suffixes,
)
from pipelines.readers.streams.listing import list_paths
from pipelines.readers.streams.open_stream import is_url
from pipelines.readers.streams.remote import COPIES, connect, list_waits
from pipelines.readers.streams.retries import LostInput, retry
from weighting.errors import AssayError

LOCAL_URL = "file://"
WEB = ("http://", "https://")


class Input(NamedTuple):
    """One file (or dataset) to read: where it lies, its name in ids, and the reader's key."""

    path: str
    name: str
    reader: str


class Inputs(NamedTuple):
    """The inputs, by name, and the files of folders and globs that no reader takes."""

    found: list[Input]
    ignored: list[str]


def expand(specs: Iterable[str], reader: str | None = None) -> Inputs:
    """Return every input that the specs name, once, whatever their order.

    A folder is searched with its subfolders, without hidden files; one in it that a reader owns,
    such as a saved Hugging Face dataset, is one input. Names are relative to the deepest folder
    that holds all files, so they do not depend on where a corpus lies. `reader` reads every file,
    whatever its suffix.

    Raises:
        AssayError: nothing is there, nothing there can be read, or two inputs share a name.
    """
    if reader is not None and not _takes_files(reader):
        valid = ", ".join(filter(_takes_files, READERS))
        raise AssayError(f"{reader}: no reader of files has this name; valid: {valid}")
    COPIES.forget()  # of an earlier look at the inputs
    readers: dict[str, str] = {}
    named: list[Input] = []
    ignored: set[str] = set()
    for spec in specs:
        scheme = find_by_scheme(spec)
        if scheme:
            path, name = READERS[scheme].locate(spec)
            named.append(Input(path, name, scheme))
        else:
            found, unknown = _files(spec, reader)
            readers |= found
            ignored |= unknown
    inputs = sorted({*named, *_relative(readers)}, key=lambda item: (item.name, item.path))
    if not inputs:
        raise AssayError(f"no inputs; name files, folders, globs, URLs, {_list_usages()}")
    _check_names(inputs)
    return Inputs(inputs, _unique(ignored))


def is_local(spec: str) -> bool:
    """Say whether what names an input is a path or glob of this machine's file system."""
    return not (is_url(spec) or find_by_scheme(spec))


def _list_usages() -> str:
    *most, last = (reader.usage for reader in READERS.values() if reader.usage)
    return f"{', '.join(most)} or {last}"


def _takes_files(reader: str) -> bool:
    return reader in READERS and bool(READERS[reader].suffixes)


def _files(spec: str, reader: str | None) -> tuple[dict[str, str], set[str]]:
    """Return {path: reader} of what one spec names, and the paths that no reader takes."""
    if spec.startswith(LOCAL_URL):
        _, spec = url_to_fs(spec)
    paths = sorted(_remote(spec) if is_url(spec) else _local(spec))
    choices = {path: _choose(path, reader) for path in paths}
    readable = {path: choice for path, choice in choices.items() if choice}
    if not paths:
        reason = "nothing is in it" if Path(spec).exists() else "no such file or folder"
        raise AssayError(f"{spec}: {reason}")
    if not readable:
        subject = (
            "its suffix is" if len(paths) == 1 else f"the suffixes of its {len(paths)} files are"
        )
        valid = f'valid: {known_suffixes()}; or name a reader, as read.format = "jsonl"'
        raise AssayError(f"{spec}: {subject} not known; {valid}")
    return readable, set(paths) - readable.keys()


def _choose(path: str, reader: str | None) -> str | None:
    """Return the reader of a path; None if none reads it, or it is a pipe, socket or device."""
    mode = None if is_url(path) else _mode(path)
    if mode is not None and S_ISDIR(mode):
        return find_by_folder(path)
    return (reader or find_by_suffix(path)) if mode is None or S_ISREG(mode) else None


def _mode(path: str) -> int | None:
    """Return what kind of file this is; None where that cannot be known, as reading will report."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return None


def _local(spec: str) -> set[str]:
    """Return the absolute paths that a local path, folder or glob names."""
    is_pattern = has_magic(spec) and not os.path.lexists(spec)
    matches = glob(spec, recursive=True) if is_pattern else [spec]  # noqa: PTH207 - may be absolute
    paths: set[str] = set()
    for match in matches:
        absolute = os.path.abspath(match)  # noqa: PTH100 - resolve() would rename linked files
        mode = _mode(absolute)
        if mode is not None and S_ISDIR(mode):
            paths.update(_walk(absolute))
        elif is_pattern and is_marker(os.path.basename(absolute)):  # noqa: PTH119 - of a str
            continue
        elif os.path.lexists(absolute):  # a link that leads nowhere is an unreadable file
            paths.add(absolute)
    return paths


def _walk(root: str) -> Iterator[str]:
    """Yield the files under a folder, and folders that a reader owns; each real folder once."""
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
        subfolders[:] = sorted(name for name in subfolders if not is_marker(name, folder=True))
        yield from (f"{folder}/{name}" for name in files if not is_marker(name))


def _refuse(error: OSError) -> None:
    raise AssayError(f"{error.filename}: the folder cannot be listed ({error.strerror})")


def _remote(spec: str) -> set[str]:
    """Return the URLs that a URL of a file, folder or glob names."""
    if spec.startswith(WEB) and find_by_suffix(spec) and not has_magic(spec):
        return {spec}  # the web knows no folders: a listing would get the file
    try:
        filesystem, path = connect(spec)
        again, waits = filesystem.invalidate_cache, list_waits(spec)
        paths = retry(lambda: list_paths(filesystem, path), again, waits)
    except LostInput as error:
        raise AssayError(f"{spec}: cannot be opened ({error})") from None
    visible = (found for found in paths if not _is_hidden(found.removeprefix(path)))
    return {filesystem.unstrip_protocol(found) for found in visible}


def _is_hidden(path: str) -> bool:
    *folders, name = path.split("/")
    return is_marker(name) or any(is_marker(folder, folder=True) for folder in folders)


def _relative(readers: dict[str, str]) -> Iterator[Input]:
    """Name files relative to the deepest folder that holds all."""
    paths = _unique(readers)
    folders = [path.split("/")[:-1] for path in paths]
    common = len(os.path.commonprefix(folders))  # noqa: RUF071 - of lists, so whole components
    for path in paths:
        yield Input(path, "/".join(path.split("/")[common:]), readers[path])


def _unique(paths: Iterable[str]) -> list[str]:
    """Return the first path of each file: links may give it several."""
    unique: dict[str, str] = {}
    for path in sorted(paths):
        unique.setdefault(path if is_url(path) else os.path.realpath(path), path)
    return list(unique.values())


def _check_names(inputs: list[Input]) -> None:
    """Refuse what would give two documents one id, or an id that is not text."""
    names: dict[str, str] = {}
    for item in inputs:
        path, name = item.path, item.name
        if name.encode("utf-8", "replace").decode() != name:
            raise AssayError(f"{path!r}: the file's name is not UTF-8; rename it")
        if names.setdefault(name, path) != path:
            raise AssayError(f"{path} and {names[name]}: two inputs share the name {name}")
