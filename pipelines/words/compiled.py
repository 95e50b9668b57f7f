"""Compiled kernels: numba, with a cache that goes with this version of the code.

numba's own cache notices a change of the file that holds a function, not of the files whose
functions it calls. Here the cache folder is named by the hash of all modules that hold kernels.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _hash_kernels() -> str:
    digest = hashlib.sha256()
    for folder in (ROOT / "words", ROOT / "rules"):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE / "assay" / f"numba-{_hash_kernels()}"))

import numba  # noqa: E402

F = TypeVar("F", bound=Callable[..., object])


def njit(function: F) -> F:
    """Compile a function of arrays and numbers on its first call; it drops the GIL meanwhile."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
