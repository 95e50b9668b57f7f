"""Buckets: the documents of all units that share a key, in one range of the keys.

A document is in a bucket for each of its keys that another document has too. `Candidates` holds
what is known of a document, once, and `Entries` says who is in which bucket. Documents of a bucket
with equal shingles are a group, of which the first one stands for all in comparisons.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipelines.dedupe.fingerprints import Fingerprints, mix_contents
from pipelines.dedupe.nodes import find_published, name_nodes, read_columns
from pipelines.settings import NearSettings
from weighting.array_tools import find_key_range, find_runs, mark_changes, number_groups, to_offsets
from weighting.arrays import Bools, Int64s, Uint64s


class Entries(NamedTuple):
    """N places of documents in buckets: by bucket, then by document."""

    keys_N: Uint64s
    docs_N: Int64s  # which of the M candidates


class Candidates(NamedTuple):
    """The M documents that are in buckets, by node."""

    nodes_M: Uint64s
    contents_M: Uint64s  # number of the content, counted up from 0
    sets_M: Uint64s  # hash of the shingles; without any, number of the content
    content_keys_M: Uint64s
    band_keys_M: Uint64s  # of the first band
    sizes_M: Int64s  # bytes to read for a comparison
    published_M: Bools


class Groups(NamedTuple):
    """G groups of a bucket's documents with equal shingles: by bucket, then by hash of the set."""

    keys_G: Uint64s
    firsts_G: Int64s  # the candidate that stands for the group
    published_G: Bools  # all of its documents are
    groups_N: Int64s  # the group of each entry


def collect_keys(
    units: Mapping[int, Fingerprints], number: int, ranges: int
) -> tuple[Uint64s, Uint64s]:
    """Return the sorted keys of a range that several documents have, and their nodes, [N] each.

    Keys that only published documents have are left out, for no pair of these is compared.
    """
    keys, nodes = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for uid in sorted(units):
        keys_K, docs_K = units[uid].open_bands()
        wanted = find_key_range(keys_K, number, ranges)
        keys.append(keys_K[wanted].copy())  # without the pages that the search has touched
        nodes.append(name_nodes(uid, docs_K[wanted]))
    keys_N, nodes_N = np.concatenate(keys), np.concatenate(nodes)
    del keys, nodes  # or the keys would be in memory twice while they are sorted
    order_N = np.argsort(keys_N, kind="stable")
    keys_N = keys_N[order_N]
    changes_N = mark_changes(keys_N)
    shared_N = ~(changes_N & np.append(changes_N[1:], True))  # unlike the keys on both sides
    keys_N, nodes_N = keys_N[shared_N], nodes_N[order_N[shared_N]]
    if not len(keys_N) or not any(fingerprints.published for fingerprints in units.values()):
        return keys_N, nodes_N
    starts, sizes = find_runs(keys_N)
    new = np.logical_or.reduceat(~find_published(units, nodes_N), starts)
    return keys_N[np.repeat(new, sizes)], nodes_N[np.repeat(new, sizes)]


def read_candidates(
    units: Mapping[int, Fingerprints], nodes_N: Uint64s, near: NearSettings | None
) -> tuple[Candidates, Int64s]:
    """Return the documents of N entries, each once, and which of them each entry is, int64 [N]."""
    nodes_M, places_N = np.unique(nodes_N, return_inverse=True)
    (contents_Mx2,) = read_columns(units, nodes_M, ["contents_Dx2"])
    contents_M, keys_M = _number_contents(contents_Mx2), mix_contents(contents_Mx2)
    bands_M, sets_M, sizes_M = keys_M, contents_M, np.zeros(len(nodes_M), np.int64)
    if near:
        names = ("first_band_D", "sets_D", "sizes_D")
        bands_M, sets_M, sizes_M = read_columns(units, nodes_M, names)
        sets_M = np.where(sets_M, sets_M, contents_M)
    candidates = Candidates(
        nodes_M=nodes_M,
        contents_M=contents_M,
        sets_M=sets_M,
        content_keys_M=keys_M,
        band_keys_M=bands_M,
        sizes_M=sizes_M,
        published_M=find_published(units, nodes_M),
    )
    return candidates, places_N


def group_equal_sets(entries: Entries, candidates: Candidates) -> Groups:
    """Return the groups of each bucket."""
    keys_N, docs_N = entries
    sets_N = candidates.sets_M[docs_N]
    order_N = np.lexsort((docs_N, sets_N, keys_N))
    starts, sizes = find_runs(keys_N[order_N], sets_N[order_N])
    published_N = candidates.published_M[docs_N[order_N]]
    groups_N = np.empty_like(order_N)
    groups_N[order_N] = number_groups(to_offsets(sizes))
    return Groups(
        keys_G=keys_N[order_N[starts]],
        firsts_G=docs_N[order_N[starts]],
        published_G=np.logical_and.reduceat(published_N, starts),
        groups_N=groups_N,
    )


def _number_contents(halves_Mx2: Uint64s) -> Uint64s:
    """Return a number for each different pair of halves, uint64 [M], counted up from 0."""
    order_M = np.lexsort(halves_Mx2.T)
    numbers_M = np.empty(len(halves_Mx2), np.uint64)
    changes_M = mark_changes(*halves_Mx2[order_M].T)
    numbers_M[order_M] = np.cumsum(changes_M, dtype=np.uint64) - np.uint64(1)
    return numbers_M
