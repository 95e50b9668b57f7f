"""The documents of one half of a split, without a copy of their tokens."""

from collections.abc import Iterator

import numpy as np

from weighting.contracts.halves import is_of_half
from weighting.contracts.shards import Segment, Shard
from weighting.contracts.splits import WHOLE
from weighting.errors import AssayError


def choose_half(shard: Shard, half: str) -> Iterator[Segment]:
    """Yield the segments of a shard, or views of the runs of documents that are of a half.

    Raises:
        AssayError: the shard's documents have no ids, and so no halves.
    """
    if half == WHOLE:
        yield from shard.segments
        return
    if not shard.named:
        raise AssayError(
            f"{shard.path}: no column doc_id, by which documents are of half {half}; give one, or "
            "leave out half"
        )
    for segment in shard.segments:
        yield from _cut_runs(segment, half)


def _cut_runs(segment: Segment, half: str) -> Iterator[Segment]:
    """Yield a view of each run of documents that follow one another and are of the half."""
    chosen_D = is_of_half(segment.doc_ids.to_pylist(), half)
    borders = np.flatnonzero(np.diff(chosen_D, prepend=False, append=False)).tolist()
    for first, stop in zip(borders[::2], borders[1::2], strict=True):
        yield _slice(segment, first, stop)


def _slice(segment: Segment, first: int, stop: int) -> Segment:
    """Return documents `first` to `stop` of a segment."""
    offsets_D1 = segment.offsets_D1[first : stop + 1]
    tokens = slice(int(offsets_D1[0]), int(offsets_D1[-1]))
    return Segment(
        doc_ids=segment.doc_ids[first:stop],
        sources=segment.sources[first:stop],
        offsets_D1=offsets_D1 - offsets_D1[0],
        ids_N=segment.ids_N[tokens],
        weights_N=segment.weights_N[tokens],
        reasons_N=segment.reasons_N[tokens],
    )
