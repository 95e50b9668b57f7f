"""Kernel: the pieces of chunks that are too long to be split as they are.

See `english.LONGEST` for what is too long, and why. The pieces of text in arrays are those that
`english.cut_text` makes of a string.
"""

from typing import NamedTuple

import numpy as np

from pipelines.words.compiled import njit
from pipelines.words.english import LONGEST, PIECE
from pipelines.words.text_lines import count_chars
from weighting.arrays import Int64s, Uint8s


class Pieces(NamedTuple):
    """P pieces of K chunks by their bytes; those of chunk k are [offsets_K1[k], offsets_K1[k + 1]).

    A chunk that is not too long is one piece.
    """

    starts_P: Int64s
    ends_P: Int64s
    offsets_K1: Int64s


def cut_chunks(data: Uint8s, starts_K: Int64s, ends_K: Int64s) -> Pieces:
    """Return the pieces of K chunks of UTF-8 bytes."""
    lengths_K = ends_K - starts_K
    long = lengths_K > LONGEST  # in bytes: those of so many characters are among them
    if not long.any():
        return Pieces(starts_K, ends_K, np.arange(len(starts_K) + 1))
    room = len(starts_K) + int((lengths_K[long] // PIECE + 1).sum())
    starts_P, ends_P = np.empty((2, room), np.int64)
    offsets_K1 = np.zeros(len(starts_K) + 1, np.int64)
    size = fill_pieces(data, starts_K, ends_K, Pieces(starts_P, ends_P, offsets_K1))
    return Pieces(starts_P[:size].copy(), ends_P[:size].copy(), offsets_K1)


@njit
def fill_pieces(data: Uint8s, starts_K: Int64s, ends_K: Int64s, pieces: Pieces) -> int:
    """Write the pieces of K chunks; return their number."""
    size = 0
    for chunk in range(len(starts_K)):
        start, end = starts_K[chunk], ends_K[chunk]
        # Bytes are as many as characters or more, and quick to count.
        long = end - start > LONGEST and count_chars(data, start, end) > LONGEST
        while start < end:
            pieces.starts_P[size] = start
            start = skip_chars(data, start, end, PIECE) if long else end
            pieces.ends_P[size] = start
            size += 1
        pieces.offsets_K1[chunk + 1] = size
    return size


@njit
def skip_chars(data: Uint8s, at: int, end: int, chars: int) -> int:
    """Return where so many characters end that begin at `at`, or `end` where there are fewer."""
    while at < end and chars:
        at += 1
        while at < end and data[at] & 0xC0 == 0x80:
            at += 1
        chars -= 1
    return at
