"""Which documents are copies of one another, found in one range of the keys they share.

Documents that share a key are a bucket. Within it

- those of equal content, or with equal shingles, are copies;
- of all others, each two that nothing connects yet are compared by the exact Jaccard similarity of
  their shingles. A family of pages that are nearly the same costs about one comparison a page.

Two documents that share several keys are left to the first of them (content, then bands in order),
so nothing is compared twice in a run. Two published documents are never compared: an earlier run
did that.

A bucket of more than LARGE different sets of shingles is large. There a document is compared with
representatives alone, those that were like none before them, at most LARGE: work grows with the
bucket, not with its square, and some pairs are not looked at. That is the one bound on what is
found beyond that of the signatures. The order in a bucket is that of the sets' hashes, so neither
the numbering nor the number of the units changes what is found.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.dedupe.buckets import (
    Candidates,
    Entries,
    Groups,
    collect_keys,
    group_equal_sets,
    read_candidates,
)
from pipelines.dedupe.comparisons import Members, compare_buckets, compare_large_bucket
from pipelines.dedupe.fingerprints import Fingerprints
from pipelines.dedupe.nodes import CHUNK_BYTES, cut_chunks, read_columns, read_shingles
from pipelines.dedupe.unions import span
from pipelines.settings import NearSettings
from weighting.array_tools import expand_ranges, find_runs, to_offsets
from weighting.arrays import Int64s, Uint64s

LARGE = 500  # different sets of shingles in a bucket
DOCUMENT_BYTES = 500  # of text, at least, on the average
KEY_BYTES = 130  # that a key takes at the peak, if all documents are copies; 32 if none is
SHARE = 0.5  # of a process's memory for the keys of a range


def find_links(
    units: Mapping[int, Fingerprints], number: int, ranges: int, near: NearSettings | None
) -> Uint64s:
    """Return links between the documents of all units that are copies, uint64 [E, 2] nodes.

    They are of one of the equal ranges into which the keys are cut, the fewest that connect what is
    connected there. Without `near`, copies are documents of equal content.
    """
    keys_N, nodes_N = collect_keys(units, number, ranges)
    if not len(keys_N):
        return np.empty((0, 2), np.uint64)
    candidates, docs_N = read_candidates(units, nodes_N, near)
    entries = Entries(keys_N, docs_N)
    groups = group_equal_sets(entries, candidates)
    pairs_Px2 = np.empty((0, 2), np.int64)
    if near:
        pairs_Px2 = _compare_groups(units, candidates, groups, near)
    links_Lx2 = _link_groups(entries, candidates, groups, pairs_Px2)
    return span(candidates.nodes_M[np.concatenate([groups.firsts_G[pairs_Px2], links_Lx2])])


def estimate_ranges(text_bytes: int, near: NearSettings | None, memory: int) -> int:
    """Return into how many ranges to cut the keys of so much text for one process's memory.

    Half of it is for the keys; CHUNK_BYTES of shingles, held twice for a moment, come on top. Keys
    of one bucket cannot be cut: it is whole in its range.
    """
    keys = text_bytes // DOCUMENT_BYTES * (1 + (near.bands if near else 0))
    return max(1, -int(-keys * KEY_BYTES // (SHARE * memory)))


def _link_groups(
    entries: Entries, candidates: Candidates, groups: Groups, pairs_Px2: Int64s
) -> Int64s:
    """Return links of documents with the first of their group, as far as they are this bucket's."""
    joined_G = np.zeros(len(groups.keys_G), bool)
    joined_G[pairs_Px2] = True
    docs_N, firsts_N = entries.docs_N, groups.firsts_G[groups.groups_N]
    # The first key that a document shares with the first of its group: that of the content where
    # contents are equal, else that of band 0, since equal shingles agree in all bands.
    same = candidates.contents_M[docs_N] == candidates.contents_M[firsts_N]
    keys_N = np.where(same, candidates.content_keys_M[firsts_N], candidates.band_keys_M[firsts_N])
    here = entries.keys_N == keys_N
    both = candidates.published_M[docs_N] & candidates.published_M[firsts_N]
    # Published copies are not linked to each other: a new document that resembles them links them.
    wanted = np.where(both, (joined_G | ~groups.published_G)[groups.groups_N], here)
    chosen = np.flatnonzero(wanted & (docs_N != firsts_N))
    return np.stack([firsts_N[chosen], docs_N[chosen]], axis=1)


def _compare_groups(
    units: Mapping[int, Fingerprints],
    candidates: Candidates,
    groups: Groups,
    near: NearSettings,
) -> Int64s:
    """Return pairs of groups [P, 2] that are similar, as many as connect all that are."""
    starts, sizes = find_runs(groups.keys_G)
    bytes_G1 = to_offsets(candidates.sizes_M[groups.firsts_G])
    costs = bytes_G1[starts + sizes] - bytes_G1[starts]
    small = np.flatnonzero((sizes > 1) & (sizes <= LARGE))
    found = [np.empty((0, 2), np.int64)]
    for first, last in cut_chunks(costs[small], CHUNK_BYTES):
        some = small[first:last]
        groups_L = expand_ranges(starts[some], sizes[some])
        members = _read_members(units, candidates, groups, groups_L)
        pairs_Lx2 = np.empty((len(groups_L), 2), np.int64)
        count = compare_buckets(members, to_offsets(sizes[some]), near.jaccard, pairs_Lx2)
        found.append(groups_L[pairs_Lx2[:count]])
    for bucket in np.flatnonzero(sizes > LARGE):
        groups_L = np.arange(starts[bucket], starts[bucket] + sizes[bucket])
        found += _compare_large_bucket(units, candidates, groups, groups_L, near)
    return np.concatenate(found)


def _compare_large_bucket(
    units: Mapping[int, Fingerprints],
    candidates: Candidates,
    groups: Groups,
    bucket_L: Int64s,
    near: NearSettings,
) -> Iterator[Int64s]:
    """Yield pairs of groups of one large bucket that are similar, chunk by chunk."""
    representatives_R = bucket_L[:0]
    for first, last in cut_chunks(candidates.sizes_M[groups.firsts_G[bucket_L]], CHUNK_BYTES):
        # The representatives of the chunks before come first, so their places count from 0.
        groups_L = np.append(representatives_R, bucket_L[first:last])
        known = len(representatives_R)
        members = _read_members(units, candidates, groups, groups_L)
        pairs_Lx2 = np.empty((len(groups_L), 2), np.int64)
        places_R = np.empty(LARGE, np.int64)
        places_R[:known] = np.arange(known)
        known, count = compare_large_bucket(members, places_R, known, near.jaccard, pairs_Lx2)
        representatives_R = groups_L[places_R[:known]]
        yield groups_L[pairs_Lx2[:count]]


def _read_members(
    units: Mapping[int, Fingerprints], candidates: Candidates, groups: Groups, groups_L: Int64s
) -> Members:
    """Read what L groups are compared by: bands and shingles of their first documents."""
    nodes_C, documents_L = np.unique(
        candidates.nodes_M[groups.firsts_G[groups_L]], return_inverse=True
    )
    (bands_CxB,) = read_columns(units, nodes_C, ["bands_DxB"])
    shingles_S, offsets_C1 = read_shingles(units, nodes_C)
    return Members(
        keys_L=groups.keys_G[groups_L],
        documents_L=documents_L,
        published_L=groups.published_G[groups_L],
        bands_CxB=bands_CxB,
        shingles_S=shingles_S,
        offsets_C1=offsets_C1,
    )
