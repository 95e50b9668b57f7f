"""Which documents hold which evaluation items, and where.

Nearly all documents hold no n-gram of any item. They cost one look-up for each word and each
length of n-grams; everything else is paid for by matches alone.
"""

from typing import NamedTuple

import numpy as np

from pipelines.contamination.coverage import trace_hits, unite
from pipelines.contamination.index import Index
from pipelines.contamination.matches import find_matches
from pipelines.contamination.scores import Pairs, choose_hits, score_pairs
from pipelines.settings import ContaminationSettings
from pipelines.text.word_hashes import WordHashes, count_chars_before
from pipelines.words import Text
from weighting.arrays import Float64s, Int64s


class Places(NamedTuple):
    """K spans of texts in characters, the ends exclusive."""

    starts_K: Int64s
    ends_K: Int64s


class Spans(NamedTuple):
    """S spans of D documents, in order; those of document d are [offsets[d], offsets[d + 1])."""

    offsets_D1: Int64s
    places: Places
    hits_S: Int64s  # the best hit that covers some of it


class Hits(NamedTuple):
    """What D documents hold: H hits, sorted by document and from the best, and spans.

    A hit is a document and a variant of an item whose score reaches the recipe's share; of an
    item's variants only the best is one. Its place is that of the run of words which holds most of
    what was found of it. Spans are all n-grams of the document's hits, united where they overlap or
    touch.
    """

    scores_D: Float64s  # the document's best, hit or not; 0 where nothing was found
    pairs: Pairs  # [H]: documents, variants, scores and shares
    places: Places  # [H]
    spans: Spans


def scan(
    text: Text, word_hashes: WordHashes, index: Index, settings: ContaminationSettings
) -> Hits:
    """Return what is found in the D documents of `text`, with these words."""
    matches = find_matches(word_hashes, index)
    pairs = score_pairs(matches, index, settings)
    scores_D = np.zeros(len(text.offsets) - 1)
    np.maximum.at(scores_D, pairs.documents_P, pairs.scores_P)
    hits = choose_hits(pairs, index, settings.share)
    best_M, words_Hx2 = trace_hits(matches, hits, index)
    cover = unite(matches, best_M)
    return Hits(
        scores_D=scores_D,
        pairs=hits,
        places=_locate(text, word_hashes, hits.documents_P, words_Hx2),
        spans=Spans(
            offsets_D1=np.searchsorted(cover.documents_S, np.arange(len(text.offsets))),
            places=_locate(text, word_hashes, cover.documents_S, cover.words_Sx2),
            hits_S=cover.hits_S,
        ),
    )


def _locate(text: Text, word_hashes: WordHashes, documents_K: Int64s, words_Kx2: Int64s) -> Places:
    """Return where K spans of words [start, end) lie in their documents."""
    places = np.concatenate(
        [word_hashes.starts_N[words_Kx2[:, 0]], word_hashes.ends_N[words_Kx2[:, 1] - 1]]
    )
    documents = np.tile(documents_K, 2)
    order = np.lexsort((places, documents))  # in order they cost one pass over the text
    chars = np.empty(len(places), np.int64)
    chars[order] = count_chars_before(text, documents[order], places[order])
    return Places(starts_K=chars[: len(documents_K)], ends_K=chars[len(documents_K) :])
