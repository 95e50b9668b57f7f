"""Masks: what they keep, and that they keep exactly their share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import EOS, Seen, make_types, see, tokens, weigh_ones
from weighting.errors import AssayError
from weighting.policies.masks import KeyParams, ShareParams, TopParams, find_keys
from weighting.policies.params import KeyBounds, PolicyParams
from weighting.policies.registry import list_ranked, read_params, weigh_raw
from weighting.signals.registry import SIGNALS

TYPES = make_types()
nats = st.lists(st.floats(-9, 9), min_size=1, max_size=20)


def test_key_tokens_are_decided_by_far_context_and_predicted_well():
    mask = weigh_ones("key_token", context_gain=[2, 2.5, 2.5, 1], nll=[0, 1.5, 2, 0])
    assert mask == [0, 1, 0, 0]
    told = PolicyParams(own=KeyParams(key_gain=0.5, key_nll=9.0))
    assert weigh_ones("key_token", told, context_gain=[1, 1], nll=[8, 9]) == [1, 0]


@given(nats=nats, gain=st.floats(0, 3), nll=st.floats(0, 3), more=st.floats(0, 3))
def test_stricter_bounds_keep_fewer_key_tokens(nats, gain, nll, more):
    values = np.array(nats, np.float32)
    signals = {"context_gain": values, "nll": values[::-1]}
    loose = find_keys(signals, KeyBounds(gain, nll))
    assert not (find_keys(signals, KeyBounds(gain + more, nll)) & ~loose).any()
    assert not (find_keys(signals, KeyBounds(gain, nll - more)) & ~loose).any()


def test_learnt_are_those_whose_loss_fell_by_a_fifth_of_a_nat():
    assert weigh_ones("learnt", change=[-0.25, -0.125, 0, 1]) == [1, 0, 0, 0]


@given(seen=tokens, share=st.floats(0.05, 1), signal=st.sampled_from(list(SIGNALS)))
def test_top_k_keeps_exactly_its_share_of_the_text(seen: Seen, share, signal):
    told = PolicyParams(own=TopParams(share, signal))
    raw = weigh_raw("top_k", see(*seen, TYPES, "top_k", told), told).astype(np.float64)
    text = seen[0] != EOS
    assert raw[text].sum() == pytest.approx(share * text.sum(), rel=2**-20)


@given(seen=tokens, share=st.floats(0.05, 1), signal=st.sampled_from(list(SIGNALS)))
def test_top_k_never_passes_over_a_higher_token(seen: Seen, share, signal):
    told = PolicyParams(own=TopParams(share, signal))
    evidence = see(*seen, TYPES, "top_k", told)
    raw, values = weigh_raw("top_k", evidence, told), evidence.signals[signal]
    kept, left = values[raw > 0], values[raw < 1]
    assert not len(kept) or not len(left) or kept.min() >= left.max()


@given(seen=tokens, share=st.floats(0.05, 1))
def test_the_intersection_lies_within_both_shares(seen: Seen, share):
    told = PolicyParams(own=ShareParams(share))
    evidence = see(*seen, TYPES, "intersection", told)
    both = weigh_raw("intersection", evidence, told)
    high = PolicyParams(own=TopParams(share, "excess"))
    excess = weigh_raw("top_k", evidence, high)
    assert (both <= excess).all()
    text = seen[0] != EOS
    assert both[text].sum() <= share * text.sum() * (1 + 2**-20)


def test_the_intersection_takes_high_excess_only_where_the_reference_is_sure():
    half = PolicyParams(own=ShareParams(0.5))
    mask = weigh_ones("intersection", half, excess=[3, 2, 1, 0], entropy=[0, 9, 8, 1])
    assert mask == [1, 0, 0, 0]
    assert list_ranked("intersection", half) == {"excess": False, "entropy": True}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"signal": "rarity"}, "unknown signal 'rarity'"),
        ({"share": 0.0}, "share is 0.0, must be > 0 and ≤ 1"),
        ({"share": 1.5}, "share is 1.5"),
    ],
)
def test_shares_and_signals_that_there_are_not_are_refused(told, message):
    with pytest.raises(AssayError, match=message):
        read_params("top_k", told)
