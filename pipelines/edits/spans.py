"""Source maps: which characters of a source an edited text came from.

A map is a list of spans, int32 [S, 4], with the columns start, end (of a piece in the edited text)
and source_start, source_end (of what it replaced). Offsets count characters (code points), ends
are exclusive. Between spans both texts are equal, so positions there differ by a shift alone.

Spans are sorted and apart: at least one unchanged character lies between two of them, so touching
pieces are one span. A deletion has start = end, an insertion source_start = source_end. An
unchanged text has no span.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from weighting.arrays import Int32s, Int64s
from weighting.contracts.documents import SPANS

Side = Literal["left", "right"]

UNCHANGED: Int32s = np.empty((0, 4), np.int32)
UNCHANGED.flags.writeable = False


class Edited(NamedTuple):
    """A text and the spans, [S, 4], that lead back to the text it was made from."""

    text: str
    spans: Int32s = UNCHANGED


class Piece(NamedTuple):
    """The characters from start to end of a text, and what to put in their place."""

    start: int
    end: int
    replacement: str


def replace(text: str, pieces: Iterable[Piece]) -> Edited:
    """Return the text with each piece replaced; pieces are sorted and do not overlap.

    A piece whose replacement equals what is there changes nothing and leaves no span.
    """
    changes = [piece for piece in pieces if text[piece.start : piece.end] != piece.replacement]
    if not changes:
        return Edited(text)
    parts: list[str] = []
    position = 0
    for start, end, replacement in changes:
        parts += (text[position:start], replacement)
        position = end
    parts.append(text[position:])
    return Edited("".join(parts), _merge(_locate(changes)))


def compose(first: Int32s, second: Int32s) -> Int32s:
    """Return the map of two edits made one after the other.

    `first` leads from the middle text to the source, `second` from the final text to the middle;
    the result leads from the final text to the source. Spans of both edits that touch in the
    middle text become one.
    """
    if not len(second):
        return first
    if not len(first):
        return second
    low_M, high_M = _unite(first[:, :2], second[:, 2:])
    # A united piece starts behind the spans before it, and ends behind those within it.
    return np.stack(
        [
            low_M + _shift(second[:, 3], second[:, 1], low_M, "left"),
            high_M + _shift(second[:, 3], second[:, 1], high_M, "right"),
            low_M + _shift(first[:, 1], first[:, 3], low_M, "left"),
            high_M + _shift(first[:, 1], first[:, 3], high_M, "right"),
        ],
        axis=1,
    ).astype(np.int32)


def map_starts(spans: Int32s, positions_N: Int64s) -> Int64s:
    """Return the source position of the character that starts at each of N positions, int64 [N].

    Within a changed piece that is the start of what it replaced; the end of the text maps to the
    end of the source.
    """
    return _map(spans, positions_N, "right")


def map_ends(spans: Int32s, positions_N: Int64s) -> Int64s:
    """Return the source end of the character that ends at each of N positions, int64 [N].

    Within a changed piece that is the end of what it replaced. So the characters [a, b) of the
    edited text came from the source's [map_starts(a), map_ends(b)).
    """
    return _map(spans, positions_N, "left")


def to_arrow(spans_D: Sequence[Int32s]) -> pa.ListArray:
    """Return the maps of D documents as an Arrow array of type `SPANS`."""
    offsets = np.cumsum([0, *map(len, spans_D)], dtype=np.int32)
    rows = np.concatenate([UNCHANGED, *spans_D])
    columns = [pa.array(np.ascontiguousarray(column)) for column in rows.T]
    fields = pa.StructArray.from_arrays(columns, fields=list(SPANS.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), fields, type=SPANS)


def from_arrow(spans_D: pa.ListArray) -> list[Int32s]:
    """Return the maps of D documents from an Arrow array of type `SPANS`."""
    rows = spans_D.flatten()
    columns = [rows.field(field.name).to_numpy() for field in SPANS.value_type]
    lengths = spans_D.value_lengths().to_numpy()
    return np.split(np.stack(columns, axis=1), np.cumsum(lengths)[:-1])


def _locate(changes: Sequence[Piece]) -> Int32s:
    """Return where the pieces come to lie, one row each."""
    source = np.array([change[:2] for change in changes], np.int64)
    lengths = np.fromiter((len(change.replacement) for change in changes), np.int64)
    growth = np.cumsum(lengths - (source[:, 1] - source[:, 0]))
    ends = source[:, 1] + growth
    return np.column_stack([ends - lengths, ends, source]).astype(np.int32)


def _merge(spans: Int32s) -> Int32s:
    """Return sorted spans with touching ones united."""
    apart = spans[1:, 0] > spans[:-1, 1]
    firsts = np.concatenate([[True], apart])
    lasts = np.concatenate([apart, [True]])
    return np.stack(
        [spans[firsts, 0], spans[lasts, 1], spans[firsts, 2], spans[lasts, 3]], axis=1
    ).astype(np.int32)


def _unite(*intervals: Int32s) -> tuple[Int64s, Int64s]:
    """Return lows [M] and highs [M] of the union of closed intervals, each [*, 2]."""
    both = np.concatenate(intervals).astype(np.int64)
    both = both[np.argsort(both[:, 0], kind="stable")]
    reach = np.maximum.accumulate(both[:, 1])
    apart = both[1:, 0] > reach[:-1]
    return both[np.concatenate([[True], apart]), 0], reach[np.concatenate([apart, [True]])]


def _shift(ends: Int32s, source_ends: Int32s, positions_N: Int64s, side: Side) -> Int64s:
    """Return what leads N positions between spans to the source.

    A span counts from its end on ("right") or only behind it ("left").
    """
    shifts = np.concatenate([[0], source_ends.astype(np.int64) - ends])
    return np.asarray(shifts[np.searchsorted(ends, positions_N, side)])


def _map(spans: Int32s, positions_N: Int64s, side: Side) -> Int64s:
    """Map the character right or left of each position to the same side of its source."""
    _, ends, _, source_ends = spans.T
    beyond = np.full((1, 4), np.iinfo(np.int32).max)  # no position lies in this span
    start_N, _, source_start_N, source_end_N = np.concatenate([spans, beyond])[
        np.searchsorted(ends, positions_N, side)
    ].T
    between_N = positions_N + _shift(ends, source_ends, positions_N, side)
    if side == "right":
        return np.where(positions_N >= start_N, source_start_N, between_N)
    return np.where(positions_N > start_N, source_end_N, between_N)
