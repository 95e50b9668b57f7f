"""From what a user names (files, folders, globs, URLs, datasets) to a list of input files."""

import os
import re
from collections.abc import Iterable, Iterator
from glob import has_magic
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pipelines.readers.folders import RUN, LeftOut, Search, looks_like_data
from pipelines.readers.markers import is_hidden, is_marker, is_private
from pipelines.readers.registry import (
    READERS,
    find_by_folder,
    find_by_scheme,
    find_by_suffix,
    known_suffixes,
)
from pipelines.readers.streams.listing import list_paths
from pipelines.readers.streams.open_stream import open_input
from pipelines.readers.streams.placeholders import check_files
from pipelines.readers.streams.remote import COPIES, connect, list_waits
from pipelines.readers.streams.retries import LostInput, retry
from pipelines.readers.streams.urls import (
    ARCHIVES,
    CHAIN,
    LOCAL,
    WEB,
    is_url,
    name_path,
    tidy,
)
from weighting.contracts.claim import CLAIM, is_claim
from weighting.errors import AssayError


class Input(NamedTuple):
    """One file (or dataset) to read: where it lies, its name in ids, and the reader's key."""

    path: str
    name: str
    reader: str


class Inputs(NamedTuple):
    """The inputs, by name.

    `ignored` are files of folders and globs that no reader takes, `left_out` what was not looked
    into, with the reason.
    """

    found: list[Input]
    ignored: list[str]
    left_out: list[LeftOut]


def expand(specs: Iterable[str], reader: str | None = None, out: str | None = None) -> Inputs:
    """Return every input that the specs name, once, whatever their order.

    A folder is searched with its subfolders, without hidden files and runs of assay; one in it that
    a reader owns, such as a saved Hugging Face dataset, is one input. Names are relative to the
    deepest folder that holds all files, so they do not depend on where a corpus lies. `reader`
    reads every file, whatever its suffix. `out` is the folder of the run to be made.

    Raises:
        AssayError: nothing is there, nothing there can be read, two inputs share a name, or a local
            file may not be read or is a pointer to one that is elsewhere.
    """
    if reader is not None and not _takes_files(reader):
        valid = ", ".join(filter(_takes_files, READERS))
        raise AssayError(f"{reader}: no reader of files has this name; valid: {valid}")
    COPIES.forget()  # of an earlier look at the inputs
    readers: dict[str, str] = {}
    named: list[Input] = []
    ignored: set[str] = set()
    search = Search(out)
    for spec in specs:
        scheme = find_by_scheme(spec)
        if scheme:
            _check_scheme(spec)
            path, name = READERS[scheme].locate(spec)
            named.append(Input(path, name, scheme))
        else:
            found, unknown = _files(spec, reader, search)
            readers |= found
            ignored |= unknown
    inputs = sorted({*named, *_relative(readers)}, key=lambda item: (item.name, item.path))
    if not inputs:
        raise AssayError(f"no inputs; name files, folders, globs, URLs, {_list_usages()}")
    _check_names(inputs)
    check_files(sorted(path for path, taker in readers.items() if _takes_files(taker)))
    return Inputs(inputs, _unique(ignored), search.list_left_out())


def is_local(spec: str) -> bool:
    """Say whether what names an input is a path or glob of this machine's file system."""
    return not (is_url(spec) or find_by_scheme(spec))


def _check_scheme(spec: str) -> None:
    if os.path.lexists(spec):
        raise AssayError(
            f"{spec} is a file or folder here and an input of assay's own; ./{spec} names what is "
            "here, and the other is to be had from a folder without it"
        )


def _list_usages() -> str:
    *most, last = (reader.usage for reader in READERS.values() if reader.usage)
    return f"{', '.join(most)} or {last}"


def _takes_files(reader: str) -> bool:
    return reader in READERS and bool(READERS[reader].suffixes)


