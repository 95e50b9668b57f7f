"""How a stream of tokens is cut into windows: a plan that is made once and never copied.

A window holds pieces: intervals of targets. The input of the target at position p of the stream is
the token at p - 1, and one end-of-text comes before the stream's first token. So every token of
a split is a target exactly once, and no weight is lost.

stream    every `context` targets are a window, wherever documents begin and end; the last window
          is padded
best-fit  (arXiv 2404.10830) no document is cut that fits into a window: documents longer than
          `context` are cut into pieces of that size, and the pieces are packed, longest first,
          each into the fullest window that has room; what is left of a window is padding

The first input of a piece is the token before it in the stream: the end-of-text of the document
before, or, for the second and later pieces of a document, the token that really comes before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trainer.data.corpus import Stream, expand
from weighting.arrays import Int64s
from weighting.errors import AssayError


class Pieces(NamedTuple):
    """Where the pieces of some windows come from, and where they go to."""

    starts_P: Int64s  # first position in the stream
    sizes_P: Int64s
    places_P: Int64s  # of the first target, in the flat B x T array of the windows


@dataclass(frozen=True)
class PackingSummary:
    """What a run's result says of its windows."""

    rule: str
    windows: int
    padding_share: float  # of the places in the windows
    mass_lost: float  # share of the stream's weight on tokens that are no target


@dataclass(frozen=True, eq=False)
class Packing:
    """W windows of at most `context` targets, made of P pieces of the stream.

    A piece is the `sizes_P` targets from position `starts_P` on. Window w holds the pieces
    `rows_W1[w]` to `rows_W1[w + 1]`, one behind the other, and at least one.
    """

    rule: str
    context: int
    starts_P: Int64s
    sizes_P: Int64s
    rows_W1: Int64s

    @property
    def windows(self) -> int:
        """W."""
        return len(self.rows_W1) - 1

    @cached_property
    def lengths(self) -> Int64s:
        """Number of targets of each window."""
        return np.add.reduceat(self.sizes_P, self.rows_W1[:-1])

    def select(self, rows_B: Int64s) -> Pieces:
        """Return the pieces of some windows."""
        first_B = self.rows_W1[rows_B]
        row_P, piece_P = expand(first_B, self.rows_W1[rows_B + 1] - first_B)
        sizes_P = self.sizes_P[piece_P]
        before_P = np.cumsum(sizes_P) - sizes_P
        full_B = np.cumsum(self.lengths[rows_B]) - self.lengths[rows_B]
        places_P = before_P - full_B[row_P] + row_P * self.context
        return Pieces(self.starts_P[piece_P], sizes_P, places_P)

    def locate(self, row: int, column: int) -> int:
        """Return the position in the stream of a window's target."""
        starts_P, _, places_P = self.select(np.array([row]))
        piece = int(np.searchsorted(places_P, column, side="right")) - 1
        return int(starts_P[piece] + column - places_P[piece])

    def summary(self, stream: Stream) -> PackingSummary:
        """Return the rule, the number of windows, and the shares of padding and of lost mass."""
        live = int(self.sizes_P.sum())
        return PackingSummary(
            rule=self.rule,
            windows=self.windows,
            padding_share=1.0 - live / (self.windows * self.context),
            mass_lost=self.mass_lost(stream),
        )

    def mass_lost(self, stream: Stream) -> float:
        """Return the share of the stream's weight that lies on tokens that are not targets."""
        order_P = np.argsort(self.starts_P)
        starts_P = np.append(self.starts_P[order_P], stream.tokens)
        stops_P = np.append(0, (self.starts_P + self.sizes_P)[order_P])
        gaps_P = starts_P - np.maximum.accumulate(stops_P)
        gap_G = np.flatnonzero(gaps_P > 0)
        if not len(gap_G):
            return 0.0
        lost = _sum_weights(stream, starts_P[gap_G] - gaps_P[gap_G], gaps_P[gap_G])
        total = _sum_weights(stream, np.array([0]), np.array([stream.tokens]))
        return lost / total if total else 0.0


def pack(stream: Stream, rule: str, context: int) -> Packing:
    """Return the plan of a rule.

    Raises:
        AssayError: no such rule.
    """
    if rule not in RULES:
        raise AssayError(f"packing is {rule!r}, must be one of {', '.join(RULES)}")
    return RULES[rule](stream, context)


