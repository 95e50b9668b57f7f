"""Flags: facts about a token, and the rules by which one counts as golden.

Each rule is two-sided: something tells the token, and it is not noise. Raw loss, entropy or rarity
alone pick noise first. They differ in what predicts it: the token before, far context, training.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from weighting.arrays import Bools, Float32s, Int32s, Uint8s
from weighting.contracts.reasons import Reason
from weighting.errors import AssayError
from weighting.policies.masks import find_keys
from weighting.policies.params import PolicyParams
from weighting.signals.registry import SIGNALS

Signals = Mapping[str, Float32s]


class Rule(NamedTuple):
    """How golden tokens are found, the signals that takes, and what is said of it."""

    find: Callable[[Signals, PolicyParams], Bools]
    signals: Sequence[str]
    formula: str  # for the docs
    meaning: str  # of a token that it finds


def find_told(signals: Signals, params: PolicyParams) -> Bools:
    """Return what the tokens just before make far likelier than its frequency does.

    By counts alone: mostly the later halves of set phrases.
    """
    return np.asarray(signals["ngram_gain"] >= np.float32(params.golden_gain))


def find_learnt(signals: Signals, params: PolicyParams) -> Bools:
    """Return what an early checkpoint missed and the last one has: hard, yet no noise."""
    missed_N = signals["excess"] >= np.float32(params.golden_gain)
    return np.asarray(missed_N & (signals["nll"] < np.float32(params.key_nll)))


GOLDEN: Mapping[str, Rule] = {  # the best first
    "key": Rule(
        find_keys,
        ("nll", "context_gain"),
        "context gain > `key_gain` and nll < `key_nll` (LongPPL 2410.23771): far context tells it",
        "Text far before it makes it much likelier, and the reference predicts it well.",
    ),
    "learnt": Rule(
        find_learnt,
        ("nll", "excess"),
        "excess ≥ `golden_gain` and nll < `key_nll`: training tells it",
        "The reference learnt to predict it, and at first could not.",
    ),
    "ngram": Rule(
        find_told,
        ("ngram_gain",),
        "n-gram gain ≥ `golden_gain`: the tokens before tell it (mostly ends of set phrases)",
        "The tokens just before make it far likelier than its frequency does.",
    ),
}


def choose_golden(name: str | None, known_signals: Sequence[str]) -> str:
    """Return the rule of this name or, given none, the best that the signals allow.

    Raises:
        AssayError: there is no such rule, or the run lacks a signal for it.
    """
    if name is None:
        return next(rule for rule in GOLDEN if not _list_missing(rule, known_signals))
    if name not in GOLDEN:
        raise AssayError(f"unknown golden rule {name!r}; valid: {', '.join(GOLDEN)}")
    for signal in _list_missing(name, known_signals):
        raise AssayError(
            f"golden rule {name} needs the signal {signal}, which this run does not have; "
            f"{SIGNALS[signal].given_by} gives it"
        )
    return name


def list_golden_signals(rule: str) -> list[str]:
    """Return the signals that flags need under a rule."""
    return list(GOLDEN[rule].signals)


def flag(
    signals: Signals,
    rare_N: Bools,
    special_N: Bools,
    copies_N: Int32s,
    contaminated_N: Bools,
    rule: str,
    params: PolicyParams,
) -> Uint8s:
    """Return the reason bits of N tokens (`weighting.contracts.reasons`), uint8 [N].

    `rare_N` says which of them are of rare types (`weighting.signals.token_types.Types.rare_V`).

    End-of-text tokens have SPECIAL alone.
    """
    flags = {
        Reason.RARE: rare_N,
        Reason.GOLDEN: GOLDEN[rule].find(signals, params),
        Reason.DUPLICATE_SPAN: copies_N > 1,
        Reason.CONTAMINATED: contaminated_N,
    }
    bits_N = np.zeros(len(special_N), np.uint8)
    for reason, hit_N in flags.items():
        bits_N |= hit_N.view(np.uint8) * np.uint8(reason)
    bits_N[special_N] = np.uint8(Reason.SPECIAL)
    return bits_N


def _list_missing(rule: str, known_signals: Sequence[str]) -> list[str]:
    return [signal for signal in GOLDEN[rule].signals if signal not in known_signals]
