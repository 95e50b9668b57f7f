"""Documents by node, from the fingerprints of all units: only what is asked for is read.

A node names one document of the corpus in 64 bits:

    63            32 31             0
    | unit         | row in its file |

So sorted nodes lie unit by unit, and each unit's files are opened once. They are let go as soon as
its documents are read, since a process can map some ten thousand files at once, and a corpus may
have more units.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints
from pipelines.words.compiled import njit
from weighting.array_tools import find_runs, to_offsets
from weighting.arrays import AnyArray, Bools, Int64s, Uint32s, Uint64s

UNIT_BITS = np.uint64(32)
ROW_MASK = np.uint64(2**32 - 1)
CHUNK_BYTES = 64 * 2**20  # of shingles and bands held at once


def name_nodes(unit: int, docs_N: Uint32s) -> Uint64s:
    """Return the nodes of documents of a unit, uint64 [N].

    >>> [hex(node) for node in name_nodes(3, np.array([0, 7], np.uint32)).tolist()]
    ['0x300000000', '0x300000007']
    """
    return np.uint64(unit) << UNIT_BITS | docs_N.astype(np.uint64)


def find_published(units: Mapping[int, Fingerprints], nodes_N: Uint64s) -> Bools:
    """Return which of N nodes an earlier run has published, bool [N]."""
    published = [uid for uid, fingerprints in units.items() if fingerprints.published]
    return np.isin(nodes_N >> UNIT_BITS, np.array(published, np.uint64))


def read_columns(
    units: Mapping[int, Fingerprints], nodes_M: Uint64s, names: Sequence[str]
) -> list[AnyArray]:
    """Return columns of M documents, by names of `fingerprints.Documents`; nodes are sorted.

    Numbers come out in the machine's byte order. There must be at least one node.
    """
    parts: list[list[AnyArray]] = [[] for _ in names]
    for uid, docs in split_by_unit(nodes_M):
        documents = units[uid].open_documents()
        for part, name in zip(parts, names, strict=True):
            part.append(getattr(documents, name)[docs])
    return [np.concatenate(part).astype(part[0].dtype.newbyteorder("=")) for part in parts]


def read_shingles(units: Mapping[int, Fingerprints], nodes_M: Uint64s) -> tuple[Uint32s, Int64s]:
    """Return the shingles of M documents, one after the other, and their offsets, int64 [M+1]."""
    parts, sizes = [np.empty(0, np.uint32)], [np.empty(0, np.int64)]
    for uid, docs in split_by_unit(nodes_M):
        documents = units[uid].open_documents()
        starts, ends = documents.offsets_D1[docs], documents.offsets_D1[docs + 1]
        parts.append(copy_ranges(documents.shingles_S, starts, ends))
        sizes.append(ends - starts)
    return np.concatenate(parts), to_offsets(np.concatenate(sizes))


def split_by_unit(nodes_M: Uint64s) -> Iterator[tuple[int, Int64s]]:
    """Yield each unit and its documents (rows) among sorted nodes."""
    units_M = nodes_M >> UNIT_BITS
    docs_M = (nodes_M & ROW_MASK).astype(np.int64)
    for start, size in zip(*find_runs(units_M), strict=True):
        yield int(units_M[start]), docs_M[start : start + size]


def cut_chunks(sizes_G: Int64s, limit: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of consecutive things whose sizes add up to `limit`, or that are one thing.

    >>> list(cut_chunks(np.array([2, 3, 9, 1, 1]), 5))
    [(0, 2), (2, 3), (3, 5)]
    """
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
    # Slices are copied whole; an array of places to take from would be twice as large as they are.
    copies = np.empty((ends_M - starts_M).sum(), np.uint32)
    at = 0
    for number in range(len(starts_M)):
        some = values_S[starts_M[number] : ends_M[number]]
        copies[at : at + len(some)] = some
        at += len(some)
    return copies
