"""Bytes of an input, wherever it lies and however it is compressed.

Paths are local or any fsspec URL. Gzip and Zstandard are told by suffix; several members or frames
in one file follow each other, as `cat a.gz b.gz` makes them.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import fsspec
import xxhash
import zstandard
from fsspec.core import url_to_fs

RECORD_LIMIT = 256 * 2**20  # bytes of one record's raw text, the most that is held in memory
BLOCK = 2**20
# Zstandard packs 128 KiB of one repeated byte into 4 bytes: a small piece bounds what one step of
# decompression can return, even on such a file, to 128 MiB.
PIECE = 4096
USUAL_RATIO = 4  # of text; the estimate where a file does not state its own size
GZIP_HIGHEST_RATIO = 1032  # of the format; a higher one is a trailer cut short


class Damage(Exception):
    """A compressed stream is cut short or corrupt; every byte before that has been yielded."""


class Decoder(Protocol):
    """What `zlib.decompressobj` and `zstandard`'s have in common, for one member or frame."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes:
        """Return what the next compressed bytes stand for."""
        ...


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
    size = file_size(path)
    if not is_compressed(path):
        return size
    stated = 0
    with suppress(OSError), open_input(path) as file:
        stated = STATED_SIZES[_suffix(path)](file)
    # Of several members or frames one states its size: taken for all, it would be too small.
    return stated if stated >= size else USUAL_RATIO * size


def is_compressed(path: str) -> bool:
    """Whether the path ends in a suffix of a compression that is read."""
    return _suffix(path) in DECODERS


def read_blocks(path: str, start: int = 0) -> Iterator[bytes]:
    """Yield the decompressed bytes from offset `start` on, in blocks of about 1 MiB.

    Raises:
        Damage: after the last good byte of a stream that is cut short or corrupt.
        OSError: the file cannot be opened or read.
    """
    with open_input(path) as file:
        if is_compressed(path):
            yield from _skip(_decompress(file, DECODERS[_suffix(path)]), start)
        else:
            file.seek(start)
            yield from iter(partial(file.read, BLOCK), b"")


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


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _skip(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Drop the first `count` bytes and join what follows into blocks."""
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            dropped = min(count, len(piece))
            count -= dropped
            held.append(piece[dropped:])
            size += len(held[-1])
            if size >= BLOCK:
                yield b"".join(held)
                held, size = [], 0
    except (Damage, OSError):
        yield b"".join(held)  # what came before is good
        raise
    yield b"".join(held)


def _decompress(file: BinaryIO, new_decoder: Callable[[], Decoder]) -> Iterator[bytes]:
    """Yield what the members of a file hold, one after the other."""
    decoder: Decoder | None = None
    finished = False
    member_start = position = 0
    for piece in iter(partial(file.read, PIECE), b""):
        position += len(piece)
        data = piece
        while data:
            if decoder is None:
                # Zeros may pad what follows a member, but a file of zeros is damage.
                data = data.lstrip(b"\0") if finished else data
                if not data:
                    break
                decoder, member_start = new_decoder(), position - len(data)
            try:
                yield decoder.decompress(data)
            except DECODE_ERRORS as error:
                yield from _salvage(file, new_decoder(), member_start, position - len(data))
                raise Damage(f"compressed data is corrupt ({error})") from None
            finished, data = decoder.eof, decoder.unused_data
            decoder = None if finished else decoder
    if decoder is not None:
        raise Damage("compressed data is cut short")


def _salvage(file: BinaryIO, decoder: Decoder, start: int, failed: int) -> Iterator[bytes]:
    """Yield what one failed step held before the damage.

    A decoder that fails returns nothing of that step, so the member is decoded again up to the
    step at `failed`, and from there byte by byte.
    """
    file.seek(start)
    while start < failed:
        piece = file.read(min(PIECE, failed - start))
        decoder.decompress(piece)
        start += len(piece)
    with suppress(*DECODE_ERRORS):
        for byte in file.read(PIECE):
            yield decoder.decompress(bytes((byte,)))


def _gzip_decoder() -> Decoder:
    return cast("Decoder", zlib.decompressobj(wbits=16 + zlib.MAX_WBITS))


def _zstd_decoder() -> Decoder:
    return cast("Decoder", zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj())


def _gzip_stated_size(file: BinaryIO) -> int:
    size = file.seek(-4, os.SEEK_END) + 4
    stated = int.from_bytes(file.read(4), "little")  # RFC 1952; modulo 2^32
    return stated if stated <= GZIP_HIGHEST_RATIO * size else 0


def _zstd_stated_size(file: BinaryIO) -> int:
    with suppress(zstandard.ZstdError):
        return zstandard.frame_content_size(file.read(18))  # the longest frame header
    return 0


DECODE_ERRORS = (zlib.error, zstandard.ZstdError)
DECODERS: dict[str, Callable[[], Decoder]] = {".gz": _gzip_decoder, ".zst": _zstd_decoder}
STATED_SIZES: dict[str, Callable[[BinaryIO], int]] = {
    ".gz": _gzip_stated_size,
    ".zst": _zstd_stated_size,
}
