"""Policies that grade tokens by their signals: the published formulas, and their bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import VOCAB, make_types, see, weigh_ones
from weighting.errors import AssayError
from weighting.policies.params import PolicyParams
from weighting.policies.registry import read_params, weigh_raw
from weighting.policies.signal_based import LongceParams, ShiftParams, SoftParams

TYPES = make_types()
gains = st.lists(st.floats(-20, 20), min_size=1, max_size=20)


@given(dial=st.floats(0, 1), cap=st.floats(1, 50))
def test_soft_never_lowers_a_rarer_token_and_keeps_to_its_cap(dial, cap):
    told = PolicyParams(own=SoftParams({"surprisal": dial}, cap))
    ids = np.arange(1, VOCAB, dtype=np.uint16)
    raw = weigh_raw("soft", see(ids, {}, TYPES), told)
    rarest_first = raw[np.argsort(TYPES.counts_V[1:], kind="stable")]
    assert (np.diff(rarest_first) <= 0).all()
    assert (raw <= cap * 1.001).all()
    assert (raw >= 0.999 / cap).all()


def test_soft_weighs_a_token_of_mean_signals_one_and_follows_its_dials():
    told = PolicyParams(own=SoftParams({"nll": 0.5, "entropy": -1.0}, 1e6))
    raw = weigh_ones("soft", told, nll=[-1, 1, 3], entropy=[1, 1, 2])  # all means are 1
    assert raw == pytest.approx([np.exp(-1), 1, np.exp(0)])


@given(gains=gains, dial=st.floats(-2, 2), cap=st.floats(1.5, 1e4))
def test_soft_is_longce_tempered(gains, dial, cap):
    told = PolicyParams(own=SoftParams({"context_gain": dial}, cap))
    expected = np.clip(np.exp(dial * (np.float32(gains) - 1.0)), 1 / cap, cap)
    assert weigh_ones("soft", told, context_gain=gains) == pytest.approx(expected, rel=1e-4)


def test_context_policies_are_the_published_formulas():
    gains = {"context_gain": [-3, 0, 1, 9]}
    assert weigh_ones("longce", **gains) == pytest.approx([np.exp(-3), 1, np.exp(1), 5])
    assert weigh_ones("helm", **gains) == [3, 0, 1, 9]
    half = PolicyParams(own=ShiftParams(np.exp(0.5)))
    assert weigh_ones("ppmi", half, **gains) == pytest.approx([0, 0, 0.5, 8.5])
    assert weigh_ones("npmi", half, **gains) == pytest.approx([2.5, 0, 0, 0])


@given(gains=gains, cap=st.floats(1, 1e3))
def test_longce_rises_with_the_gain_up_to_its_cap(gains, cap):
    raw = np.array(weigh_ones("longce", PolicyParams(own=LongceParams(cap)), context_gain=gains))
    assert (np.diff(raw[np.argsort(gains, kind="stable")]) >= 0).all()
    assert (raw <= cap * 1.001).all()


@given(gains=gains)
def test_positive_and_negative_information_are_the_parts_of_the_dense_weights(gains):
    positive, negative, dense = (
        np.array(weigh_ones(name, context_gain=gains)) for name in ("ppmi", "npmi", "helm")
    )
    assert np.array_equal(positive + negative, dense)
    assert not (positive * negative).any()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"dials": {"rarity": 1.0}}, "unknown signal 'rarity'; valid: surprisal"),
        ({"dials": {"surprisal": float("nan")}}, r"dials\.surprisal is nan, must be from -16"),
        ({"dials": {"surprisal": 17.0}}, r"dials\.surprisal is 17.0, must be from -16 to 16"),
        ({"cap": 0.5}, "cap is 0.5, must be from 1"),
    ],
)
def test_dials_that_cannot_weigh_are_refused_by_name(told, message):
    with pytest.raises(AssayError, match=message):
        read_params("soft", told)


def test_dials_that_are_given_replace_the_default_ones():
    assert SoftParams().list_signals() == ("surprisal", "ngram_gain")
    assert SoftParams({"nll": 1.0}).list_signals() == ("nll",)
