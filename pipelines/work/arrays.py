"""NumPy arrays as files: written atomically, read memory-mapped, never pickled."""

from pathlib import Path

import numpy as np

from weighting.arrays import AnyArray
from weighting.storage.files import replacing

HEADER_BYTES = 256  # a .npy file this small may hold no element, which cannot be mapped


def save_array(path: Path, array: AnyArray) -> None:
    """Write one array.

    Raises:
        CannotWrite: no room, or no right to write there.
        ValueError: the array holds Python objects.
    """
    if array.dtype.hasobject:
        raise ValueError("Object arrays cannot be saved")
    header = np.lib.format.header_data_from_array_1_0(array)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        # Not `np.save`, whose errors do not say that the disk is full.
        flat = array.ravel("F") if header["fortran_order"] else array.ravel()
        file.write(flat.view(np.uint8).data)


def load_array(path: Path) -> AnyArray:
    """Return the array, mapped from the file rather than read."""
    mapped = path.stat().st_size > HEADER_BYTES
    return np.asarray(np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False))
