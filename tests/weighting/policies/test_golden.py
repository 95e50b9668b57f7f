"""Flags: what they say of a token, and which rule calls it golden."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.contracts.reasons import Reason
from weighting.errors import AssayError
from weighting.policies.golden import (
    GOLDEN,
    Side,
    choose_golden,
    count_gains,
    find_golden,
    find_least_gain,
    flag,
    list_golden_signals,
)
from weighting.policies.params import PolicyParams
from weighting.signals.registry import SIGNALS

MODEL = ["ngram_gain", "nll", "entropy"]


def find(rule, told=None, **values):
    """Which tokens a rule calls golden."""
    signals = {name: np.array(value, np.float32) for name, value in values.items()}
    return GOLDEN[rule].find(signals, told or PolicyParams()).tolist()


def test_flags_say_rare_golden_repeated_contaminated_and_special():
    golden = np.array([False, True, True, True])
    rare = np.array([True, False, True, True])
    special = np.array([False, False, False, True])
    copies = np.array([1, 2, 1, 2], np.int32)
    item = np.array([True, False, False, True])
    flags = flag(golden, rare, special, copies, item)
    assert flags.dtype == np.uint8
    assert flags.tolist() == [
        Reason.RARE | Reason.CONTAMINATED,
        Reason.GOLDEN | Reason.DUPLICATE_SPAN,
        Reason.RARE | Reason.GOLDEN,
        Reason.SPECIAL,
    ]


def test_each_rule_is_two_sided_and_its_bounds_are_parameters():
    beside = {"ngram_gain": [1.9, 2, 3, 3], "ngram_surprisal": [1, 1, 1, 2]}
    assert find("ngram", **beside) == [False, True, True, False]
    doubt = {"excess": [1.9, 2, 8, 8], "nll": [1, 1, 3, 3], "entropy": [2, 2, 3, 2.5]}
    assert find("read", **doubt) == [False, True, True, False]
    assert find("key", context_gain=[2, 2.5, 2.5], nll=[1, 1, 2]) == [False, True, False]
    assert find("learnt", excess=[1.5, 2, 3], nll=[1, 1, 2]) == [False, True, False]
    told = PolicyParams(golden_gain=1.0, key_gain=3.0, key_nll=0.5)
    beside = {"ngram_gain": [0.5, 1, 1], "ngram_surprisal": [0, 0, 0.5]}
    assert find("ngram", told, **beside) == [False, True, False]
    assert find("key", told, context_gain=[3, 4, 4], nll=[0, 0, 1]) == [False, True, False]
    assert find("learnt", told, excess=[1, 1], nll=[0, 1]) == [True, False]


def test_without_a_name_the_best_rule_that_the_signals_allow_is_chosen():
    assert choose_golden(None, ["ngram_gain"]) == "ngram"
    assert choose_golden(None, MODEL) == "ngram"
    assert choose_golden(None, [*MODEL, "excess"]) == "read"
    assert choose_golden(None, [*MODEL, "context_gain"]) == "key"
    assert choose_golden(None, [*MODEL, "excess", "context_gain"]) == "read"
    assert choose_golden("ngram", list(SIGNALS)) == "ngram"


def test_a_rule_that_is_unknown_or_lacks_a_signal_is_refused():
    with pytest.raises(AssayError, match="'gold'; valid: read, key, learnt, ngram"):
        choose_golden("gold", MODEL)
    with pytest.raises(AssayError, match=r"needs the signal context_gain.*reference\.short"):
        choose_golden("key", MODEL)


@pytest.mark.parametrize("rule", GOLDEN)
def test_a_rule_needs_no_signal_that_it_does_not_name(rule):
    signals = {name: np.zeros(1, np.float32) for name in list_golden_signals(rule)}
    assert GOLDEN[rule].gain in signals
    counts = count_gains(signals, np.zeros(1, bool), rule, PolicyParams())
    assert (counts[:-1].sum(), counts[-1]) == (0, 1)
    assert find_golden(signals, rule, PolicyParams(), 0.0).tolist() == [False]


def gild(gains, special, share):
    """Which tokens are golden by counts, of those that are text."""
    special = np.array(special, bool)
    params = PolicyParams(golden_share=share)
    signals = {
        "ngram_gain": np.array(gains, np.float32),
        "ngram_surprisal": np.zeros(len(gains), np.float32),
    }
    least = find_least_gain(count_gains(signals, special, "ngram", params), share)
    return find_golden(signals, "ngram", params, least) & ~special


@pytest.mark.parametrize(
    ("share", "golden"),
    [(0, []), (0.2, []), (0.25, [2.5]), (0.5, [2.5, 2.25]), (0.75, [2.5, 2.25]), (1, [2.5, 2.25])],
)
def test_of_what_a_rule_finds_the_highest_gains_are_golden(share, golden):
    gains = np.array([1.0, 2.25, 2.5, 9.0, 1.5])  # of four text tokens; two are below the bound
    special = [False, False, False, True, False]
    assert sorted(gains[gild(gains, special, share)], reverse=True) == golden


@pytest.mark.parametrize(("share", "golden"), [(0.5, 2), (0.9, 2), (1, 5)])
def test_tokens_of_equal_gain_are_all_golden_or_none(share, golden):
    assert gild([4, 3, 2, 2, 2], [False] * 5, share).sum() == golden


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=40),
    st.floats(0, 1),
    st.randoms(),
)
def test_golden_is_never_more_than_its_share_and_no_order_shows(tokens, share, random):
    gains, special = [gain / 8 for gain, _ in tokens], [end for _, end in tokens]
    golden = gild(gains, special, share)
    text = np.array(special, bool).size - sum(special)
    assert golden.sum() <= share * text
    left = [g for g, end, is_golden in zip(gains, special, golden, strict=True)
            if not (end or is_golden) and g >= 2]  # fmt: skip
    if left:  # the next would have been too many
        assert golden.sum() + left.count(max(left)) > share * text
    order = random.sample(range(len(tokens)), len(tokens))
    moved = gild([gains[i] for i in order], [special[i] for i in order], share)
    assert moved.tolist() == [golden[i] for i in order]


def test_a_side_is_held_against_a_knob_or_another_signal():
    signals = {"nll": np.array([1, 2, 3], np.float32), "entropy": np.array([2, 2, 2], np.float32)}
    params = PolicyParams(key_nll=3.0)
    assert Side("nll", "<", "key_nll").holds(signals, params).tolist() == [True, True, False]
    assert Side("nll", "<=", "entropy").holds(signals, params).tolist() == [True, True, False]
    assert Side("nll", ">=", "entropy").holds(signals, params).tolist() == [False, True, True]
