"""Compiled kernels: numba, with a cache that goes with this version of the code.

numba's own cache notices a change of the file that holds a function, not of the files whose
functions it calls. Here the cache folder is named by the hash of all modules that hold kernels.
"""

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

ROOT = Path(__file__).parent.parent


def _hash_kernels() -> str:
    digest = hashlib.sha256()
    for path in sorted(ROOT.rglob("*.py")):
        if b"njit" in (code := path.read_bytes()):
            digest.update(path.relative_to(ROOT).as_posix().encode() + code)
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


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(_make_cache())

import numba  # noqa: E402

F = TypeVar("F", bound=Callable[..., object])


def njit(function: F) -> F:
    """Compile a function of arrays and numbers on its first call; it drops the GIL meanwhile."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
