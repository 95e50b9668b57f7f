"""Kernels: lines as pieces between their citation marks, and the texts that pieces make.

    source    A line [3] with a mark.⏎⏎ Another. ⏎
    pieces    [A line ][ with a mark.]  [Another.]
    begins     1       0                 1

A piece is a row of int64 [*, 3]: the first byte, the one after the last, and whether it begins a
line. What is not in a piece is gone from the text.
"""

from typing import NamedTuple

import numpy as np

from pipelines.words import Text
from pipelines.words.compiled import njit
from pipelines.words.text_lines import NEWLINE, count_chars, encode, strip_left, strip_right
from weighting.arrays import Int32s, Int64s, Uint8s

OPEN, CLOSE = ord("["), ord("]")
ZERO, NINE = ord("0"), ord("9")
EDIT, CITATION = map(encode, ("edit", "citation needed"))


class Pieces(NamedTuple):
    """The pieces of D texts, those of text d from offsets_D1[d] to offsets_D1[d + 1]."""

    rows_Px3: Int64s
    offsets_D1: Int64s


class Joined(NamedTuple):
    """D texts that pieces make, and what changed: S rows as in `edits.spans`, in characters."""

    data: Uint8s
    offsets_D1: Int32s
    spans_Sx4: Int32s
    span_offsets_D1: Int64s


def join_pieces(text: Text, pieces: Pieces) -> Joined:
    """Return the texts that the pieces of D texts make."""
    documents = len(text.offsets) - 1
    joined = Joined(
        data=np.empty(int(text.offsets[-1] - text.offsets[0]), np.uint8),
        offsets_D1=np.zeros(documents + 1, np.int32),
        # What is left out lies before a piece, or behind the text's last.
        spans_Sx4=np.empty((len(pieces.rows_Px3) + documents, 4), np.int32),
        span_offsets_D1=np.zeros(documents + 1, np.int64),
    )
    write_pieces(text, pieces, joined)
    return joined._replace(
        data=joined.data[: joined.offsets_D1[-1]].copy(),
        spans_Sx4=joined.spans_Sx4[: joined.span_offsets_D1[-1]].copy(),
    )


@njit
def citation_size(data: Uint8s, at: int, end: int) -> int:
    """Return the bytes of the citation mark at `at`, 0 if there is none."""
    if data[at] != OPEN:
        return 0
    for mark in (EDIT, CITATION):
        close = at + 1 + len(mark)
        if close < end and data[close] == CLOSE and is_written(data, at + 1, mark):
            return close + 1 - at
    place = at + 1
    while place < end and ZERO <= data[place] <= NINE:
        place += 1
    return place + 1 - at if place < end and data[place] == CLOSE else 0  # [] as well


@njit
def is_written(data: Uint8s, at: int, wanted: Uint8s) -> bool:
    """Say whether the bytes from `at` on are `wanted`, in small letters."""
    return bool(np.all(data[at : at + len(wanted)] == wanted))


@njit
def list_pieces(data: Uint8s, start: int, end: int, rows_Px3: Int64s, size: int) -> int:
    """Append the pieces of a line, bytes [start, end), to `size` rows; return their new number."""
    begins, piece, at = 1, start, start
    while at < end:
        mark = citation_size(data, at, end)
        if mark and at > piece:  # no piece between two marks, nor before one at the start
            rows_Px3[size] = piece, at, begins
            size, begins = size + 1, 0
        if mark:
            piece = at + mark
        at += max(mark, 1)
    if end > piece:
        rows_Px3[size] = piece, end, begins
        size += 1
    return size


@njit
def copy_pieces(data: Uint8s, rows_Px3: Int64s, scratch: Uint8s) -> int:
    """Write a line's pieces to `scratch`, one after the other; return their bytes."""
    size = 0
    for piece in rows_Px3:
        length = piece[1] - piece[0]
        scratch[size : size + length] = data[piece[0] : piece[1]]
        size += length
    return size


@njit
def strip_pieces(data: Uint8s, rows_Px3: Int64s, first: int, size: int) -> int:
    """Strip the text that pieces [first, size) make of white space at both ends.

    Pieces that hold nothing else become empty at the start, and go at the end.
    """
    at = first
    while at < size:
        rows_Px3[at, 0] = strip_left(data, rows_Px3[at, 0], rows_Px3[at, 1])
        if rows_Px3[at, 0] < rows_Px3[at, 1]:
            break
        at += 1
    while size > at:
        rows_Px3[size - 1, 1] = strip_right(data, rows_Px3[size - 1, 0], rows_Px3[size - 1, 1])
        if rows_Px3[size - 1, 0] < rows_Px3[size - 1, 1]:
            break
        size -= 1
    for empty in range(first, min(at, size)):
        rows_Px3[empty, 2] = 0
    if at < size:
        rows_Px3[at, 2] = 0  # nothing comes before it, so it needs no line break
    return size


@njit
def write_pieces(text: Text, pieces: Pieces, joined: Joined) -> None:
    """Write the texts that the pieces make, and the spans that lead back to the sources."""
    size, rows = 0, 0
    for document in range(len(text.offsets) - 1):
        source, stop = text.offsets[document], text.offsets[document + 1]
        at, chars = 0, 0  # characters of the source, and of what is written
        for piece in range(pieces.offsets_D1[document], pieces.offsets_D1[document + 1]):
            start, end, begins = pieces.rows_Px3[piece]
            if start == end:
                continue
            gap = count_chars(text.data, source, start)
            # Nothing changed if a line feed, and no more, lay where one is written now.
            if gap != begins or (begins and text.data[source] != NEWLINE):
                joined.spans_Sx4[rows] = chars, chars + begins, at, at + gap
                rows += 1
            if begins:
                joined.data[size] = NEWLINE
                size += 1
            length = count_chars(text.data, start, end)
            joined.data[size : size + end - start] = text.data[start:end]
            size, source = size + end - start, end
            at, chars = at + gap + length, chars + begins + length
        gap = count_chars(text.data, source, stop)
        if gap:
            joined.spans_Sx4[rows] = chars, chars, at, at + gap
            rows += 1
        joined.offsets_D1[document + 1], joined.span_offsets_D1[document + 1] = size, rows
