"""Flags: facts about a token, and the rules by which one counts as golden.

Each rule is two-sided: something tells the token, and it is not noise. Raw loss, entropy or rarity
alone pick noise first. They differ in what tells it: what only a capable reader makes of the text,
text far before, what was learnt in training, the words just before.

Golden is few. Of the tokens that a rule finds, those of the highest gain are golden, and never more
than `golden_share` of a split's text; tokens of equal gain are all golden or none. Where that ends
is found from histograms, which add up over units in any order:

    count_gains ─► sum ─► find_least_gain ─► find_golden
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float32s, Int32s, Int64s, Uint8s
from weighting.contracts.reasons import Reason
from weighting.errors import AssayError
from weighting.policies.params import PolicyParams
from weighting.policies.quantiles import BINS, ZERO, count_values
from weighting.signals.quantum import QUANTUM
from weighting.signals.registry import SIGNALS, list_known
from weighting.signals.trajectory import COMPARE

GAIN_BINS = BINS + 1  # those of values, and one for the number of text tokens

Signals = Mapping[str, Float32s]


class Side(NamedTuple):
    """A condition of a rule: how a signal compares with the knob, or the other signal, `bound`."""

    signal: str
    comparison: str  # of COMPARE
    bound: str

    def find_bound(self, signals: Signals, params: PolicyParams) -> Float32s:
        """Return what the signal is held against: one number, float32 [], or another signal's."""
        if self.bound in SIGNALS:
            return signals[self.bound]
        return np.asarray(getattr(params, self.bound), np.float32)

    def holds(self, signals: Signals, params: PolicyParams) -> Bools:
        """Return of which of N tokens it is true, bool [N]."""
        bound = self.find_bound(signals, params)
        return np.asarray(COMPARE[self.comparison](signals[self.signal], bound))


class Rule(NamedTuple):
    """How golden tokens are found, and what is said of it.

    The first side says that something tells a token, the others that it is no noise.
    """

    sides: Sequence[Side]
    gain: str  # the signal whose highest values count
    words: str  # what tells its tokens, for headings
    formula: str  # for the docs
    meaning: str  # of a golden token

    @property
    def signals(self) -> list[str]:
        """All signals that it takes, the gain included."""
        named = (name for side in self.sides for name in (side.signal, side.bound))
        return [name for name in dict.fromkeys((self.gain, *named)) if name in SIGNALS]

    def find(self, signals: Signals, params: PolicyParams) -> Bools:
        """Return the tokens of which every side holds, bool [N]."""
        held = [side.holds(signals, params) for side in self.sides]
        return np.asarray(np.logical_and.reduce(held))


GOLDEN: Mapping[str, Rule] = {  # the best first
    "read": Rule(
        (Side("excess", ">=", "golden_gain"), Side("nll", "<=", "entropy")),
        "insight",
        "told to a capable reader",
        "excess ≥ `golden_gain` and nll ≤ entropy; the highest insight",
        "Told to a capable reader: the reference expects it, no more surprised than it thought to "
        "be, and a weaker one does not.",
    ),
    "key": Rule(
        (Side("context_gain", ">", "key_gain"), Side("nll", "<", "key_nll")),
        "context_gain",
        "told by text far before",
        "context gain > `key_gain` and nll < `key_nll` (LongPPL 2410.23771)",
        "Told by text far before: that makes it much likelier, and the reference predicts it well.",
    ),
    "learnt": Rule(
        (Side("excess", ">=", "golden_gain"), Side("nll", "<", "key_nll")),
        "excess",
        "learnt in training",
        "excess ≥ `golden_gain` and nll < `key_nll`",
        "Learnt in training: the reference predicts it, and at first could not.",
    ),
    "ngram": Rule(  # by counts alone: mostly the later halves of set phrases
        (Side("ngram_gain", ">=", "golden_gain"), Side("ngram_surprisal", "<", "key_nll")),
        "ngram_gain",
        "told by the words before",
        "n-gram gain ≥ `golden_gain` and n-gram surprisal < `key_nll`; mostly ends of set phrases",
        "Told by the words before: they make it far likelier than its frequency does.",
    ),
}


def choose_golden(name: str | None, stored: Sequence[str]) -> str:
    """Return the rule of this name or, given none, the best that a run's stored signals allow.

    Raises:
        AssayError: there is no such rule, or the run lacks a signal for it.
    """
    if name is None:
        return next(rule for rule in GOLDEN if not _list_missing(rule, stored))
    if name not in GOLDEN:
        raise AssayError(f"unknown golden rule {name!r}; valid: {', '.join(GOLDEN)}")
    for signal in _list_missing(name, stored):
        raise AssayError(
            f"golden rule {name} needs the signal {signal}, which this run does not have; "
            f"{SIGNALS[signal].given_by} gives it"
        )
    return name


def list_golden_signals(rule: str) -> list[str]:
    """Return the signals that flags need under a rule."""
    return GOLDEN[rule].signals


def count_gains(signals: Signals, special_N: Bools, rule: str, params: PolicyParams) -> Int64s:
    """Return how many text tokens that a rule finds have each gain, int64 [GAIN_BINS].

    The last number is that of all text tokens.
    """
    found = GOLDEN[rule]
    counts_B = count_values(signals[found.gain], special_N | ~found.find(signals, params))
    return np.append(counts_B, np.count_nonzero(~special_N))


def find_least_gain(counts_B1: Int64s, share: float) -> float | None:
    """Return the gain from which tokens that a rule finds are golden; None: none of them is.

    `counts_B1` are those of `count_gains`, of a whole split.
    """
    richest_B, text = counts_B1[-2::-1], int(counts_B1[-1])
    held_B = np.flatnonzero((np.cumsum(richest_B) <= share * text) & (richest_B > 0))
    return (ZERO - int(held_B[-1])) * QUANTUM if len(held_B) else None


def find_golden(
    signals: Signals, rule: str, params: PolicyParams, least_gain: float | None
) -> Bools:
    """Return which of N tokens are golden, bool [N], ends of text not yet left out."""
    found = GOLDEN[rule]
    gain_N = signals[found.gain]
    if least_gain is None:
        return np.zeros(len(gain_N), np.bool_)
    return found.find(signals, params) & (gain_N >= np.float32(least_gain))


def flag(
    golden_N: Bools, rare_N: Bools, special_N: Bools, copies_N: Int32s, contaminated_N: Bools
) -> Uint8s:
    """Return the reason bits of N tokens (`weighting.contracts.reasons`), uint8 [N].

    `rare_N` says which of them are of rare types (`weighting.signals.token_types.Types.rare_V`).

    End-of-text tokens have SPECIAL alone.
    """
    flags = {
        Reason.RARE: rare_N,
        Reason.GOLDEN: golden_N,
        Reason.DUPLICATE_SPAN: copies_N > 1,
        Reason.CONTAMINATED: contaminated_N,
    }
    bits_N = np.zeros(len(special_N), np.uint8)
    for reason, hit_N in flags.items():
        bits_N |= hit_N.view(np.uint8) * np.uint8(reason)
    bits_N[special_N] = np.uint8(Reason.SPECIAL)
    return bits_N


def _list_missing(rule: str, stored: Sequence[str]) -> list[str]:
    known = list_known(stored)
    return [signal for signal in GOLDEN[rule].signals if signal not in known]
