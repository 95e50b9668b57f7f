"""Documents by node, from the fingerprints of all units: only what is asked for is read.

A unit's files are opened when its documents are gathered and let go afterwards, since a process can
map some ten thousand files at once, and a corpus may have more units.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints
from pipelines.words.compiled import njit
from weighting.arrays import AnyArray, Bools, Int64s, Uint32s, Uint64s

UNIT_BITS = np.uint64(32)
CHUNK_BYTES = 64 * 2**20  # of shingles and bands held at once


def name_nodes(unit: int, docs_N: Uint32s) -> Uint64s:
    """Return the nodes of documents of a unit."""
    return np.uint64(unit) << UNIT_BITS | docs_N.astype(np.uint64)


def find_published(units: Mapping[int, Fingerprints], nodes_N: Uint64s) -> Bools:
    """Say which nodes an earlier run has published."""
    published = [uid for uid, fingerprints in units.items() if fingerprints.published]
    return np.isin(nodes_N >> UNIT_BITS, np.array(published, np.uint64))


def gather(
    units: Mapping[int, Fingerprints], nodes_M: Uint64s, names: Sequence[str]
) -> list[AnyArray]:
    """Return columns of M documents, by names of `fingerprints.Documents`; nodes are sorted.

    Numbers come out in the machine's byte order.
    """
    parts: list[list[AnyArray]] = [[] for _ in names]
    for uid, docs in split_by_unit(nodes_M):
        documents = units[uid].open_documents()
        for part, name in zip(parts, names, strict=True):
            part.append(getattr(documents, name)[docs])
    return [np.concatenate(part).astype(part[0].dtype.newbyteorder("=")) for part in parts]


def gather_shingles(units: Mapping[int, Fingerprints], nodes_M: Uint64s) -> tuple[Uint32s, Int64s]:
    """Return the shingles of M documents, one after the other, and their offsets [M+1]."""
    parts, counts = [np.empty(0, np.uint32)], [np.zeros(1, np.int64)]
    for uid, docs in split_by_unit(nodes_M):
        documents = units[uid].open_documents()
        starts, ends = documents.offsets_D1[docs], documents.offsets_D1[docs + 1]
        parts.append(copy_ranges(documents.shingles_S, starts, ends))
        counts.append(ends - starts)
    return np.concatenate(parts), np.cumsum(np.concatenate(counts))


def split_by_unit(nodes_M: Uint64s) -> Iterator[tuple[int, Int64s]]:
    """Yield each unit and its documents among sorted nodes."""
    units_M = nodes_M >> UNIT_BITS
    bounds = np.flatnonzero(np.diff(units_M)) + 1
    docs_M = (nodes_M & np.uint64(2**32 - 1)).astype(np.int64)
    for start, end in pairwise([0, *bounds.tolist(), len(nodes_M)]):
        if end > start:
            yield int(units_M[start]), docs_M[start:end]


def cut_chunks(sizes_G: Int64s, limit: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of consecutive things whose sizes add up to `limit`, or that are one thing."""
    ends = np.cumsum(sizes_G)
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + limit, "right")))
        yield start, end
        start = end


@njit
def copy_ranges(values_S: Uint32s, starts_M: Int64s, ends_M: Int64s) -> Uint32s:
    """Return the values of M ranges, one after the other."""
    copies = np.empty((ends_M - starts_M).sum(), np.uint32)
    at = 0
    for number in range(len(starts_M)):
        some = values_S[starts_M[number] : ends_M[number]]
        copies[at : at + len(some)] = some
        at += len(some)
    return copies
