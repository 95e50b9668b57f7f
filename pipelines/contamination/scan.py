"""Which documents hold which evaluation items, and where.

Nearly all documents hold no n-gram of any item. They cost one look-up for each word and each
length of n-grams; everything else is paid for by matches alone.
"""

from typing import NamedTuple

import numpy as np

from pipelines.contamination.index import Index
from pipelines.contamination.matches import find_matches
from pipelines.contamination.scores import choose_hits, score_pairs
from pipelines.contamination.stretches import trace_hits, unite
from pipelines.settings import ContaminationSettings
from pipelines.text.word_hashes import WordHashes, count_chars_before
from pipelines.words import Text
from weighting.arrays import Float64s, Int64s


class Hits(NamedTuple):
    """What D documents hold: H hits, sorted by document and from the best, and S spans.

    A hit is a document and a variant of an item whose score reaches the recipe's share; of an
    item's variants only the best is one. Starts and ends count characters of the document. Those of
    a hit are of the stretch that holds most of what was found of it. Spans are all n-grams of the
    document's hits, united where they overlap or touch; those of document d are
    [span_offsets[d], span_offsets[d + 1]), in order.
    """

    scores_D: Float64s  # the document's best, hit or not; 0 where nothing was found
    documents_H: Int64s
    variants_H: Int64s  # rows of `Index.variants`
    scores_H: Float64s
    shares_Hx2: Float64s  # of the question's n-grams, of the answer's; NaN where there are none
    starts_H: Int64s
    ends_H: Int64s
    span_offsets_D1: Int64s
    span_starts_S: Int64s
    span_ends_S: Int64s
    span_hits_S: Int64s  # the best one that covers some of it


def scan(text: Text, hashed: WordHashes, index: Index, settings: ContaminationSettings) -> Hits:
    """Return what is found in the D documents of `text`, whose words are `hashed`."""
    matches = find_matches(hashed, index)
    pairs = score_pairs(matches, index, settings)
    scores_D = np.zeros(len(text.offsets) - 1)
    np.maximum.at(scores_D, pairs.documents_P, pairs.scores_P)
    hits = choose_hits(pairs, index, settings.share)
    best_M, words_Hx2 = trace_hits(matches, hits, index)
    cover = unite(matches, best_M)
    return Hits(
        scores_D,
        *hits,
        *_locate(text, hashed, hits.documents_P, words_Hx2),
        np.searchsorted(cover.documents_S, np.arange(len(text.offsets))),
        *_locate(text, hashed, cover.documents_S, cover.words_Sx2),
        cover.hits_S,
    )


def _locate(
    text: Text, hashed: WordHashes, documents_K: Int64s, words_Kx2: Int64s
) -> tuple[Int64s, Int64s]:
    """Return the first characters of K stretches of words, and those after their last ones."""
    places = np.concatenate([hashed.starts_N[words_Kx2[:, 0]], hashed.ends_N[words_Kx2[:, 1] - 1]])
    documents = np.tile(documents_K, 2)
    order = np.lexsort((places, documents))  # in order they cost one pass over the text
    chars = np.empty(len(places), np.int64)
    chars[order] = count_chars_before(text, documents[order], places[order])
    return chars[: len(documents_K)], chars[len(documents_K) :]
