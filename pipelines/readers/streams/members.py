"""Compressed members that begin a record, found from any place in a file.

Archives are compressed a record at a time, each its own gzip member or Zstandard frame, so a file
can be read from any member on. A place counts as a member if the magic number is there and what it
decompresses to begins a record; so do the first bytes of a file. Whatever else follows a member is
handed on as that member's: foreign bytes as damage, foreign members as bytes. So each stretch of a
file belongs to one slice, however the file is cut.

A `.zst` file may begin with the dictionary that its frames need, in a skippable frame (as the IIPC
specifies: Zstandard compression of WARC files, version 1.0).
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import PurePath
from sys import maxsize
from typing import BinaryIO, NamedTuple, cast

import zstandard

from pipelines.readers.streams.compression import (
    MEMORY_LIMIT,
    Codec,
    Damage,
    Decoder,
    codec_of,
    decompress,
)
from pipelines.readers.streams.open_stream import open_input

MAGICS = {".gz": b"\x1f\x8b\x08", ".zst": b"\x28\xb5\x2f\xfd"}
BLOCK = 2**20
DICTIONARY_MAGIC = (0x184D2A5D).to_bytes(4, "little")
DICTIONARY_LIMIT = 2**27  # bytes; the specification allows 100 MiB

Begins = Callable[[bytes], bool]


class Member(NamedTuple):
    """One member (or bytes that form none) at a stored offset, and what it decompresses to."""

    offset: int
    blocks: Iterator[bytes | Damage]


class _Archive(NamedTuple):
    file: BinaryIO
    codec: Codec
    magic: bytes
    begins: Begins


def can_cut(path: str) -> bool:
    """Whether members of this file's compression can be found."""
    return PurePath(path).suffix.lower() in MAGICS


def read_members(path: str, start: int, end: int, begins: Begins) -> Iterator[Member]:
    """Yield the members that begin in [start, end) of the stored file, and what follows each.

    `begins` tells whether decompressed bytes begin a record; `end` of -1 is the end of the file.
    The blocks of one member must be used before the next is asked for.

    Raises:
        OSError: the file cannot be opened or read.
    """
    last = end if end >= 0 else maxsize
    with open_input(path) as file:
        archive = _open(path, file, begins)
        place = _find(archive, start, last) if start else 0
        while place is not None:
            place = yield from _read_run(archive, place, last)


def _open(path: str, file: BinaryIO, begins: Begins) -> _Archive:
    codec = codec_of(path)
    assert codec is not None, path
    if dictionary := _dictionary(file):
        codec = codec._replace(new_decoder=partial(_new_decoder, dictionary))
    return _Archive(file, codec, MAGICS[PurePath(path).suffix.lower()], begins)


def _read_run(archive: _Archive, place: int, last: int) -> Generator[Member, None, int | None]:
    """Yield members up to damage or `last`; return where to go on, None for nowhere."""
    begun = place
    broken = False

    def pieces() -> Iterator[tuple[int, bytes | Damage]]:
        nonlocal begun, broken
        try:
            for chunk in decompress(archive.file, archive.codec):
                begun = chunk.frame
                yield chunk.frame, chunk.data
        except Damage as damage:
            broken = True
            yield damage.frame, damage

    archive.file.seek(place)
    for offset, group in groupby(pieces(), key=itemgetter(0)):
        blocks = (data for _, data in group)
        head = next(blocks)
        if offset >= last and isinstance(head, bytes) and archive.begins(head):
            return None
        yield Member(offset, chain((head,), blocks))
    # From the last that gave bytes: without a checksum a damaged frame may run into the next.
    return _find(archive, begun + 1, last) if broken else None


def _find(archive: _Archive, start: int, last: int) -> int | None:
    """Return the first place in [start, last) where a member begins a record."""
    places = _find_magic(archive.file, archive.magic, start, last)
    return next((place for place in places if archive.begins(_head(archive, place))), None)


def _find_magic(file: BinaryIO, magic: bytes, start: int, last: int) -> Iterator[int]:
    """Yield where the magic number stands in [start, last), wherever the file is moved between."""
    overlap = len(magic) - 1
    block = magic
    while len(block) > overlap and start < last:
        file.seek(start)
        block = file.read(BLOCK + overlap)
        at = block.find(magic)
        while 0 <= at < last - start:
            yield start + at
            at = block.find(magic, at + 1)
        start += BLOCK


def _head(archive: _Archive, place: int) -> bytes:
    archive.file.seek(place)
    with suppress(Damage):
        for chunk in decompress(archive.file, archive.codec):
            return chunk.data
    return b""


def _dictionary(file: BinaryIO) -> zstandard.ZstdCompressionDict | None:
    file.seek(0)
    magic, size = file.read(4), int.from_bytes(file.read(4), "little")
    if magic != DICTIONARY_MAGIC or size > DICTIONARY_LIMIT:
        return None
    content = file.read(size)
    if content.startswith(MAGICS[".zst"]):
        with suppress(zstandard.ZstdError):
            content = zstandard.decompress(content, max_output_size=DICTIONARY_LIMIT)
    return zstandard.ZstdCompressionDict(content)


def _new_decoder(dictionary: zstandard.ZstdCompressionDict) -> Decoder:
    decompressor = zstandard.ZstdDecompressor(dictionary, max_window_size=MEMORY_LIMIT)
    return cast("Decoder", decompressor.decompressobj())