def pack_stream(stream: Stream, context: int) -> Packing:
    """Cut the stream into windows of `context` targets."""
    starts_W = np.arange(0, stream.tokens, context)
    sizes_W = np.minimum(context, stream.tokens - starts_W)
    return Packing("stream", context, starts_W, sizes_W, np.arange(len(starts_W) + 1))


def pack_best_fit(stream: Stream, context: int) -> Packing:
    """Pack whole documents, and pieces of those that are longer than a window."""
    starts_P, sizes_P = cut_documents(stream.documents_D1, context)
    window_P, order_P = fit(sizes_P, context)
    rows_W1 = np.append(0, np.cumsum(np.bincount(window_P)))
    return Packing("best-fit", context, starts_P[order_P], sizes_P[order_P], rows_W1)


RULES: dict[str, Callable[[Stream, int], Packing]] = {
    "stream": pack_stream,
    "best-fit": pack_best_fit,
}


def cut_documents(documents_D1: Int64s, context: int) -> tuple[Int64s, Int64s]:
    """Return start and size of each document's pieces, all of `context` but a document's last."""
    sizes_D = np.diff(documents_D1)
    document_P, number_P = expand(np.zeros_like(sizes_D), -(-sizes_D // context))
    starts_P = documents_D1[document_P] + number_P * context
    return starts_P, np.minimum(context, documents_D1[document_P + 1] - starts_P)


def fit(sizes_P: Int64s, capacity: int) -> tuple[Int64s, Int64s]:
    """Pack pieces by best-fit decreasing: each into the fullest window that has room for it.

    Returns the window of each piece, and the order of the pieces by window and, within a window,
    by size; equal sizes are placed in order of the stream. Pieces of one size are placed at once,
    because a window that took one stays the fullest with room until another does not fit: so the
    work is a few array operations for each size, not for each piece.
    """
    room = _Room(capacity)
    order_P = np.argsort(-sizes_P, kind="stable")
    sorted_P = sizes_P[order_P]
    borders = [0, *(np.flatnonzero(np.diff(sorted_P)) + 1).tolist(), len(sorted_P)]
    parts = [room.place(int(sorted_P[first]), last - first) for first, last in pairwise(borders)]
    window_P = np.empty(len(sizes_P), np.int64)
    window_P[order_P] = np.concatenate(parts)
    return window_P, order_P[np.argsort(window_P[order_P], kind="stable")]


class _Room:
    """Windows by the number of targets that still fit into them."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._opened = 0
        self._count_R = np.zeros(capacity + 1, np.int64)  # windows of each room
        self._windows: dict[int, Int64s] = {}  # in the order in which they came to have this room

    def place(self, size: int, count: int) -> Int64s:
        """Return the windows that `count` pieces of one size go to."""
        parts = []
        while count:
            fullest = np.flatnonzero(self._count_R[size:])
            room = size + int(fullest[0]) if len(fullest) else self._open(size, count)
            each = room // size
            windows_K = self._take(room, -(-count // each))
            part = np.repeat(windows_K, each)[:count]
            spare = len(windows_K) * each - len(part)  # of the last window
            self._put(room - each * size, windows_K[: len(windows_K) - (spare > 0)])
            if spare:
                self._put(room - (each - spare) * size, windows_K[-1:])
            parts.append(part)
            count -= len(part)
        return np.concatenate(parts)

    def _open(self, size: int, count: int) -> int:
        needed = -(-count // (self._capacity // size))
        self._put(self._capacity, np.arange(self._opened, self._opened + needed))
        self._opened += needed
        return self._capacity

    def _take(self, room: int, most: int) -> Int64s:
        taken, self._windows[room] = np.split(self._windows[room], [most])
        self._count_R[room] -= len(taken)
        return taken

    def _put(self, room: int, windows_K: Int64s) -> None:
        others = self._windows.get(room, windows_K[:0])
        self._windows[room] = np.concatenate([others, windows_K])
        self._count_R[room] += len(windows_K)


def _sum_weights(stream: Stream, starts_P: Int64s, sizes_P: Int64s) -> float:
    _, segment_Q, start_Q, size_Q = stream.cut(starts_P, sizes_P)
    total = 0.0
    for number, start, size in zip(
        segment_Q.tolist(),
        (start_Q - stream.starts_S1[segment_Q]).tolist(),
        size_Q.tolist(),
        strict=True,
    ):
        weights_N = stream.segments[number].weights_N[start : start + size]
        total += float(weights_N.sum(dtype=np.float64))
    return total
