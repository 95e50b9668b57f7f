"""Flags: what they say of a token, and which rule calls it golden."""

import numpy as np
import pytest

from weighting.contracts.reasons import Reason
from weighting.errors import AssayError
from weighting.policies.golden import GOLDEN, choose_golden, flag, list_golden_signals
from weighting.policies.params import PolicyParams
from weighting.signals.registry import SIGNALS

MODEL = ["ngram_gain", "nll", "entropy"]


def find(rule, told=None, **values):
    """Which tokens a rule calls golden."""
    signals = {name: np.array(value, np.float32) for name, value in values.items()}
    return GOLDEN[rule].find(signals, told or PolicyParams()).tolist()


def test_flags_say_rare_golden_repeated_contaminated_and_special():
    signals = {"ngram_gain": np.array([0, 3, 2, 3], np.float32)}
    rare = np.array([True, False, True, True])
    special = np.array([False, False, False, True])
    copies = np.array([1, 2, 1, 2], np.int32)
    item = np.array([True, False, False, True])
    flags = flag(signals, rare, special, copies, item, "ngram", PolicyParams())
    assert flags.dtype == np.uint8
    assert flags.tolist() == [
        Reason.RARE | Reason.CONTAMINATED,
        Reason.GOLDEN | Reason.DUPLICATE_SPAN,
        Reason.RARE | Reason.GOLDEN,
        Reason.SPECIAL,
    ]


def test_each_rule_is_two_sided_and_its_bounds_are_parameters():
    assert find("ngram", ngram_gain=[1.9, 2, 3]) == [False, True, True]
    assert find("key", context_gain=[2, 2.5, 2.5], nll=[1, 1, 2]) == [False, True, False]
    assert find("learnt", excess=[1.5, 2, 3], nll=[1, 1, 2]) == [False, True, False]
    told = PolicyParams(golden_gain=1.0, key_gain=3.0, key_nll=0.5)
    assert find("ngram", told, ngram_gain=[0.5, 1]) == [False, True]
    assert find("key", told, context_gain=[3, 4, 4], nll=[0, 0, 1]) == [False, True, False]
    assert find("learnt", told, excess=[1, 1], nll=[0, 1]) == [True, False]


def test_without_a_name_the_best_rule_that_the_signals_allow_is_chosen():
    assert choose_golden(None, ["ngram_gain"]) == "ngram"
    assert choose_golden(None, MODEL) == "ngram"
    assert choose_golden(None, [*MODEL, "excess"]) == "learnt"
    assert choose_golden(None, [*MODEL, "excess", "context_gain"]) == "key"
    assert choose_golden("ngram", list(SIGNALS)) == "ngram"


def test_a_rule_that_is_unknown_or_lacks_a_signal_is_refused():
    with pytest.raises(AssayError, match="'gold'; valid: key, learnt, ngram"):
        choose_golden("gold", MODEL)
    with pytest.raises(AssayError, match=r"needs the signal context_gain.*reference\.short"):
        choose_golden("key", MODEL)


@pytest.mark.parametrize("rule", GOLDEN)
def test_flags_need_no_signal_that_they_do_not_name(rule):
    signals = {name: np.zeros(1, np.float32) for name in list_golden_signals(rule)}
    one = np.ones(1, np.int32)
    no = one < 1
    assert flag(signals, no, no, one, no, rule, PolicyParams()).tolist() == [0]
