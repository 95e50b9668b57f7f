"""Which documents are copies of one another, found in one range of the keys they share.

Documents that share a key are a bucket. Within it

- those of equal content, or with equal shingles, are copies;
- of all others, each two that nothing connects yet are compared by the exact Jaccard similarity of
  their shingles. A family of pages that are nearly the same costs about one comparison a page.

Two documents that share several keys are left to the first of them (content, then bands in order),
so nothing is compared twice in a run. Two published documents are never compared: an earlier run
did that.

A bucket of more than CROWD different sets of shingles is a crowd. There a document is compared with
those alone that were like none before them, at most CROWD of these: work grows with the crowd, not
with its square, and some pairs are not looked at. That is the one bound on what is found beyond
that of the signatures. The order in a bucket is that of the sets' hashes, so neither the numbering
nor the number of the units changes what is found.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints, mix_contents
from pipelines.dedupe.gather import (
    CHUNK_BYTES,
    cut_chunks,
    find_published,
    gather,
    gather_shingles,
    name_nodes,
)
from pipelines.dedupe.unions import find, join, span
from pipelines.settings import NearSettings
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Int64s, Uint32s, Uint64s

CROWD = 500  # different sets of shingles in a bucket
BLOCK = 64  # shingles between two looks whether a similarity can still be reached
DOCUMENT_BYTES = 500  # of text, at least, on the average
KEY_BYTES = 130  # that a key takes at the peak, if all documents are copies; 32 if none is
SHARE = 0.5  # of a process's memory for the keys of a range
NOWHERE, EARLIER, HERE = 0, 1, 2  # where two documents of a bucket meet first


class Entries(NamedTuple):
    """N places of documents in buckets: by bucket, then by document."""

    keys_N: Uint64s
    docs_N: Int64s


class Sheet(NamedTuple):
    """The M documents that are in buckets, by node."""

    nodes_M: Uint64s
    contents_M: Uint64s  # number of the content, counted up
    sets_M: Uint64s  # hash of the shingles; without any, number of the content
    content_keys_M: Uint64s
    band_keys_M: Uint64s  # of the first band
    sizes_M: Int64s  # bytes to gather for a comparison
    published_M: Bools


class Groups(NamedTuple):
    """G groups of a bucket's documents with equal shingles: by bucket, then by hash of the set."""

    keys_G: Uint64s
    firsts_G: Int64s
    settled_G: Bools  # all of its documents are published
    groups_N: Int64s  # the group of each entry


class Bench(NamedTuple):
    """L members of buckets to be compared with one another, and what C documents they stand for."""

    keys_L: Uint64s  # of the bucket
    seats_L: Int64s  # which of the C documents
    settled_L: Bools
    bands_CxB: Uint64s
    shingles_S: Uint32s
    offsets_C1: Int64s


def find_links(
    units: Mapping[int, Fingerprints], partition: int, partitions: int, near: NearSettings | None
) -> Uint64s:
    """Return edges between the documents of all units that are copies, uint64 [E, 2] nodes.

    They are of one of the equal ranges into which the keys are cut, the fewest that connect what is
    connected there. Without `near`, copies are documents of equal content.
    """
    keys_N, nodes_N = _collect(units, partition, partitions)
    if not len(keys_N):
        return np.empty((0, 2), np.uint64)
    sheet, docs_N = _look_up(units, nodes_N, near)
    entries = Entries(keys_N, docs_N)
    groups = _group(entries, sheet)
    pairs_Px2 = _compare(units, sheet, groups, near) if near else np.empty((0, 2), np.int64)
    links_Lx2 = _link_groups(entries, sheet, groups, pairs_Px2)
    return span(sheet.nodes_M[np.concatenate([groups.firsts_G[pairs_Px2], links_Lx2])])


