"""Documents that are there twice: found by their ids, and only where their tokens are equal too."""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from weighting.contracts.shards import Segment

Parts = Sequence[tuple[Segment, Path]]  # of a split, each with its file
LOOKED_AT = 1000  # ids that occur several times: writers may number each file's rows anew


class Place(NamedTuple):
    """A document, the file that holds it, and a checksum of its tokens."""

    doc_id: str
    path: Path
    crc32: int


def find_leak(train: Parts, validation: Parts) -> tuple[Place, Place] | None:
    """Return a document that is in both splits, with its places, or None."""
    held_out = _read_ids(validation)
    shared = held_out.filter(pc.is_in(held_out, _read_ids(train).combine_chunks()))
    if not len(shared):
        return None
    held = {(place.doc_id, place.crc32): place for place in _find(validation, shared)}
    for place in _find(train, shared):
        if (place.doc_id, place.crc32) in held:
            return place, held[place.doc_id, place.crc32]
    return None


def find_repeat(split: Parts) -> tuple[Place, Place] | None:
    """Return the two places of a document that is in a split twice, or None."""
    ids = _read_ids(split)
    if pc.count_distinct(ids).as_py() == len(ids):
        return None
    counted = pc.value_counts(ids)
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))[:LOOKED_AT]
    seen: dict[tuple[str, int], Place] = {}
    for place in _find(split, several):
        first = seen.setdefault((place.doc_id, place.crc32), place)
        if first is not place:
            return first, place
    return None


def _read_ids(split: Parts) -> pa.ChunkedArray:
    return pa.chunked_array([segment.doc_ids.cast(pa.large_string()) for segment, _ in split])


def _find(split: Parts, ids: pa.Array | pa.ChunkedArray) -> Iterator[Place]:
    """Yield the documents of some ids that are not empty, in their order."""
    wanted = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    for segment, path in split:
        doc_ids = segment.doc_ids.cast(pa.large_string())
        for row in np.flatnonzero(pc.is_in(doc_ids, wanted)):
            start, stop = segment.offsets_D1[row : row + 2]
            if stop > start:
                crc32 = zlib.crc32(np.ascontiguousarray(segment.ids_N[start:stop]).data)
                yield Place(doc_ids[row].as_py(), path, crc32)
