"""Frames of compressed files: places where decompression can begin.

A Zstandard file of several frames (as the seekable format, pzstd and `cat` make them) and a gzip
file of several members (as bgzip and `cat` make them) can be read from the start of any of them.
The ends of Zstandard frames and of bgzip members follow from their headers, without decoding;
those of other gzip members are found by decoding once. bzip2 and xz files are not searched.

A file counts as framed if its first frame is not long (`Format.reach`) and another follows: a test
that is cheap, and the same for every slice of the file. Places in a framed file are (stored offset
of a frame, decompressed offset in it), so they depend neither on the cut nor on earlier frames.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from os import SEEK_END
from pathlib import PurePath
from sys import maxsize
from typing import BinaryIO, NamedTuple

import zstandard

from pipelines.readers.streams.compression import (
    BLOCK,
    USUAL_RATIO,
    Chunk,
    Damage,
    codec_of,
    decompress,
)
from pipelines.readers.streams.open_stream import open_input

PIECE = 2**16  # stored bytes decoded at a time to find a member's end; at most 64 MiB of text
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_LONGEST_HEADER = 18
SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # RFC 8878, section 3.1.2
HIGHEST_RATIO = 2**15  # of the format: 128 KiB of one byte in four; a higher one is damage
RLE, RESERVED = 1, 3  # types of blocks; RLE stores one byte
GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP_FIXED_HEADER = 12  # with the length of the extra fields
GZIP_EXTRA = 4  # the flag that there are some
BGZIP_FIELD = b"BC\x02\x00"


class Frame(NamedTuple):
    """Stored bytes [start, end) of a file that can be decompressed alone.

    `size` is the bytes of text in it, an estimate where the frame does not state it.
    """

    start: int
    end: int
    size: int


class Format(NamedTuple):
    """How frames are found.

    `find` returns the one at an offset; None if its headers are damaged, or it is longer than a
    number of stored bytes. For the first frame of a file that is `reach`.
    """

    magic: bytes
    find: Callable[[BinaryIO, int, int], Frame | None]
    reach: int


def is_framed(path: str) -> bool:
    """Whether the file can be cut at its frames.

    Raises:
        OSError: it cannot be opened.
    """
    if _suffix(path) not in FORMATS:
        return False
    reach = FORMATS[_suffix(path)].reach
    with open_input(path) as file:
        if _suffix(path) == ".gz" and GZIP_MAGIC not in file.read(reach + PIECE + 4)[1:]:
            return False  # as most are: the member need not be decoded to find its end
        first = find_frame(path, file, 0, reach)
        return first is not None and _seems_frame(path, file, first.end)


def find_frame(path: str, file: BinaryIO, start: int, longest: int = maxsize) -> Frame | None:
    """Return the frame at a stored offset.

    None if none begins there, its headers are damaged, or it does not end within `longest` bytes
    and the file.
    """
    frame = FORMATS[_suffix(path)].find(file, start, longest)
    return frame if frame and frame.end <= file.seek(0, SEEK_END) else None


def list_frames(path: str) -> Iterator[Frame]:
    """Yield the frames of a file that can be found."""
    with open_input(path) as file:
        start: int | None = 0
        while start is not None:
            frame = find_frame(path, file, start)
            if frame:
                yield frame
            start = frame.end if frame else _search_frame(path, file, start + 1)


def read_frames(path: str, start: int) -> Iterator[Chunk | Damage]:
    """Yield what the frames from stored offset `start` on hold.

    Damage costs the rest of its frame: reading goes on at the next that can be found.

    Raises:
        OSError: the file cannot be opened or read.
    """
    codec = codec_of(path)
    assert codec is not None, path
    following: int | None = start
    with open_input(path) as file:
        while following is not None:
            file.seek(following)
            following = None
            try:
                yield from decompress(file, codec)
            except Damage as damage:
                yield damage
                frame = find_frame(path, file, damage.frame)
                following = frame.end if frame else _search_frame(path, file, damage.frame + 1)


def _seems_frame(path: str, file: BinaryIO, start: int) -> bool:
    file.seek(start)
    head = file.read(4)
    return head.startswith(FORMATS[_suffix(path)].magic) or _is_skippable(head)


def _search_frame(path: str, file: BinaryIO, start: int) -> int | None:
    """Return where the first sound frame begins after damaged headers."""
    magic = FORMATS[_suffix(path)].magic
    while file.seek(start) == start and (window := file.read(BLOCK)):
        at = window.find(magic)
        if at >= 0 and find_frame(path, file, start + at):
            return start + at
        start += at + 1 if at >= 0 else max(len(window) - len(magic) + 1, 1)
    return None


def _find_zstd_frame(file: BinaryIO, start: int, longest: int) -> Frame | None:
    """Walk the headers of a frame's blocks (RFC 8878, section 3.1)."""
    file.seek(start)
    head = file.read(ZSTD_LONGEST_HEADER)
    if _is_skippable(head):
        return Frame(start, start + 8 + int.from_bytes(head[4:8], "little"), 0)
    try:
        stated = zstandard.get_frame_parameters(head)
        end = start + zstandard.frame_header_size(head)
    except zstandard.ZstdError:
        return None
    last = False
    while not last:
        file.seek(end)
        block = int.from_bytes(file.read(3).ljust(3, b"\xff"), "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        end += 3 + (1 if kind == RLE else size)
        if kind == RESERVED or end - start > longest:
            return None
    end += 4 * stated.has_checksum
    stored, size = end - start, stated.content_size
    unknown = size == zstandard.CONTENTSIZE_UNKNOWN
    return Frame(start, end, stored * USUAL_RATIO if unknown else min(size, stored * HIGHEST_RATIO))


def _find_gzip_member(file: BinaryIO, start: int, longest: int) -> Frame | None:
    """Read a bgzip member's size (SAM specification, section 4.1), or decode the member."""
    file.seek(start)
    head = file.read(GZIP_FIXED_HEADER)
    if len(head) < GZIP_FIXED_HEADER or not head.startswith(GZIP_MAGIC):
        return None
    extra = file.read(int.from_bytes(head[10:], "little")) if head[3] & GZIP_EXTRA else b""
    if not extra.startswith(BGZIP_FIELD):
        return _decode_gzip_member(file, start, longest)
    end = start + int.from_bytes(extra[4:6], "little") + 1
    file.seek(end - 4)
    return Frame(start, end, int.from_bytes(file.read(4), "little")) if end > start + 12 else None


def _decode_gzip_member(file: BinaryIO, start: int, longest: int) -> Frame | None:
    decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    size = 0
    file.seek(start)
    with suppress(zlib.error):
        for stored in iter(partial(file.read, PIECE), b""):
            size += len(decoder.decompress(stored))
            end = file.tell() - len(decoder.unused_data)
            if decoder.eof:
                return Frame(start, end, size)
            if end - start > longest:
                return None
    return None


def _is_skippable(head: bytes) -> bool:
    return int.from_bytes(head[:4], "little") in SKIPPABLE


def _suffix(path: str) -> str:
    return PurePath(path).suffix.lower()


FORMATS: dict[str, Format] = {
    ".zst": Format(ZSTD_MAGIC, _find_zstd_frame, 16 * 2**20),
    ".gz": Format(GZIP_MAGIC, _find_gzip_member, 2**20),
}
