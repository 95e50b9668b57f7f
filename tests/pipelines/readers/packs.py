"""What makes a file of each compression, by suffix."""

import bz2
import gzip
import lzma

import zstandard

PACK = {
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
PACK_OR_NOT = {"": bytes, **PACK}
