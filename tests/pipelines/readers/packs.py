"""What makes a file of each compression, by suffix."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import zstandard

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
PACK_OR_NOT: dict[str, Callable[[bytes], bytes]] = {"": bytes, **PACK}
