"""Golden tokens in the text that tells them, and those that the rule nearly takes or leaves.

All are of a bounded sample of the train split. The golden ones are spread evenly over their gain,
from the highest to the least, so that a reader judges the rule and not its best hits.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from flows.explain.sides import ToldSide, tell_sides
from flows.explain.telling import Reach, Telling, find_reach, tell_before
from flows.report.tokens.token_sample import Sample
from weighting.arrays import Bools, Float32s, Int64s
from weighting.contracts.counts import WeighingFacts
from weighting.policies.golden import GOLDEN, Rule
from weighting.policies.registry import read_params

GOLDEN_ROWS = 20
NEAR_ROWS = 5  # of each kind that lies near the rule's border
BESIDE = ("nll", "entropy")  # signals that are told, with the gain, where no side is about them


class Example(NamedTuple):
    """A token in the text before it, the rule's sides, other signals, weight and place."""

    telling: Telling
    sides: Sequence[ToldSide]
    beside: Mapping[str, float]
    weight: float | None
    source: str
    doc_id: str
    place: int


class Group(NamedTuple):
    """Examples of one kind, and what they are."""

    title: str
    meaning: str
    rows: Sequence[Example]


class GoldenExamples(NamedTuple):
    """The rule's words, how far is near, in tokens, and the examples by kind."""

    words: str
    reach: Reach
    groups: Sequence[Group]


def find_examples(
    sample: Sample | None, told: WeighingFacts, reference: Mapping[str, Any] | None
) -> GoldenExamples | None:
    """Return the examples of a run; None where its sample has none of the rule's signals."""
    rule = GOLDEN.get(told.golden)
    if sample is None or rule is None or not set(rule.signals) <= set(sample.signals):
        return None
    reach = find_reach(told.golden, reference)
    groups = [
        Group(title, meaning, [_show(sample, told, reach, at) for at in at_R.tolist()])
        for title, meaning, at_R in _choose(sample, rule, told)
    ]
    return GoldenExamples(rule.words, reach, groups)


def spread_evenly(values_N: Float32s, kinds: Sequence[Int64s], rows: int) -> Int64s:
    """Return up to `rows` of N places, one from each of as many even parts of them by value.

    The highest come first. Of a part that place is taken whose kind was taken least so far, by
    the first of `kinds` (each int64 [N]), then by the others, then the one nearest the middle.
    """
    order_N = np.argsort(-values_N, kind="stable")
    used = [np.zeros(int(kind_N.max(initial=0)) + 1, np.int64) for kind_N in kinds]
    chosen = []
    for part_P in np.array_split(order_N, min(rows, len(order_N)) or 1):
        if not len(part_P):
            continue
        off_P = np.abs(np.arange(len(part_P)) - len(part_P) // 2)
        counts = [seen[kind_N[part_P]] for seen, kind_N in zip(used, kinds, strict=True)]
        at = part_P[np.lexsort([off_P, *reversed(counts)])[0]]
        for seen, kind_N in zip(used, kinds, strict=True):
            seen[kind_N[at]] += 1
        chosen.append(int(at))
    return np.array(chosen, np.int64)


def _choose(sample: Sample, rule: Rule, told: WeighingFacts) -> Iterator[tuple[str, str, Int64s]]:
    """Yield title, meaning and places of each kind of example."""
    params = read_params(told.policy, told.params)
    words, gain_N = rule.gain.replace("_", " "), sample.signals[rule.gain]
    golden_N = sample.golden_N & ~sample.special_N
    yield (
        "Golden, from the highest gain to the least",
        f"One of each twentieth of the golden tokens by {words}, of types, sources and documents "
        "in turn.",
        _spread(sample, golden_N, gain_N),
    )
    if len(rule.sides) < 2:
        return
    gains_N = rule.sides[0].holds(sample.signals, params) & ~sample.special_N & sample.weighed_N
    yield (
        "Nearly golden, taken for noise",
        f"The highest {words} of tokens that the rule's other side refuses.",
        _rank(sample, gains_N & ~rule.find(sample.signals, params), gain_N),
    )
    doubt = rule.sides[1]
    sign = -1 if ">" in doubt.comparison else 1
    yield (
        "Golden, nearest to noise",
        f"The {'least' if sign < 0 else 'highest'} {doubt.signal.replace('_', ' ')} of the golden "
        "tokens.",
        _rank(sample, golden_N, sign * sample.signals[doubt.signal]),
    )


def _spread(sample: Sample, wanted_N: Bools, values_N: Float32s) -> Int64s:
    at_M = np.flatnonzero(wanted_N)
    document_M = np.searchsorted(sample.offsets_D1, at_M, "right") - 1
    _, source_D = np.unique(np.array(sample.sources, np.str_), return_inverse=True)
    _, type_M = np.unique(sample.ids_N[at_M], return_inverse=True)
    kinds = [type_M, source_D[document_M], document_M]
    return at_M[spread_evenly(values_N[at_M], kinds, GOLDEN_ROWS)]


def _rank(sample: Sample, wanted_N: Bools, values_N: Float32s) -> Int64s:
    """Return where the highest values are, one place a type, the first among equals."""
    at_M = np.flatnonzero(wanted_N)
    order_M = at_M[np.argsort(-values_N[at_M], kind="stable")]
    _, first = np.unique(sample.ids_N[order_M], return_index=True)
    return order_M[np.sort(first)[:NEAR_ROWS]]


def _show(sample: Sample, told: WeighingFacts, reach: Reach, at: int) -> Example:
    document = int(np.searchsorted(sample.offsets_D1, at, "right")) - 1
    start, stop = sample.offsets_D1[document : document + 2].tolist()
    sides = tell_sides(told, sample.signals, at)
    known = {name for side in sides for name in (side.signal, side.bound)}
    return Example(
        tell_before(sample.texts[document], sample.starts_N[start:stop], at - start, reach),
        sides,
        {
            name: float(sample.signals[name][at])
            for name in (GOLDEN[told.golden].gain, *BESIDE)
            if name in sample.signals and name not in known
        },
        float(sample.weights_N[at]) if sample.weighed_N[at] else None,
        sample.sources[document],
        sample.doc_ids[document],
        at - start,
    )
