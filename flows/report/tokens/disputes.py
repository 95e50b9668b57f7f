"""The tokens that signals judge most differently, from a bounded sample of the sidecars."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from flows.report.tokens.scales import Distribution
from flows.report.tokens.sidecars import Vocabulary
from flows.report.tokens.token_sample import Place, Sample, show_place
from flows.report.tokens.words import find_letters
from weighting.arrays import AnyArray, Float64s, Int64s

ROWS = 10  # of a dispute

Judgement = tuple[str, ...]  # names of signals: the first that the run has counts


class Dispute(NamedTuple):
    """A way for signals to disagree: the ranks of `high` less those of `low`."""

    title: str
    meaning: str
    high: Sequence[Judgement]
    low: Sequence[Judgement]


DISPUTES = (
    Dispute(
        "Rare, but nothing to learn",
        "Rarity would raise them; yet neither their context nor training makes them likelier.",
        [("surprisal",)],
        [("excess", "ngram_gain"), ("ngram_gain",)],
    ),
    Dispute(
        "A high loss that is only noise",
        "Selection by loss would take them; yet the reference is in doubt too and learnt little.",
        [("nll",), ("entropy",)],
        [("excess",)],
    ),
    Dispute(
        "Unlikely by counts, easy for the model",
        "The tokens just before do not tell them; the reference, which sees more, knows them.",
        [("ngram_surprisal",)],
        [("nll",)],
    ),
)


class Row(NamedTuple):
    """A disputed token in its context, with (value, rank) of every signal of the dispute."""

    place: Place
    values: list[tuple[float, float]]


class Found(NamedTuple):
    """A dispute of this run: the signals it is about, and the tokens, most disputed first."""

    title: str
    meaning: str
    high: list[str]
    low: list[str]
    rows: list[Row]


def find_disputes(
    sample: Sample, distributions: Mapping[str, Distribution], vocabulary: Vocabulary
) -> Iterator[Found]:
    """Yield the disputes that the run's signals can have, each with up to ROWS token types.

    Tokens without a letter are left out: what a mark weighs tells a reader nothing.
    """
    words_N = find_letters(sample, vocabulary) & ~sample.special_N
    for dispute in DISPUTES:
        high, low = _resolve(dispute.high, distributions), _resolve(dispute.low, distributions)
        if not high or not low:
            continue
        ranks = {name: distributions[name].rank(sample.signals[name]) for name in (*high, *low)}
        gap_N = _compare(ranks, high, low)
        gap_N[~words_N] = -1
        rows = [
            Row(show_place(sample, vocabulary, at), _list_values(sample, ranks, at))
            for at in _pick(gap_N, sample.ids_N).tolist()
        ]
        yield Found(dispute.title, dispute.meaning, high, low, rows)


def _list_values(
    sample: Sample, ranks: Mapping[str, Float64s], at: int
) -> list[tuple[float, float]]:
    return [(float(sample.signals[name][at]), float(rank_N[at])) for name, rank_N in ranks.items()]


def _resolve(
    judgements: Sequence[Judgement], distributions: Mapping[str, Distribution]
) -> list[str]:
    """Return the signals that count; none if the run lacks all signals of one judgement."""
    found = [[name for name in names if name in distributions][:1] for names in judgements]
    return list(dict.fromkeys(one[0] for one in found)) if all(found) else []


def _compare(ranks: Mapping[str, Float64s], high: Sequence[str], low: Sequence[str]) -> Float64s:
    """Return by how much the least of the high ranks exceeds the greatest of the low ones."""
    least = np.minimum.reduce([ranks[name] for name in high])
    greatest = np.maximum.reduce([ranks[name] for name in low])
    return np.asarray(least - greatest)


def _pick(gap_N: Float64s, ids_N: AnyArray) -> Int64s:
    """Return where the widest gaps are, one place a type, the first among equals."""
    order = np.argsort(-gap_N, kind="stable")
    order = order[gap_N[order] > 0]
    _, first = np.unique(ids_N[order], return_index=True)
    return order[np.sort(first)[:ROWS]]
