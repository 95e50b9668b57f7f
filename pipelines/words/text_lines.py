"""Kernels: the lines of texts, and what is at the ends of byte ranges."""

import numpy as np

from pipelines.words.chunks import space_size
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot, hash_bytes
from weighting.arrays import Uint8s, Uint64s

NEWLINE, RETURN = 10, 13
MAY_BE_BREAK = np.isin(np.arange(256), [*range(10, 14), *range(28, 31), 0xC2, 0xE2])


@njit
def break_size(data: Uint8s, at: int, end: int) -> int:
    """Return the bytes of the line break (`str.splitlines`) at `at`, 0 if there is none."""
    byte = data[at]
    if byte == RETURN:
        return 2 if at + 1 < end and data[at + 1] == NEWLINE else 1
    if 10 <= byte <= 12 or 28 <= byte <= 30:
        return 1
    if byte == 0xC2:
        return 2 if at + 1 < end and data[at + 1] == 0x85 else 0
    if byte == 0xE2 and at + 2 < end and data[at + 1] == 0x80:
        return 3 if data[at + 2] == 0xA8 or data[at + 2] == 0xA9 else 0
    return 0


@njit
def find_break(data: Uint8s, at: int, end: int) -> int:
    """Return where the line that holds byte `at` ends, its break left out."""
    while at < end and not (MAY_BE_BREAK[data[at]] and break_size(data, at, end)):
        at += 1
    return at


@njit
def strip_left(data: Uint8s, start: int, end: int) -> int:
    """Return where bytes [start, end) begin without leading white space."""
    while start < end:
        size = space_size(data, start, end)
        if not size:
            break
        start += size
    return start


@njit
def strip_right(data: Uint8s, start: int, end: int) -> int:
    """Return where bytes [start, end) end without trailing white space."""
    while end > start:
        size = 1  # back over continuation bytes to where a character begins, at most 3 bytes of it
        while size < 3 and end - size > start and data[end - size] & 0xC0 == 0x80:
            size += 1
        if space_size(data, end - size, end) != size:
            break
        end -= size
    return end


@njit
def count_chars(data: Uint8s, start: int, end: int) -> int:
    """Return the number of code points in bytes [start, end)."""
    count = 0  # of the bytes that begin one; all others are 10xxxxxx
    for at in range(start, end):
        count += data[at] & 0xC0 != 0x80
    return count


@njit
def matches(data: Uint8s, at: int, end: int, wanted: Uint8s) -> bool:
    """Say whether bytes [at, end) begin with `wanted`, ASCII capitals taken as small letters."""
    if at + len(wanted) > end:
        return False
    for place in range(len(wanted)):
        byte = data[at + place]
        if 65 <= byte <= 90:  # A to Z, and 32 below their small letters
            byte += 32
        if byte != wanted[place]:
            return False
    return True


@njit
def ends_with(data: Uint8s, start: int, end: int, wanted: Uint8s) -> bool:
    """Say whether bytes [start, end) end in `wanted`, which has no capital letter."""
    return end - len(wanted) >= start and matches(data, end - len(wanted), end, wanted)


@njit
def ends_in(data: Uint8s, start: int, end: int, marks: Uint64s) -> bool:
    """Say whether the last character of bytes [start, end) is in a set of hashes (`make_set`)."""
    last = end - 1  # back to where the last character begins
    while last > start and data[last] & 0xC0 == 0x80:
        last -= 1
    return bool(marks[find_slot(marks, hash_bytes(data, last, end))] != np.uint64(0))


def encode(text: str) -> Uint8s:
    """Return a text's UTF-8 bytes as the kernels take them."""
    return np.frombuffer(text.encode(), np.uint8)
