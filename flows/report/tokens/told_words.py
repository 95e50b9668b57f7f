"""Words that are golden more often than other tokens are.

By counts a token's gain cannot exceed its type's rarity, so the commonest words are never golden:
what is listed are the words that make up most of the golden tokens.
"""

import math
from typing import NamedTuple

import numpy as np

from flows.report.tokens.sidecars import Vocabulary
from flows.report.tokens.token_sample import Place, Sample, show_place
from flows.report.tokens.words import find_words
from weighting.arrays import Bools, Int64s

ROWS = 12
LEAST = 5  # occurrences of a word in the sample
Z = 1.96  # of Wilson's 95 % interval


class ToldWord(NamedTuple):
    """A word, how often it is golden, how many times the usual share that is, and an example."""

    word: str
    occurrences: int
    golden: int
    lift: float
    example: Place


class ToldWords(NamedTuple):
    """What golden means in this run, the share of all tokens that are, and the words."""

    meaning: str
    usual: float
    least: int
    rows: list[ToldWord]


def find_told_words(sample: Sample | None, vocabulary: Vocabulary, meaning: str) -> ToldWords:
    """Return the words that are golden most, far beyond chance; `meaning` says what golden is."""
    if sample is None:
        return ToldWords(meaning, 0.0, LEAST, [])
    known_N = sample.weighed_N & ~sample.special_N
    usual = float(np.mean(sample.golden_N[known_N])) if known_N.any() else 0.0
    if not usual:
        return ToldWords(meaning, usual, LEAST, [])
    rows = _rank(sample, vocabulary, known_N & find_words(sample, vocabulary), usual)
    return ToldWords(meaning, usual, LEAST, rows)


def find_lower_end(hits: int, tries: int) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    share, spread = hits / tries, Z * Z / tries
    middle = share + spread / 2
    half = Z * math.sqrt(share * (1 - share) / tries + spread / tries / 4)
    return (middle - half) / (1 + spread)


def _rank(sample: Sample, vocabulary: Vocabulary, wanted_N: Bools, usual: float) -> list[ToldWord]:
    at_N = np.flatnonzero(wanted_N)
    ids, counts = np.unique(sample.ids_N[at_N], return_counts=True)
    golden_N = at_N[sample.golden_N[at_N]]
    hits = np.bincount(np.searchsorted(ids, sample.ids_N[golden_N]), minlength=len(ids))
    beyond = hits - usual * counts
    sure = [
        at
        for at, (hit, count) in enumerate(zip(hits.tolist(), counts.tolist(), strict=True))
        if count >= LEAST and find_lower_end(hit, count) > usual
    ]
    order = sorted(sure, key=lambda at: (-beyond[at], int(ids[at])))
    return [
        _describe(
            sample,
            vocabulary,
            golden_N[sample.ids_N[golden_N] == ids[at]],
            int(counts[at]),
            usual,
        )
        for at in order[:ROWS]
    ]


def _describe(
    sample: Sample, vocabulary: Vocabulary, golden_G: Int64s, count: int, usual: float
) -> ToldWord:
    """Describe a word by where it is golden; the example is where the context tells it most."""
    gains = next(
        (sample.signals[name] for name in ("ngram_gain", "context_gain") if name in sample.signals),
        sample.signals["surprisal"],
    )
    example = show_place(sample, vocabulary, int(golden_G[np.argmax(gains[golden_G])]))
    share = len(golden_G) / count
    return ToldWord(example.token.strip(), count, len(golden_G), share / usual, example)
