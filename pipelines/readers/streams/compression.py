"""Compressed bytes: gzip, Zstandard, bzip2 and xz, told by suffix.

Several members, frames or streams in one file follow each other, as `cat a.gz b.gz` makes them.
Here all of these are called frames.
"""

import bz2
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, Protocol, cast

import zstandard

from pipelines.readers.streams.retries import LostInput
from pipelines.readers.streams.urls import file_path

BLOCK = 2**20  # bytes of text that are handed on at once, about
USUAL_RATIO = 4  # of text; the estimate where a file does not state its own size
GZIP_HIGHEST_RATIO = 1032  # of the format; a higher one is a trailer cut short
NO_MEMORY = ("not enough memory", "Error -4 ")  # as zstd and zlib say it; others raise MemoryError
MEMORY_LIMIT = 2**31  # bytes of history that a frame may ask a decoder to keep


class Damage(Exception):
    """A compressed frame is cut short or corrupt; every byte before that has been yielded.

    `frame` is the stored offset at which the frame begins, `offset` the decompressed bytes of it
    that came out, counted from where reading began.
    """

    def __init__(self, message: str, frame: int, offset: int = 0) -> None:
        super().__init__(message)
        self.frame = frame
        self.offset = offset


class Decoder(Protocol):
    """What the libraries' decoders have in common, for one frame."""

    @property
    def eof(self) -> bool:
        """Whether the frame is complete."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What followed it in the last bytes given."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Return what the next compressed bytes decompress to."""
        ...


class Codec(NamedTuple):
    """How one compression is undone.

    `piece` bytes are decoded at a time: it bounds what one step can return, even of a file of one
    repeated byte, to 128 MiB. `stated_size` returns the size that the file itself gives, 0 for
    none.
    """

    new_decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    piece: int = 4096
    stated_size: Callable[[BinaryIO], int] = lambda _: 0


class Chunk(NamedTuple):
    """Decompressed bytes of one frame, and the offset of the first among the frame's."""

    frame: int
    offset: int
    data: bytes


def with_compressions(*suffixes: str) -> tuple[str, ...]:
    """Return each suffix alone and before every suffix of a compression."""
    return tuple(f"{suffix}{packed}" for suffix in suffixes for packed in ("", *CODECS))


def without_compression(name: str) -> str:
    """Return a file's name without the suffix of its compression."""
    return name[: -len(suffix_of(name))] if is_compressed(name) else name


def codec_of(path: str) -> Codec | None:
    """Return how the file is decompressed, None for a plain one."""
    return CODECS.get(suffix_of(path))


def compression_of(path: str) -> str:
    """Return the suffix of a compression that is read, "" where the path has none."""
    return suffix_of(path) if is_compressed(path) else ""


def is_compressed(path: str) -> bool:
    """Whether the path ends in a suffix of a compression that is read."""
    return suffix_of(path) in CODECS


def decompress(file: BinaryIO, codec: Codec) -> Iterator[Chunk]:
    """Yield what the frames hold from the file's position on, which must be where one begins.

    A chunk is at most about BLOCK bytes of one frame.

    Raises:
        Damage: after the last good byte of a frame that is cut short or corrupt.
        OSError: the file cannot be read.
        MemoryError: there is too little memory for a decoder, which asks for MEMORY_LIMIT at most.
    """
    frame = offset = size = 0
    held: list[bytes] = []
    try:
        for began, piece in _decode(file, codec):
            if not piece:
                continue
            if held and (began != frame or size >= BLOCK):
                yield Chunk(frame, offset, b"".join(held))
                offset, held, size = offset + size, [], 0
            frame, offset = began, offset if began == frame else 0
            held.append(piece)
            size += len(piece)
    except (Damage, OSError, LostInput) as error:
        if size:
            yield Chunk(frame, offset, b"".join(held))  # what came before is good
        if isinstance(error, Damage) and error.frame == frame:
            error.offset = offset + size
        raise
    if size:
        yield Chunk(frame, offset, b"".join(held))


def read_head(file: BinaryIO, codec: Codec, size: int) -> bytes:
    """Return the first `size` bytes of what a file's frames hold; fewer where it is damaged."""
    head = bytearray()
    with suppress(Damage):
        for _, piece in _decode(file, codec):
            head += piece
            if len(head) >= size:
                break
    return bytes(head[:size])


def _decode(file: BinaryIO, codec: Codec) -> Iterator[tuple[int, bytes]]:
    """Yield (stored offset of the frame, some decompressed bytes of it)."""
    decoder: Decoder | None = None
    finished = False
    position = began = file.tell()
    for piece in iter(partial(file.read, codec.piece), b""):
        position += len(piece)
        data = piece
        while data:
            if decoder is None:
                # Zeros may pad what follows a frame, but a file of zeros is damage.
                data = data.lstrip(b"\0") if finished else data
                if not data:
                    break
                decoder, began = codec.new_decoder(), position - len(data)
            try:
                yield began, decoder.decompress(data)
            except codec.errors as error:
                _raise_want(error)
                yield from _salvage(file, codec, began, position - len(data))
                raise Damage(f"compressed data is corrupt ({error})", began) from None
            finished, data = decoder.eof, decoder.unused_data
            decoder = None if finished else decoder
    if decoder is not None:
        raise Damage("compressed data is cut short", began)


def _raise_want(error: Exception) -> None:
    """Raise a library's want of memory as such; return for any other error."""
    if any(words in str(error) for words in NO_MEMORY):
        raise MemoryError(str(error)) from None


def _salvage(file: BinaryIO, codec: Codec, frame: int, failed: int) -> Iterator[tuple[int, bytes]]:
    """Yield what one failed step held before the damage.

    A decoder that fails returns nothing of that step, so the frame is decoded again up to the
    step at `failed`, and from there byte by byte.
    """
    decoder = codec.new_decoder()
    file.seek(frame)
    while (position := file.tell()) < failed:
        decoder.decompress(file.read(min(codec.piece, failed - position)))
    for byte in file.read(codec.piece):
        try:
            yield frame, decoder.decompress(bytes((byte,)))
        except codec.errors:
            return


def suffix_of(path: str) -> str:
    """Return a path's last suffix, in lower case."""
    return PurePath(file_path(path)).suffix.lower()


def _gzip_decoder() -> Decoder:
    return cast("Decoder", zlib.decompressobj(wbits=16 + zlib.MAX_WBITS))


def _zstd_decoder() -> Decoder:
    return cast("Decoder", zstandard.ZstdDecompressor(max_window_size=MEMORY_LIMIT).decompressobj())


def _xz_decoder() -> Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_LIMIT)


def _gzip_stated_size(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    if size < 4:  # before the start, some files of fsspec raise other errors than OSError
        return 0
    file.seek(-4, os.SEEK_END)
    stated = int.from_bytes(file.read(4), "little")  # RFC 1952; modulo 2^32
    return stated if stated <= GZIP_HIGHEST_RATIO * size else 0


def _zstd_stated_size(file: BinaryIO) -> int:
    with suppress(zstandard.ZstdError):
        return zstandard.frame_content_size(file.read(18))  # the longest frame header
    return 0


CODECS: dict[str, Codec] = {
    ".gz": Codec(_gzip_decoder, (zlib.error,), stated_size=_gzip_stated_size),
    ".zst": Codec(_zstd_decoder, (zstandard.ZstdError,), stated_size=_zstd_stated_size),
    # 40 bytes of bzip2 can stand for 46 MB.
    ".bz2": Codec(bz2.BZ2Decompressor, (OSError, ValueError), piece=64),
    ".xz": Codec(_xz_decoder, (lzma.LZMAError,)),
}