def _files(spec: str, reader: str | None, search: Search) -> tuple[dict[str, str], set[str]]:
    """Return {path: reader} of what one spec names, and the paths that no reader takes."""
    spec, *others = _spell(tidy(spec))
    paths = sorted(_remote(spec, search) if is_url(spec) else search.find(spec))
    for other in others:
        paths = paths or sorted(search.find(other))
    choices = {path: _choose(path, reader) for path in paths}
    readable = {path: choice for path, choice in choices.items() if choice}
    if not paths:
        reason = "nothing is in it" if Path(spec).exists() else "no such file or folder"
        if left_out := search.list_left_out():
            reason = f"nothing to read is there; left out {left_out[0].path}: {left_out[0].reason}"
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


def _spell(spec: str) -> list[str]:
    """Return the paths that a local URL may be, percent-encoded or not; any other spec."""
    if not spec.startswith(LOCAL):
        return [spec]
    path = spec.partition("://")[2]
    return list(dict.fromkeys([path, unquote(path)]))


def _remote(spec: str, search: Search) -> set[str]:
    """Return the URLs that a URL of a file, folder or glob names."""
    if spec.startswith(WEB) and _names_page(spec):
        return {spec}  # the web knows no folders: a listing would get the file
    try:
        filesystem, path = connect(spec)
        again, waits = filesystem.invalidate_cache, list_waits(spec)
        paths = retry(lambda: list_paths(filesystem, path), again, waits)
    except LostInput as error:
        raise error.tell(f"{spec}: cannot be opened") from None
    chain = "".join(spec.partition(CHAIN)[1:]) if spec.startswith(ARCHIVES) else ""
    pattern = filesystem.unstrip_protocol(path)
    return set(
        _pick({filesystem.unstrip_protocol(found) for found in paths}, pattern, chain, search)
    )


def _names_page(url: str) -> bool:
    """Say whether a URL of the web names a file: it has a query, or a suffix and is no glob."""
    path = urlsplit(url).path
    return "?" in url or (find_by_suffix(path) is not None and not has_magic(path))


def _pick(found: set[str], pattern: str, chain: str, search: Search) -> Iterator[str]:
    """Yield the URLs that may be read, of what was found; note what is left out.

    `chain` is what ends each of them. Hidden and private names must be asked for, as in folders.
    """
    fixed = re.match(r"[^*?[]*/", pattern) if has_magic(pattern) else None
    root = fixed[0] if fixed else pattern
    asked = {part[:1] for part in pattern.removeprefix(root).split("/")}
    runs = set(_list_runs(found, root, chain))
    for folder in runs:
        search.leave_out(folder + chain, RUN)
    for url in sorted(found):
        parts = url.removeprefix(root).strip("/").split("/")
        unasked = [part for part in parts if part[:1] not in asked]
        shy = [part for part in unasked if is_hidden(part) or is_private(part)]
        if shy and is_private(shy[0]) and looks_like_data(url):
            search.note_private(f"{url[: url.index(f'/{shy[0]}', len(root) - 1)]}/{shy[0]}{chain}")
        in_run = any(url.startswith(f"{folder}/") for folder in runs)
        if not (shy or in_run or is_marker(parts[-1])):
            yield url + chain


def _list_runs(found: set[str], root: str, chain: str) -> Iterator[str]:
    """Yield the folders below the root that are runs, as far as their claims were found."""
    for url in found:
        folder, _, name = url.rpartition("/")
        if name == CLAIM and folder.rstrip("/") != root.rstrip("/"):
            with open_input(url + chain) as file:
                if is_claim(file.read()):
                    yield folder


def _relative(readers: dict[str, str]) -> Iterator[Input]:
    """Name files relative to the deepest folder that holds all."""
    paths = _unique(readers)
    names = [name_path(path) for path in paths]
    folders = [name.split("/")[:-1] for name in names]
    common = len(os.path.commonprefix(folders))  # noqa: RUF071 - of lists, so whole components
    for path, name in zip(paths, names, strict=True):
        yield Input(path, "/".join(name.split("/")[common:]), readers[path])


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
