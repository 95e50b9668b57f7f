"""Compiled kernels: numba, with a cache that goes with this version of the code.

numba's own cache notices a change of the file that holds a function, not of the files whose
functions and constants went into the machine code. Here the cache folder is named by the hash of
all modules that hold kernels, and of the project's modules that these import.
"""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

ROOT = Path(__file__).parent.parent  # of this package; weighting lies beside it
IMPORT = re.compile(rb"^from ((?:pipelines|weighting)[.\w]*) import", re.MULTILINE)


def _hash_kernels() -> str:
    """Return the hash of the modules that hold kernels and of those that these import."""
    kernels = {path for path in ROOT.rglob("*.py") if b"njit" in path.read_bytes()}
    names = {name.decode() for path in kernels for name in IMPORT.findall(path.read_bytes())}
    stems = [ROOT.parent.joinpath(*name.split(".")) for name in names]
    imported = {path for stem in stems for path in (stem.with_suffix(".py"), stem / "__init__.py")}
    digest = hashlib.sha256()
    for path in sorted(kernels | {path for path in imported if path.is_file()}):
        digest.update(path.relative_to(ROOT.parent).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make_cache() -> Path:
    """Make the cache folder in the user's, or one for this process and its workers alone."""
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(caches, "assay", f"numba-{_hash_kernels()}")
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # a home that cannot be written, or none
        pass
    # Not a name that others could guess: what lies in the cache is run.
    private = tempfile.mkdtemp(prefix="assay-numba-")
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    return Path(private)


def _is_usable(folder: str) -> bool:
    """Say whether numba can write into a folder, which is made if it is not there."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):  # no folder can be there, or have that name
        return False
    return os.access(folder, os.W_OK)


_named = os.environ.get("NUMBA_CACHE_DIR")
if not (_named and _is_usable(_named)):  # where it cannot write, numba compiles nothing at all
    os.environ["NUMBA_CACHE_DIR"] = str(_make_cache())

import numba  # noqa: E402

F = TypeVar("F", bound=Callable[..., object])


def njit(function: F) -> F:
    """Compile a function of arrays and numbers on its first call; it drops the GIL meanwhile."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
