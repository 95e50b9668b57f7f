"""Selection: which documents of the train split are weighed at all.

Those of the highest density are kept whole while a budget of tokens lasts, and equal ones by the
hash of their id; the first that does not fit ends it. So what is kept depends on the documents, not
on their order, and never exceeds the budget. Two histograms, which add up over units in any order,
find the borders in a corpus that nobody holds at once:

    bin_scores ─► sum ─► fill ─► bin_keys ─► sum ─► find_borders ─► choose

Bins are ranked, the first the richest. A bin of keys that does not fit whole is left out whole,
which costs less than 1 / KEY_BINS of what the border bin of scores holds, or one document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float32s, Float64s, Int64s, Uint64s
from weighting.errors import AssayError
from weighting.signals.quantum import LIMIT

GOLDEN, RANDOM = "golden", "random"
HALF = 2**16  # bins of scores from density 0 to 1
SCORE_BINS = 2 * HALF + 1
KEY_BITS = 16
KEY_BINS = 2**KEY_BITS


@dataclass(frozen=True)
class Selection:
    """Keep the documents richest in something, up to a budget of tokens of the train split."""

    by: str  # golden: share of golden tokens; random: all alike, the control; else a signal's name
    tokens: int  # budget, the end-of-text tokens included
    seed: int = 0  # of the hash that orders documents of one density

    def __post_init__(self) -> None:
        """Refuse a budget that cannot hold a document."""
        if self.tokens < 1:
            raise AssayError(f"selection.tokens is {self.tokens}, must be ≥ 1")


class Borders(NamedTuple):
    """Documents of a better score bin are kept, and in that of the border those of better keys."""

    score: int
    key: int


class Filled(NamedTuple):
    """How far a budget reaches."""

    border: int  # the first bin that it does not hold whole; their number, where it holds all
    left: int  # what is left of it there


def check_selection(selection: Selection, known_signals: Sequence[str]) -> None:
    """Raise AssayError unless documents can be ordered by what is named."""
    valid = (GOLDEN, RANDOM, *known_signals)
    if selection.by not in valid:
        raise AssayError(f"selection.by is {selection.by!r}; valid in this run: {', '.join(valid)}")


def measure_density(
    by: str,
    golden_N: Bools,
    signals: Mapping[str, Float32s],
    offsets_D1: Int64s,
    special_N: Bools,
) -> Float64s:
    """Return how rich D documents are, float64 [D] in [-1, 1].

    The share of their text tokens that is golden, or the mean of a signal over them as a share of
    its LIMIT; 0 for `random` and for documents without text.
    """
    documents = len(offsets_D1) - 1
    if by == RANDOM:
        return np.zeros(documents)
    values_N = golden_N.astype(np.float64) if by == GOLDEN else signals[by].astype(np.float64)
    sums_D = _sum_documents(np.where(special_N, 0.0, values_N), offsets_D1)
    text_D = _sum_documents((~special_N).astype(np.float64), offsets_D1)
    return sums_D / np.maximum(text_D, 1.0) / (1.0 if by == GOLDEN else LIMIT)


def bin_scores(density_D: Float64s, lengths_D: Int64s) -> Int64s:
    """Return the tokens of the documents in each bin of density, int64 [SCORE_BINS]."""
    return _count(_rank_scores(density_D), lengths_D, SCORE_BINS)


def bin_keys(density_D: Float64s, keys_D: Uint64s, lengths_D: Int64s, border: int) -> Int64s:
    """Return the tokens in each bin of keys, int64 [KEY_BINS], of documents in the border bin."""
    at_D = _rank_scores(density_D) == border
    return _count(_rank_keys(keys_D[at_D]), lengths_D[at_D], KEY_BINS)


def fill(tokens_B: Int64s, budget: int) -> Filled:
    """Return how far a budget of tokens reaches into ranked bins."""
    filled_B = np.cumsum(tokens_B)
    border = int(np.searchsorted(filled_B, budget, side="right"))
    return Filled(border=border, left=budget - (int(filled_B[border - 1]) if border else 0))


def find_borders(scores_B: Int64s, keys_B: Int64s, budget: int) -> Borders:
    """Return where a selection ends, from the tokens of all units in each bin.

    `keys_B` are of the documents in the score bin that `fill` finds.

    Raises:
        AssayError: the budget does not even hold the documents that come first.
    """
    score = fill(scores_B, budget)
    key = fill(keys_B, score.left)
    if key.left == budget and keys_B.any():
        least = keys_B[keys_B > 0][0]
        raise AssayError(
            f"selection.tokens is {budget}, too few for any document: the first to be kept takes "
            f"{least}"
        )
    return Borders(score=score.border, key=key.border)


def choose(density_D: Float64s, keys_D: Uint64s, borders: Borders) -> Bools:
    """Return which of D documents are kept."""
    score_D = _rank_scores(density_D)
    tie_D = (score_D == borders.score) & (_rank_keys(keys_D) < borders.key)
    return np.asarray((score_D < borders.score) | tie_D)


def _rank_scores(density_D: Float64s) -> Int64s:
    return HALF - np.rint(np.clip(density_D, -1.0, 1.0) * HALF).astype(np.int64)


def _rank_keys(keys_D: Uint64s) -> Int64s:
    return (keys_D >> np.uint64(64 - KEY_BITS)).astype(np.int64)


def _count(bins_D: Int64s, lengths_D: Int64s, bins: int) -> Int64s:
    tokens_B = np.zeros(bins, np.int64)
    np.add.at(tokens_B, bins_D, lengths_D)
    return tokens_B


def _sum_documents(values_N: Float64s, offsets_D1: Int64s) -> Float64s:
    """Sum by document. Quantised values and counts add up exactly, so in any unit the same."""
    ends_N1 = np.concatenate([[0.0], np.cumsum(values_N)])
    return np.asarray(ends_N1[offsets_D1[1:]] - ends_N1[offsets_D1[:-1]], np.float64)
