"""Files that are either whole or absent: temporary name, sync, rename."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from weighting.errors import AssayError
from weighting.storage.failures import explain

TEMPORARY = ".*.tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success sync it and rename it to `path`.

    The name carries the process id, so two workers that write one file do not meet half-way.
    On any error the temporary file is removed and `path` stays as it was.

    Raises:
        CannotWrite: no room, or no right to write there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except BaseException as error:
        with suppress(OSError):  # on a read-only disk, where it cannot be either
            temporary.unlink(missing_ok=True)
        known = explain(error, path) if _is_of_writing(error, path) else None
        if known is None:
            raise
        raise known from error


def _is_of_writing(error: BaseException, path: Path) -> bool:
    """Say whether an error may come from writing `path`, and not from reading another file."""
    if not isinstance(error, OSError):
        return False
    return error.filename is None or Path(str(error.filename)).parent == path.parent


def remove_temporaries(folder: Path, spares: Callable[[Path], bool] = lambda _: False) -> None:
    """Remove the temporary files and folders that killed processes left anywhere in a folder.

    Folders below it that `spares` accepts stay as they are.
    """
    with suppress(FileNotFoundError):  # another process removes them as well
        for path in list(folder.iterdir()):
            is_folder = path.is_dir() and not path.is_symlink()
            if fnmatchcase(path.name, TEMPORARY):
                _remove(path, is_folder)
            elif is_folder and not spares(path):
                remove_temporaries(path, spares)


def _remove(path: Path, is_folder: bool) -> None:
    if is_folder:
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file's, or a folder's, content to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write JSON, keys sorted, whole or not at all. NaN is refused: it is not JSON."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file.

    Raises:
        AssayError: the file is missing, cannot be read, is not JSON, or has a key twice.
    """
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=_take_pairs)
    except FileNotFoundError:
        raise AssayError(f"{path}: no such file") from None
    except OSError as error:  # a folder, or a file that may not be read
        raise AssayError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise AssayError(f"{path}: not JSON ({error})") from None


def _take_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} stands twice")
    return found


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
