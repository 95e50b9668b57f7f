"""Which words of a document the hits cover.

A hit's matches may lie far apart: a common n-gram at the start of a page, the item itself at its
end. They are put into runs, a new one where the next match is farther away than the item is long,
and the run that has most of them is where the item stands:

    words      · · 3 3 3 · · · · · · · · 3 3 3 3 3 · 3 3 3 · ·
    runs           [0,1)                 [--- most: the hit -)
"""

from typing import NamedTuple

import numpy as np

from pipelines.contamination.index import Index
from pipelines.contamination.matches import Matches
from pipelines.contamination.scores import Pairs
from pipelines.words.compiled import njit
from weighting.array_tools import mark_changes
from weighting.arrays import Int32s, Int64s


class Postings(NamedTuple):
    """What of the index (see `index.Index`) the kernel reads, and the words of each variant."""

    offsets_G1: Int64s
    variants_P: Int32s
    words_V: Int32s


class Runs(NamedTuple):
    """Runs of words in which the matches of H hits stand close together: the open one, the best."""

    open_Hx2: Int64s
    matches_H: Int64s  # of the open one
    best_Hx2: Int64s
    most_H: Int64s  # matches of the best one


class Cover(NamedTuple):
    """S spans of words [start, end) covered by hits, in order, and the best hit of each."""

    documents_S: Int64s
    words_Sx2: Int64s
    hits_S: Int64s


def trace_hits(matches: Matches, hits: Pairs, index: Index) -> tuple[Int64s, Int64s]:
    """Return the best hit of each match [M], -1 for none, and the words of each hit [H, 2].

    The words [start, end) of a hit are those of the run that has most of its matches. A run ends
    where the next match is farther away than the item is long.
    """
    size = len(hits.documents_P)
    runs = Runs(
        open_Hx2=np.zeros((size, 2), np.int64),
        matches_H=np.zeros(size, np.int64),
        best_Hx2=np.zeros((size, 2), np.int64),
        most_H=np.zeros(size, np.int64),
    )
    best_M = np.full(len(matches.grams_M), -1, np.int64)
    postings = Postings(index.offsets_G1, index.variants_P, index.variants["words"].to_numpy())
    attribute(matches, hits, postings, best_M, runs)
    return best_M, runs.best_Hx2


def unite(matches: Matches, best_M: Int64s) -> Cover:
    """Return what the matches of hits cover together; those that overlap or touch are one."""
    ours = np.flatnonzero(best_M >= 0)
    documents, firsts, lasts = (
        array[ours] for array in (matches.documents_M, matches.firsts_M, matches.lasts_M)
    )
    # Words count on through all documents, so those of one lie behind all of the one before.
    begins = mark_changes(documents)
    begins[1:] |= firsts[1:] > np.maximum.accumulate(lasts)[:-1]
    starts_S = np.flatnonzero(begins)
    ends_S = np.maximum.reduceat(lasts, starts_S) if len(ours) else lasts
    hits_S = np.minimum.reduceat(best_M[ours], starts_S) if len(ours) else ours
    return Cover(documents[starts_S], np.stack([firsts[starts_S], ends_S], 1), hits_S)


@njit
def attribute(
    matches: Matches, hits: Pairs, postings: Postings, best_M: Int64s, runs: Runs
) -> None:
    """Write the smallest number of the hits that each match belongs to; put it in their runs.

    Nothing is laid out by match and hit: where many items share an n-gram, that would be much.
    """
    words_V = postings.words_V
    hits_V = np.full(len(words_V), -1, np.int64)  # of the current document
    at = low = 0
    # Matches and hits are both sorted by document, and walked together.
    while at < len(best_M) and low < len(hits.documents_P):
        document, high = hits.documents_P[low], low
        while high < len(hits.documents_P) and hits.documents_P[high] == document:
            hits_V[hits.variants_P[high]] = high
            high += 1
        # This ends: a document with a hit has matches.
        while matches.documents_M[at] < document:
            at += 1
        while at < len(best_M) and matches.documents_M[at] == document:
            gram = matches.grams_M[at]
            start, end = postings.offsets_G1[gram], postings.offsets_G1[gram + 1]
            for variant in postings.variants_P[start:end]:
                hit = hits_V[variant]
                if hit >= 0:
                    # Hits of a document are sorted from the best: the smallest number.
                    best_M[at] = hit if best_M[at] < 0 else min(hit, best_M[at])
                    extend(runs, hit, matches.firsts_M[at], matches.lasts_M[at], words_V[variant])
            at += 1
        for hit in range(low, high):
            hits_V[hits.variants_P[hit]] = -1  # those that were set, not all variants
        low = high


@njit
def extend(runs: Runs, hit: int, first: int, last: int, reach: int) -> None:
    """Put a match in a hit's open run, or open another."""
    if not runs.matches_H[hit] or first > runs.open_Hx2[hit, 1] + reach:
        runs.open_Hx2[hit, 0] = first
        runs.matches_H[hit] = 0
    runs.open_Hx2[hit, 1] = last  # the n-grams of an item have one length
    runs.matches_H[hit] += 1
    if runs.matches_H[hit] > runs.most_H[hit]:
        runs.most_H[hit] = runs.matches_H[hit]
        runs.best_Hx2[hit] = runs.open_Hx2[hit]