def estimate_partitions(text_bytes: int, near: NearSettings | None, memory: int) -> int:
    """Return into how many ranges to cut the keys of so much text for one process's memory.

    Half of it is for the keys; CHUNK_BYTES of shingles, held twice for a moment, come on top. Keys
    of one bucket cannot be cut: it is whole in its range.
    """
    keys = text_bytes // DOCUMENT_BYTES * (1 + (near.bands if near else 0))
    return max(1, -int(-keys * KEY_BYTES // (SHARE * memory)))


def _collect(
    units: Mapping[int, Fingerprints], partition: int, partitions: int
) -> tuple[Uint64s, Uint64s]:
    """Return sorted keys of a range and their nodes, for buckets with a pair to compare."""
    keys, nodes = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for uid in sorted(units):
        keys_K, docs_K = units[uid].open_bands()
        start, end = _cut(keys_K, partition, partitions)
        keys.append(keys_K[start:end].copy())  # without the pages that the search has touched
        nodes.append(name_nodes(uid, docs_K[start:end]))
    keys_N, nodes_N = np.concatenate(keys), np.concatenate(nodes)
    del keys, nodes
    order_N = np.argsort(keys_N, kind="stable")
    keys_N = keys_N[order_N]
    shared_N = _find_shared(keys_N)
    keys_N, nodes_N = keys_N[shared_N], nodes_N[order_N[shared_N]]
    if not len(keys_N) or not any(fingerprints.published for fingerprints in units.values()):
        return keys_N, nodes_N
    starts, sizes = _find_runs(keys_N)
    new = np.logical_or.reduceat(~find_published(units, nodes_N), starts)
    return keys_N[np.repeat(new, sizes)], nodes_N[np.repeat(new, sizes)]


def _cut(keys_K: Uint64s, partition: int, partitions: int) -> tuple[int, int]:
    """Return where one of the equal ranges of the key space lies in sorted keys."""
    edges = [(1 << 64) * at // partitions for at in (partition, partition + 1)]
    start = int(np.searchsorted(keys_K, np.uint64(edges[0])))
    last = np.uint64(edges[1] - 1)
    return start, int(np.searchsorted(keys_K, last, "right"))


def _find_shared(keys_N: Uint64s) -> Bools:
    """Say which of the sorted keys occur more than once."""
    shared_N = np.zeros(len(keys_N), bool)
    same = keys_N[1:] == keys_N[:-1]
    shared_N[1:] |= same
    shared_N[:-1] |= same
    return shared_N


def _find_runs(*columns_N: Uint64s | Int64s) -> tuple[Int64s, Int64s]:
    """Return starts and sizes of the runs of rows that agree in all columns."""
    begins = np.ones(len(columns_N[0]), bool)
    begins[1:] = False
    for column_N in columns_N:
        begins[1:] |= column_N[1:] != column_N[:-1]
    starts = np.flatnonzero(begins)
    return starts, np.diff(starts, append=len(begins))


def _look_up(
    units: Mapping[int, Fingerprints], nodes_N: Uint64s, near: NearSettings | None
) -> tuple[Sheet, Int64s]:
    """Return the documents in buckets, and which of them each entry is."""
    nodes_M, places_N = np.unique(nodes_N, return_inverse=True)
    (contents_Mx2,) = gather(units, nodes_M, ["contents_Dx2"])
    contents_M, keys_M = _number(contents_Mx2), mix_contents(contents_Mx2)
    bands_M, sets_M, sizes_M = keys_M, contents_M, np.zeros(len(nodes_M), np.int64)
    if near:
        names = ("first_band_D", "sets_D", "sizes_D")
        bands_M, sets_M, sizes_M = gather(units, nodes_M, names)
        sets_M = np.where(sets_M, sets_M, contents_M)
    published_M = find_published(units, nodes_M)
    return Sheet(nodes_M, contents_M, sets_M, keys_M, bands_M, sizes_M, published_M), places_N


def _number(halves_Mx2: Uint64s) -> Uint64s:
    """Return a number for each different pair of halves, counted up from 0."""
    order_M = np.lexsort(halves_Mx2.T)
    begins_M = np.zeros(len(halves_Mx2), np.uint64)
    begins_M[1:] = (np.diff(halves_Mx2[order_M], axis=0) != 0).any(axis=1)
    numbers_M = np.empty_like(begins_M)
    numbers_M[order_M] = np.cumsum(begins_M, dtype=np.uint64)
    return numbers_M


def _group(entries: Entries, sheet: Sheet) -> Groups:
    """Return the groups of equal sets in each bucket."""
    keys_N, docs_N = entries
    sets_N = sheet.sets_M[docs_N]
    order_N = np.lexsort((docs_N, sets_N, keys_N))
    starts, sizes = _find_runs(keys_N[order_N], sets_N[order_N])
    firsts_G = docs_N[order_N[starts]]
    keys_G = keys_N[order_N[starts]]
    settled_G = np.logical_and.reduceat(sheet.published_M[docs_N[order_N]], starts)
    groups_N = np.empty_like(order_N)
    groups_N[order_N] = np.repeat(np.arange(len(starts)), sizes)
    return Groups(keys_G, firsts_G, settled_G, groups_N)


def _link_groups(entries: Entries, sheet: Sheet, groups: Groups, pairs_Px2: Int64s) -> Int64s:
    """Return links of documents with the first of their group, as far as they are this bucket's."""
    joined_G = np.zeros(len(groups.keys_G), bool)
    joined_G[pairs_Px2] = True
    docs_N, firsts_N = entries.docs_N, groups.firsts_G[groups.groups_N]
    same = sheet.contents_M[docs_N] == sheet.contents_M[firsts_N]
    keys_N = np.where(same, sheet.content_keys_M[firsts_N], sheet.band_keys_M[firsts_N])
    here = entries.keys_N == keys_N
    both = sheet.published_M[docs_N] & sheet.published_M[firsts_N]
    # Published copies are not linked to each other: a new document that resembles them links them.
    wanted = np.where(both, (joined_G | ~groups.settled_G)[groups.groups_N], here)
    chosen = np.flatnonzero(wanted & (docs_N != firsts_N))
    return np.stack([firsts_N[chosen], docs_N[chosen]], axis=1)


def _compare(
    units: Mapping[int, Fingerprints], sheet: Sheet, groups: Groups, near: NearSettings
) -> Int64s:
    """Return pairs of groups [P, 2] that are similar, as many as connect all that are."""
    starts, sizes = _find_runs(groups.keys_G)
    bytes_G1 = np.append(0, np.cumsum(sheet.sizes_M[groups.firsts_G]))
    costs = bytes_G1[starts + sizes] - bytes_G1[starts]
    few = np.flatnonzero((sizes > 1) & (sizes <= CROWD))
    found = [np.empty((0, 2), np.int64)]
    for first, last in cut_chunks(costs[few], CHUNK_BYTES):
        some = few[first:last]
        members_L = _list_ranges(starts[some], sizes[some])
        bench = _seat(units, sheet, groups, members_L)
        pairs_Lx2 = np.empty((len(members_L), 2), np.int64)
        bounds_B1 = np.append(0, np.cumsum(sizes[some]))
        count = compare_buckets(bench, bounds_B1, near.jaccard, pairs_Lx2)
        found.append(members_L[pairs_Lx2[:count]])
    for crowd in np.flatnonzero(sizes > CROWD):
        members = np.arange(starts[crowd], starts[crowd] + sizes[crowd])
        found += _compare_crowd(units, sheet, groups, members, near)
    return np.concatenate(found)


def _compare_crowd(
    units: Mapping[int, Fingerprints],
    sheet: Sheet,
    groups: Groups,
    members_G: Int64s,
    near: NearSettings,
) -> Iterator[Int64s]:
    """Yield pairs of groups of one crowd that are similar."""
    rivals_R = members_G[:0]
    for first, last in cut_chunks(sheet.sizes_M[groups.firsts_G[members_G]], CHUNK_BYTES):
        members_L = np.append(rivals_R, members_G[first:last])
        bench = _seat(units, sheet, groups, members_L)
        pairs_Lx2 = np.empty((len(members_L), 2), np.int64)
        places_R = np.empty(CROWD, np.int64)
        places_R[: len(rivals_R)] = np.arange(len(rivals_R))
        rivals, count = compare_crowd(bench, places_R, len(rivals_R), near.jaccard, pairs_Lx2)
        rivals_R = members_L[places_R[:rivals]]
        yield members_L[pairs_Lx2[:count]]


def _seat(
    units: Mapping[int, Fingerprints], sheet: Sheet, groups: Groups, members_L: Int64s
) -> Bench:
    """Read what groups are compared by."""
    nodes_L = sheet.nodes_M[groups.firsts_G[members_L]]
    nodes_C, seats_L = np.unique(nodes_L, return_inverse=True)
    (bands_CxB,) = gather(units, nodes_C, ["bands_DxB"])
    shingles_S, offsets_C1 = gather_shingles(units, nodes_C)
    keys_L, settled_L = groups.keys_G[members_L], groups.settled_G[members_L]
    return Bench(keys_L, seats_L, settled_L, bands_CxB, shingles_S, offsets_C1)


def _list_ranges(starts: Int64s, sizes: Int64s) -> Int64s:
    """Return the numbers of several ranges, one after the other."""
    ends = np.cumsum(sizes)
    return np.asarray(np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes))


@njit
def compare_buckets(bench: Bench, bounds_B1: Int64s, least: float, pairs_Lx2: Int64s) -> int:
    """Write the similar pairs of members of each bucket that connect it; return how many."""
    roots_L = np.arange(len(bench.keys_L))
    count = 0
    for bucket in range(len(bounds_B1) - 1):
        start, end = bounds_B1[bucket], bounds_B1[bucket + 1]
        if is_left(bench, start, end):
            continue
        for member in range(start + 1, end):
            for rival in range(start, member):
                if find(roots_L, member) != find(roots_L, rival) and (
                    meet(bench, member, rival) == HERE and are_similar(bench, member, rival, least)
                ):
                    join(roots_L, member, rival)
                    pairs_Lx2[count] = rival, member
                    count += 1
    return count


@njit
def compare_crowd(
    bench: Bench, rivals_R: Int64s, rivals: int, least: float, pairs_Lx2: Int64s
) -> tuple[int, int]:
    """Write similar pairs of a crowd's members; return how many rivals and how many pairs.

    The first members are the rivals of before; others are added until `rivals_R` is full.
    """
    roots_L = np.arange(len(bench.keys_L))
    count = 0
    for member in range(rivals, len(roots_L)):
        alone = True
        for rival in rivals_R[:rivals]:
            if find(roots_L, member) == find(roots_L, rival):
                continue
            where = meet(bench, member, rival)
            if where == HERE and are_similar(bench, member, rival, least):
                join(roots_L, member, rival)
                pairs_Lx2[count] = rival, member
                count += 1
                alone = False
            alone &= where != EARLIER
        if alone and rivals < len(rivals_R):
            rivals_R[rivals] = member
            rivals += 1
    return rivals, count


@njit
def is_left(bench: Bench, start: int, end: int) -> bool:
    """Say whether all members of a bucket share a band before the one they are here for."""
    first = bench.seats_L[start]
    for band in range(bench.bands_CxB.shape[1]):
        key = bench.bands_CxB[first, band]
        if key == bench.keys_L[start]:
            return False
        same = True
        for member in range(start + 1, end):
            same &= bench.bands_CxB[bench.seats_L[member], band] == key
        if same:
            return True
    return False


@njit
def meet(bench: Bench, one: int, other: int) -> int:
    """Say whether the first band that two members share is this bucket's.

    NOWHERE: they are not compared, because they are published, or share a key by chance.
    """
    if bench.settled_L[one] and bench.settled_L[other]:
        return NOWHERE
    left, right = bench.seats_L[one], bench.seats_L[other]
    for band in range(bench.bands_CxB.shape[1]):
        key = bench.bands_CxB[left, band]
        if key == bench.bands_CxB[right, band]:
            return HERE if key == bench.keys_L[one] else EARLIER
    return NOWHERE


@njit
def are_similar(bench: Bench, one: int, other: int, least: float) -> bool:
    """Say whether the Jaccard similarity of two members' shingles is at least `least`."""
    left, right = bench.seats_L[one], bench.seats_L[other]
    return reaches(
        bench.shingles_S[bench.offsets_C1[left] : bench.offsets_C1[left + 1]],
        bench.shingles_S[bench.offsets_C1[right] : bench.offsets_C1[right + 1]],
        least,
    )


@njit
def reaches(a_S: Uint32s, b_S: Uint32s, least: float) -> bool:
    """Say whether `jaccard` of two sorted arrays of distinct values, not both empty, is `least`.

    It stops as soon as too few values are left.
    """
    a, b, common = 0, 0, 0
    total = len(a_S) + len(b_S)
    while True:
        steps = min(len(a_S) - a, len(b_S) - b)
        most = common + steps
        if most / (total - most) < least:
            return False
        if steps == 0:
            return True
        for _ in range(min(steps, BLOCK)):  # neither array ends within these steps
            left, right = a_S[a], b_S[b]
            common += left == right
            a += left <= right
            b += right <= left
