"""Kernels: the documents of a bucket compared with each other, each pair in one bucket alone.

A bucket's members share the key of one band. Two that agree in several bands are compared in the
bucket of the first of these:

    band        0    1    2    3
    document A  17   40   33   91
    document B  25   40   33   18      they are compared in the bucket of 40, not in that of 33

Members that are connected already are not compared: a family of pages that are all alike takes
about one comparison a page. A large bucket has *representatives*, members that were like none of
those before them, and the rest are compared with these alone.
"""

from typing import NamedTuple

import numpy as np

from pipelines.dedupe.shingles import reaches
from pipelines.dedupe.unions import find, join
from pipelines.words.compiled import njit
from weighting.arrays import Bools, Int64s, Uint32s, Uint64s

NOWHERE, EARLIER, HERE = 0, 1, 2  # where two members are compared


class Members(NamedTuple):
    """L members of buckets, and the C documents that they are: one may be in several buckets."""

    keys_L: Uint64s  # of the bucket
    documents_L: Int64s  # which of the C documents
    published_L: Bools  # it and all documents with the same shingles are published
    bands_CxB: Uint64s
    shingles_S: Uint32s
    offsets_C1: Int64s  # of the shingles


@njit
def compare_buckets(members: Members, bounds_B1: Int64s, least: float, pairs_Lx2: Int64s) -> int:
    """Write pairs of members that are similar, enough to connect each bucket; return how many.

    Bucket b holds the members from bounds_B1[b] to bounds_B1[b + 1]. A pair joins two trees, so
    there are fewer pairs than members, and `pairs_Lx2` has room for all.
    """
    roots_L = np.arange(len(members.keys_L))
    count = 0
    for bucket in range(len(bounds_B1) - 1):
        start, end = bounds_B1[bucket], bounds_B1[bucket + 1]
        if is_repeated(members, start, end):
            continue
        for member in range(start + 1, end):
            for other in range(start, member):
                # The roots first: within a family nearly all pairs are connected by now.
                if find(roots_L, member) != find(roots_L, other) and (
                    choose_bucket(members, member, other) == HERE
                    and are_similar(members, member, other, least)
                ):
                    join(roots_L, member, other)
                    pairs_Lx2[count] = other, member
                    count += 1
    return count


@njit
def compare_large_bucket(
    members: Members, representatives_R: Int64s, known: int, least: float, pairs_Lx2: Int64s
) -> tuple[int, int]:
    """Write similar pairs of one bucket's members; return how many representatives and pairs.

    The first `known` members are representatives already; others are added until there are R.
    """
    roots_L = np.arange(len(members.keys_L))
    count = 0
    for member in range(known, len(roots_L)):
        alone = True
        for other in representatives_R[:known]:
            if find(roots_L, member) == find(roots_L, other):
                continue
            where = choose_bucket(members, member, other)
            if where == HERE and are_similar(members, member, other, least):
                join(roots_L, member, other)
                pairs_Lx2[count] = other, member
                count += 1
                alone = False
            # What an earlier bucket compares with a representative is represented by it there.
            alone &= where != EARLIER
        if alone and known < len(representatives_R):
            representatives_R[known] = member
            known += 1
    return known, count


@njit
def is_repeated(members: Members, start: int, end: int) -> bool:
    """Say whether all members of a bucket share an earlier band too: nothing is compared here."""
    first = members.documents_L[start]
    for band in range(members.bands_CxB.shape[1]):
        key = members.bands_CxB[first, band]
        if key == members.keys_L[start]:  # the band of this bucket: none before it is shared by all
            return False
        same = True
        for member in range(start + 1, end):
            same &= members.bands_CxB[members.documents_L[member], band] == key
        if same:
            return True
    return False


@njit
def choose_bucket(members: Members, one: int, other: int) -> int:
    """Say whether two members are compared HERE, in the bucket of an EARLIER band, or NOWHERE.

    NOWHERE: both are published, or the bucket is one of content hashes that equals a band's key by
    chance.
    """
    if members.published_L[one] and members.published_L[other]:
        return NOWHERE
    left, right = members.documents_L[one], members.documents_L[other]
    for band in range(members.bands_CxB.shape[1]):
        key = members.bands_CxB[left, band]
        if key == members.bands_CxB[right, band]:
            return HERE if key == members.keys_L[one] else EARLIER
    return NOWHERE


@njit
def are_similar(members: Members, one: int, other: int, least: float) -> bool:
    """Say whether the Jaccard similarity of two members' shingles is at least `least`."""
    left, right = members.documents_L[one], members.documents_L[other]
    return reaches(
        members.shingles_S[members.offsets_C1[left] : members.offsets_C1[left + 1]],
        members.shingles_S[members.offsets_C1[right] : members.offsets_C1[right + 1]],
        least,
    )
