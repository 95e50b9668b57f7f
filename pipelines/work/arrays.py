"""NumPy arrays as files: written atomically, read memory-mapped, never pickled."""

from pathlib import Path

import numpy as np

from weighting.arrays import AnyArray
from weighting.storage.files import replacing

HEADER_BYTES = 256  # a .npy file this small may hold no element, which cannot be mapped


def save_array(path: Path, array: AnyArray) -> None:
    """Write one array."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def load_array(path: Path) -> AnyArray:
    """Return the array, mapped from the file rather than read."""
    mapped = path.stat().st_size > HEADER_BYTES
    return np.asarray(np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False))
