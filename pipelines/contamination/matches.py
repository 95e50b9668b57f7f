"""Where n-grams of evaluation items occur in documents: one look at a table for each n-gram."""

from typing import NamedTuple

import numpy as np

from pipelines.contamination.index import Index
from pipelines.text.word_hashes import WordHashes, hash_grams
from pipelines.words.compiled import njit
from pipelines.words.hashing import find_slot
from weighting.arrays import Int32s, Int64s, Uint64s


class Matches(NamedTuple):
    """M places of n-grams in documents, by first word; words count through all documents."""

    documents_M: Int64s
    grams_M: Int64s
    firsts_M: Int64s
    lasts_M: Int64s  # the word after the last one


def find_matches(word_hashes: WordHashes, index: Index) -> Matches:
    """Return all places of the index's n-grams in the words of D documents."""
    parts = [np.empty((4, 0), np.int64)]
    for length in index.lengths_L.tolist():
        hashes_N, offsets_D1 = hash_grams(word_hashes.hashes_N, word_hashes.offsets_D1, length)
        places_M, grams_M = look_up(hashes_N, index.keys_K, index.grams_K)
        documents_M = np.searchsorted(offsets_D1, places_M, side="right") - 1
        firsts_M = places_M + (word_hashes.offsets_D1 - offsets_D1)[documents_M]
        parts.append(np.stack([documents_M, grams_M, firsts_M, firsts_M + length]))
    matches_4xM = np.concatenate(parts, 1)
    documents_M, grams_M, firsts_M, lasts_M = matches_4xM[
        :, np.argsort(matches_4xM[2], kind="stable")
    ]
    return Matches(documents_M, grams_M, firsts_M, lasts_M)


@njit
def look_up(hashes_N: Uint64s, keys_K: Uint64s, grams_K: Int32s) -> tuple[Int64s, Int64s]:
    """Return the places among N hashes of those in the table, and the numbers it has for them."""
    # Room for a match everywhere; nearly all of it is never touched, so it costs no memory.
    places, grams = np.empty(len(hashes_N), np.int64), np.empty(len(hashes_N), np.int64)
    size = 0
    for at in range(len(hashes_N)):
        place = find_slot(keys_K, hashes_N[at])
        if keys_K[place] != np.uint64(0):
            places[size], grams[size] = at, grams_K[place]
            size += 1
    return places[:size].copy(), grams[:size].copy()
