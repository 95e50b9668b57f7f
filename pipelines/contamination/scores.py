"""How much of an evaluation item a document holds.

    score = sum over kinds of weight · share found / sum over kinds of weight

The kinds are the n-grams of the question and those of the answer, as far as the variant has some;
the share found is that of its distinct n-grams which the document holds anywhere.
"""

from typing import NamedTuple

import numpy as np

from pipelines.contamination.index import Index
from pipelines.contamination.matches import Matches
from pipelines.settings import ContaminationSettings
from weighting.array_tools import expand_ranges
from weighting.arrays import Float64s, Int64s


class Pairs(NamedTuple):
    """P documents and variants with n-grams in common."""

    documents_P: Int64s
    variants_P: Int64s  # rows of `Index.variants`
    scores_P: Float64s
    shares_Px2: Float64s  # found of the question, of the answer; NaN where the variant has none

    def take(self, places: Int64s) -> "Pairs":
        """Return the pairs at some places."""
        return Pairs(
            self.documents_P[places],
            self.variants_P[places],
            self.scores_P[places],
            self.shares_Px2[places],
        )


def score_pairs(matches: Matches, index: Index, settings: ContaminationSettings) -> Pairs:
    """Return the pairs of all documents, sorted by document and variant."""
    grams, variants = len(index.offsets_G1) - 1, len(index.variants)
    found_F = np.unique(matches.documents_M * grams + matches.grams_M)
    documents_F, grams_F = np.divmod(found_F, grams)
    starts_F, ends_F = index.offsets_G1[grams_F], index.offsets_G1[grams_F + 1]
    postings = expand_ranges(starts_F, ends_F - starts_F)
    keys = np.repeat(documents_F, ends_F - starts_F) * variants + index.variants_P[postings]
    keys_P, pairs = np.unique(keys, return_inverse=True)
    found = np.bincount(2 * pairs + index.kinds_P[postings], minlength=2 * len(keys_P))
    documents_P, variants_P = np.divmod(keys_P, variants)
    totals_Px2 = index.totals_Vx2[variants_P]
    scores_P, shares_Px2 = weigh(found.reshape(-1, 2), totals_Px2, settings)
    return Pairs(documents_P, variants_P, scores_P, shares_Px2)


def weigh(
    found_Px2: Int64s, totals_Px2: Int64s, settings: ContaminationSettings
) -> tuple[Float64s, Float64s]:
    """Return scores [P] and shares by kind [P, 2], NaN where there is none of the kind.

    A pair whose kinds all weigh 0 scores 0.
    """
    has_Px2 = totals_Px2 > 0
    shares_Px2 = np.divide(found_Px2, totals_Px2, out=np.zeros(has_Px2.shape), where=has_Px2)
    weights_Px2 = np.where(has_Px2, [settings.question, settings.answer], 0.0)
    sums_P = weights_Px2.sum(1)
    weighed_P = (shares_Px2 * weights_Px2).sum(1)
    scores_P = np.divide(weighed_P, sums_P, out=np.zeros(len(sums_P)), where=sums_P > 0)
    return scores_P, np.where(has_Px2, shares_Px2, np.nan)


def choose_hits(pairs: Pairs, index: Index, share: float) -> Pairs:
    """Return the pairs that score `share` or more, sorted by document and from the best.

    Of the variants of an item only the best one is among them; of equal ones the first.
    """
    passing = pairs.take(np.flatnonzero(pairs.scores_P >= share))
    ranked = passing.take(np.lexsort((passing.variants_P, -passing.scores_P, passing.documents_P)))
    items_P = index.variants["number"].to_numpy()[ranked.variants_P]
    _, firsts = np.unique(ranked.documents_P * len(index.variants) + items_P, return_index=True)
    return ranked.take(np.sort(firsts))
