"""Bytes of an input, wherever it lies and however it is compressed.

Paths are local or any fsspec URL.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
import xxhash
from fsspec.core import url_to_fs

from pipelines.readers.streams.compression import (
    BLOCK,
    CODECS,
    USUAL_RATIO,
    Damage,
    codec_of,
    decompress,
)
from pipelines.readers.streams.content import (
    FIRST,
    PEEKED,
    UTF8,
    Content,
    describe_content,
    find_compression,
    find_encoding,
    recode,
)

RECORD_LIMIT = 256 * 2**20  # bytes of one record's raw text, the most that is held in memory


def is_url(path: str) -> bool:
    """Whether fsspec, rather than the local file system, opens this path."""
    return "://" in path


def open_input(path: str) -> BinaryIO:
    """Open an input for reading bytes; the file can seek."""
    if is_url(path):
        return cast("BinaryIO", fsspec.open(path, "rb").open())
    return Path(path).open("rb")


def file_size(path: str) -> int:
    """Return the stored size in bytes; 0 where it cannot be known, which reading will report."""
    with suppress(OSError):
        if is_url(path):
            filesystem, inner = url_to_fs(path)
            return int(filesystem.size(inner) or 0)
        return Path(path).stat().st_size
    return 0


def text_size(path: str) -> int:
    """Return the size in bytes once decompressed: exact for plain files, else an estimate."""
    size, codec = file_size(path), codec_of(path)
    if codec is None:
        return size
    stated = 0
    with suppress(OSError), open_input(path) as file:
        stated = codec.stated_size(file)
    # Of several frames one states its size: taken for all, it would be too small.
    return stated if stated >= size else USUAL_RATIO * size


def read_blocks(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield the decompressed bytes from offset `start` on, in blocks of about 1 MiB.

    A compression is told by the first bytes where all is read. Files of which that differs from
    their suffix are not cut (see `peek`), so that elsewhere the suffix tells it.

    Raises:
        Damage: after the last good byte of a frame that is cut short or corrupt.
        OSError: the file cannot be opened or read.
    """
    codec = codec_of(path)
    with open_input(path) as file:
        if start == 0:
            codec = CODECS.get(find_compression(path, file.read(FIRST)))
            file.seek(0)
        if codec is None:
            file.seek(start)
            yield from iter(partial(file.read, BLOCK), b"")
            return
        for chunk in decompress(file, codec):
            dropped = min(start, len(chunk.data))
            start -= dropped
            yield chunk.data[dropped:]


def read_text_blocks(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield a file's text as `read_blocks` does; in UTF-8 where it begins as UTF-16 or UTF-32.

    Raises:
        Damage: as in `read_blocks`, or a last character is cut short.
        OSError: the file cannot be opened or read.
    """
    blocks = read_blocks(path, start)
    if start:
        yield from blocks
        return
    for first in islice(blocks, 1):
        encoding = find_encoding(first)
        blocks = chain((first,), blocks)
        yield from blocks if encoding == UTF8 else recode(blocks, encoding)


def peek(path: str) -> Content:
    """Return what a file holds, by its first bytes; of one that cannot be opened, nothing."""
    first = head = b""
    with suppress(OSError, Damage):
        with open_input(path) as file:
            first = file.read(FIRST)
        head = next(read_blocks(path), b"")[:PEEKED]
    return describe_content(path, first, head)


def digest(path: str) -> tuple[int, str]:
    """Return the stored size in bytes and the hex xxh3-64 of the stored bytes.

    An input that cannot be read has the hash "unreadable", as its records go to quarantine.
    """
    state, size = xxhash.xxh3_64(), 0
    try:
        with open_input(path) as file:
            for block in iter(partial(file.read, BLOCK), b""):
                state.update(block)
                size += len(block)
    except OSError:
        return 0, "unreadable"
    return size, state.hexdigest()
