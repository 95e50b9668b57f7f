"""Why a token is golden or not: sides, values, limits."""

import numpy as np
import pytest

from flows.explain.sides import tell_golden, tell_sides
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.policies.golden import GOLDEN, Rule, Side

SIGNALS = {
    "context_gain": np.array([3, 2, 5], np.float32),
    "nll": np.array([1, 1, 4], np.float32),
    "entropy": np.array([0.5, 1, 5], np.float32),
}


def facts(golden="key", golden_from=2.5):
    scale = SplitScale(1.0, 0.0, 1.0, 1.0, cuts={}, golden_from=golden_from)
    return WeighingFacts("uniform", {"key_gain": 2.0}, {"train": scale}, golden, None)


@pytest.mark.parametrize(("at", "holds"), [(0, [1, 1, 1]), (1, [0, 1, 0]), (2, [1, 0, 1])])
def test_each_side_holds_or_fails_with_its_numbers(at, holds):
    story = tell_golden(facts(), "train", SIGNALS, at)
    assert story
    assert [side.holds for side in story.sides] == [bool(one) for one in holds]
    assert [(side.signal, side.comparison, side.limit, side.bound) for side in story.sides] == [
        ("context_gain", ">", 2.0, "key_gain"),
        ("nll", "<", 2.0, "key_nll"),
        ("context_gain", "≥", 2.5, "golden_share"),
    ]
    assert story.sides[0].value == SIGNALS["context_gain"][at]


def test_where_no_gain_is_enough_the_last_side_fails():
    story = tell_golden(facts(golden_from=None), "train", SIGNALS, 0)
    assert story
    assert (story.sides[-1].limit, story.sides[-1].holds) == (None, False)


def test_a_side_may_be_held_against_another_signal(monkeypatch):
    rule = Rule((Side("nll", "<=", "entropy"),), "context_gain", "", "", "")
    monkeypatch.setitem(GOLDEN, "expected", rule)
    told = [tell_sides(facts("expected"), SIGNALS, at)[0] for at in range(3)]
    assert [(side.limit, side.holds) for side in told] == [(0.5, False), (1.0, True), (5.0, True)]
    assert told[0].comparison == "≤"


def test_nothing_is_told_without_the_signals_or_of_another_split():
    assert tell_sides(facts("learnt"), SIGNALS, 0) == []
    assert tell_golden(facts("learnt"), "train", SIGNALS, 0) is None
    assert tell_golden(facts(), "validation", SIGNALS, 0) is None
