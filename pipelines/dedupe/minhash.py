"""MinHash signatures in bands, for finding texts with many shingles in common (LSH).

Broder, On the resemblance and containment of documents (1997); banding as in Leskovec, Rajaraman,
Ullman, Mining of Massive Datasets, section 3.4. Hash functions as datatrove's with 64 bits: h(x) is
(a·x + b mod 2^64) mod (2^61 - 1).

Two texts of Jaccard similarity J agree in one minimum with probability J, in a band of R rows with
J^R, and in any of B bands with 1 - (1 - J^R)^B.
"""

from typing import NamedTuple

import numpy as np

from pipelines.dedupe.shingles import make_sets
from pipelines.settings import NearSettings
from pipelines.text.word_hashes import WordHashes, hash_grams
from pipelines.words.compiled import njit
from pipelines.words.hashing import scatter
from weighting.arrays import Bools, Int64s, Uint32s, Uint64s

PRIME_BITS = np.uint64(61)
PRIME = np.uint64(2**61 - 1)


class Signatures(NamedTuple):
    """What near-duplicates of D texts are found by.

    `bands_DxB` uint64: texts with equal shingles have equal keys, and texts that share a key in any
    band are candidates. `signed_D`: whether the text has any shingle; the keys of others mean
    nothing. The sorted distinct shingles of text d, uint32, are shingles_S[offsets_D1[d] :
    offsets_D1[d + 1]].
    """

    bands_DxB: Uint64s
    signed_D: Bools
    shingles_S: Uint32s
    offsets_D1: Int64s


def sign(word_hashes: WordHashes, near: NearSettings) -> Signatures:
    """Return the signatures of D texts."""
    grams_M, grams_D1 = hash_grams(word_hashes.hashes_N, word_hashes.offsets_D1, near.words)
    bands_DxB = np.empty((len(grams_D1) - 1, near.bands), np.uint64)
    factors_H, terms_H = draw_functions(near.bands * near.rows, near.seed)
    fill_bands(grams_M, grams_D1, factors_H, terms_H, bands_DxB)
    shingles_S, offsets_D1 = make_sets(grams_M, grams_D1)
    return Signatures(bands_DxB, np.diff(offsets_D1) > 0, shingles_S, offsets_D1)


def sign_nothing(documents: int, bands: int) -> Signatures:
    """Return the signatures of so many texts that have no shingles."""
    return Signatures(
        bands_DxB=np.zeros((documents, bands), np.uint64),
        signed_D=np.zeros(documents, bool),
        shingles_S=np.empty(0, np.uint32),
        offsets_D1=np.zeros(documents + 1, np.int64),
    )


def draw_functions(count: int, seed: int) -> tuple[Uint64s, Uint64s]:
    """Return factors and terms of random hash functions, the very ones that datatrove draws."""
    draw = np.random.RandomState(seed).randint  # its numbers are fixed for ever
    factors_H = draw(1, int(PRIME), count, np.uint64)
    return factors_H, draw(0, int(PRIME), count, np.uint64)


@njit
def fill_bands(
    grams_M: Uint64s, offsets_D1: Int64s, factors_H: Uint64s, terms_H: Uint64s, bands_DxB: Uint64s
) -> None:
    """Write the key of each band of each text: a hash of the minima of its functions."""
    documents, bands = bands_DxB.shape
    rows = len(factors_H) // bands
    minima_H = np.empty(len(factors_H), np.uint64)
    for document in range(documents):
        some = grams_M[offsets_D1[document] : offsets_D1[document + 1]]
        find_minima(some, factors_H, terms_H, minima_H)
        for band in range(bands):
            # The band's number is mixed in: equal minima of two bands are no agreement.
            key = scatter(np.uint64(band + 1))
            for minimum in minima_H[band * rows : (band + 1) * rows]:
                key = scatter(key ^ minimum)
            bands_DxB[document, band] = key


@njit
def find_minima(grams_M: Uint64s, factors_H: Uint64s, terms_H: Uint64s, minima_H: Uint64s) -> None:
    """Write the least hash of some shingles by each hash function.

    The functions are the inner loop: it is compiled to vector instructions whatever the set's size.
    """
    minima_H[:] = np.uint64(2**64 - 1)
    for gram in grams_M:
        for at in range(len(factors_H)):
            value = gram * factors_H[at] + terms_H[at]
            # 2^61 is 1 modulo the prime 2^61 - 1, so the bits above are added to those below. The
            # sum is below twice the prime (2^61 - 1 + 7), so that one subtraction more is enough.
            value = (value & PRIME) + (value >> PRIME_BITS)
            # The difference wraps round, and is the greater, where the value is below the prime.
            minima_H[at] = min(minima_H[at], value, value - PRIME)
