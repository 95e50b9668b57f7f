"""Why a token is golden or not: each side of the rule, with what holds and what it is held against.

A side is a condition of the rule (`weighting.policies.golden.Side`). One more is that golden is
few: of what the sides leave, only the highest gains are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighting.arrays import Float32s
from weighting.contracts.counts import WeighingFacts
from weighting.policies.golden import GOLDEN
from weighting.policies.registry import read_params

SIGNS: Mapping[str, str] = {">=": "≥", "<=": "≤"}  # as they are read; others as they are


@dataclass(frozen=True)
class ToldSide:
    """One side for one token: the signal's value, and whether it holds against the limit.

    `bound` names the limit: a knob or another signal. No limit is one that nothing reaches.
    """

    signal: str
    value: float
    comparison: str
    limit: float | None
    bound: str
    holds: bool


@dataclass(frozen=True)
class GoldenStory:
    """The rule of the golden flag, in words, and its sides for one token."""

    rule: str
    words: str
    sides: Sequence[ToldSide]


def tell_sides(
    told: WeighingFacts, signals: Mapping[str, Float32s], position: int
) -> list[ToldSide]:
    """Return the sides of the run's rule for the token at a position; none if it lacks a signal."""
    rule = GOLDEN.get(told.golden or "")
    if rule is None or not set(rule.signals) <= set(signals):
        return []
    params = read_params(told.policy, told.params)
    here = {name: signals[name][[position]] for name in rule.signals}
    return [
        ToldSide(
            signal=side.signal,
            value=float(here[side.signal][0]),
            comparison=SIGNS.get(side.comparison, side.comparison),
            limit=float(side.find_bound(here, params).reshape(-1)[0]),
            bound=side.bound,
            holds=bool(side.holds(here, params)[0]),
        )
        for side in rule.sides
    ]


def tell_golden(
    told: WeighingFacts, split: str, signals: Mapping[str, Float32s], position: int
) -> GoldenStory | None:
    """Return why a token of a split is golden or not; None where the run does not know."""
    sides, scale = tell_sides(told, signals, position), told.splits.get(split)
    if not sides or scale is None:
        return None
    rule, least = GOLDEN[told.golden], scale.golden_from
    gain = float(signals[rule.gain][position])
    highest = ToldSide(
        rule.gain, gain, SIGNS[">="], least, "golden_share", least is not None and gain >= least
    )
    return GoldenStory(told.golden, rule.words, [*sides, highest])
