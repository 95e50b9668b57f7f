"""Bytes of an input, wherever it lies and however it is compressed.

Paths are local or any fsspec URL; of the latter there is a local copy (`streams.remote`).
"""

import io
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import xxhash

from pipelines.readers.streams.compression import (
    BLOCK,
    CODECS,
    USUAL_RATIO,
    codec_of,
    decompress,
    read_head,
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
from pipelines.readers.streams.remote import COPIES
from pipelines.readers.streams.retries import LostInput, retry
from pipelines.readers.streams.urls import is_gone, is_url

RECORD_LIMIT = 256 * 2**20  # bytes of one record's raw text, the most that is held in memory
UNREADABLE = "unreadable"  # in place of the hash of an input that cannot be read


class InputFile(io.RawIOBase):
    """An open file that tells a failing disk or network from damaged data.

    Decoders raise OSError for the latter, so the former is a LostInput.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file, self._at = file, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read from any place."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # of BufferedReader
        """Read into a buffer; return how many bytes.

        Raises:
            LostInput: the system cannot read on.
        """
        try:
            size = os.preadv(self._file.fileno(), [buffer], self._at)
        except OSError as error:
            raise LostInput(str(error)) from None
        self._at += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; return it."""
        start = (0, self._at, os.fstat(self._file.fileno()).st_size)[whence]
        if start + offset < 0:
            raise ValueError(f"no place {offset} from {start}")
        self._at = start + offset
        return self._at

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def open_input(path: str) -> BinaryIO:
    """Open an input for reading bytes; the file can seek.

    Raises:
        OSError: it cannot be opened.
        LostInput: a remote one cannot be got; or, from the file's methods, it cannot be read on.
    """
    return io.BufferedReader(InputFile(_open_raw(path)))


def _open_raw(path: str) -> BinaryIO:
    if is_url(path):
        return COPIES.get(path).open()
    return Path(path).open("rb", buffering=0)


def file_size(path: str) -> int:
    """Return the stored size in bytes; 0 where it cannot be known, which reading will report.

    Raises:
        LostInput: a remote input cannot be got.
    """
    if is_url(path):
        return COPIES.stat(path).size
    with suppress(OSError):
        return Path(path).stat().st_size
    return 0


def text_size(path: str) -> int:
    """Return the size in bytes once decompressed: exact for plain files, else an estimate.

    Raises:
        LostInput: a remote input cannot be got.
    """
    size, codec = file_size(path), codec_of(path)
    if codec is None:
        return size
    stated = 0
    with suppress(OSError, LostInput), open_input(path) as file:
        stated = codec.stated_size(file)
    # Of several frames one states its size: taken for all, it would be too small.
    return stated if stated >= size else USUAL_RATIO * size


def read_blocks(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield the decompressed bytes from offset `start` on, in blocks of about 1 MiB.

    A compression is told by the first bytes where all is read. Files of which that differs from
    their suffix are not cut (see `peek`), so that elsewhere the suffix tells it.

    Raises:
        Damage: after the last good byte of a frame that is cut short or corrupt.
        OSError: the file cannot be opened.
        LostInput: it cannot be read on.
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


def read_stored(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield a file's bytes as they are stored from offset `start` on, in blocks of about 1 MiB.

    Raises:
        OSError: the file cannot be opened.
        LostInput: it cannot be read on.
    """
    with open_input(path) as file:
        file.seek(start)
        yield from iter(partial(file.read, BLOCK), b"")


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
    with suppress(OSError), open_input(path) as file:
        first = file.read(FIRST)
        codec = CODECS.get(find_compression(path, first))
        file.seek(0)
        head = read_head(file, codec, PEEKED) if codec else file.read(PEEKED)
    return describe_content(path, first, head)


def digest(path: str) -> tuple[int, str]:
    """Return the stored size in bytes and the hex xxh3-64 of the stored bytes.

    A local link that leads nowhere has the hash UNREADABLE, as its records go to quarantine.

    Raises:
        LostInput: the input cannot be got, or not be read.
    """
    if is_url(path):
        return COPIES.stat(path)
    try:
        return retry(partial(_hash, path))
    except LostInput:
        if is_gone(path):
            return 0, UNREADABLE
        raise


def _hash(path: str) -> tuple[int, str]:
    state, size = xxhash.xxh3_64(), 0
    with open_input(path) as file:
        for block in iter(partial(file.read, BLOCK), b""):
            state.update(block)
            size += len(block)
    return size, state.hexdigest()
