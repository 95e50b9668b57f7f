"""Laws of all policies: what they weigh, what they may be told, what they need."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import (
    EOS,
    Seen,
    make_types,
    policies,
    see,
    tell,
    tokens,
    told,
    weigh_by,
    weighings,
)
from weighting.errors import AssayError
from weighting.policies.controls import RandomParams, ShuffledParams
from weighting.policies.count_based import PdlParams
from weighting.policies.masks import KeyParams, TopParams
from weighting.policies.params import GENERAL, PolicyParams
from weighting.policies.registry import (
    POLICIES,
    check_policy,
    draws_tokens,
    find_base,
    find_own,
    find_seed,
    find_share,
    list_params,
    list_ranked,
    list_signals,
    read_params,
    resolve_params,
    tabulate_raw,
    weigh_raw,
)
from weighting.signals.registry import SIGNALS, list_known

TYPES = make_types()
DEFAULTS = PolicyParams()
without_chance = weigh_by(policies.filter(lambda name: name not in ("random", "shuffled")))


@given(weighing=weighings, seen=tokens)
def test_raw_weights_are_finite_and_not_negative(weighing, seen: Seen):
    name, params = weighing
    raw = weigh_raw(name, see(*seen, TYPES, name, params), params)
    assert raw.dtype == np.float32
    assert raw.shape == seen[0].shape
    assert np.isfinite(raw).all()
    assert (raw >= 0).all()


@given(weighing=without_chance, seen=tokens, seed=st.integers(0, 99))
def test_permuting_tokens_permutes_weights(weighing, seen, seed):
    name, params = weighing
    ids, stored = seen
    order = np.random.default_rng(seed).permutation(len(ids))
    turned = (ids[order], {key: values[order] for key, values in stored.items()})
    whole = see(ids, stored, TYPES, name, params)
    again = see(*turned, TYPES, name, params)
    assert np.array_equal(weigh_raw(name, again, params), weigh_raw(name, whole, params)[order])


@given(weighing=without_chance, seen=tokens, data=st.data())
def test_a_token_weighs_the_same_however_the_split_is_cut_into_units(weighing, seen, data):
    name, params = weighing
    ids, stored = seen
    whole = see(ids, stored, TYPES, name, params)
    cut = data.draw(st.integers(0, len(ids)))
    parts = [
        weigh_raw(
            name,
            see(
                ids[part], {key: v[part] for key, v in stored.items()}, TYPES, name, params
            )._replace(cuts=whole.cuts),
            params,
        )
        for part in (slice(None, cut), slice(cut, None))
    ]
    assert np.array_equal(np.concatenate(parts), weigh_raw(name, whole, params))


@given(weighing=weighings)
def test_what_a_policy_needs_is_known_and_its_settled_mix_is_a_number(weighing):
    name, params = weighing
    assert set(list_signals(name, params)) <= set(SIGNALS)
    settled = resolve_params(name, params)
    assert settled.mix is not None
    if find_base(name, params) == "uniform":
        assert settled.mix == 0
    elif params.mix is not None:
        assert settled == params


@given(weighing=weighings)
def test_what_is_told_survives_the_flat_table_of_a_shard(weighing):
    name, params = weighing
    settled = resolve_params(name, params)
    flat = settled.to_dict()
    assert list(flat) == list(list_params(name, flat.get("of")))
    assert read_params(name, flat) == settled
    assert resolve_params(name, settled) == settled


@given(name=policies, told=told)
def test_a_permuted_policy_is_told_what_its_base_is_told(name, told):
    if name == "shuffled":
        return
    own, permuted = tell(name, told), tell("shuffled", {**told, "of": name})
    assert find_base("shuffled", permuted) == name
    assert find_own("shuffled", permuted) == find_own(name, own)
    assert list_signals("shuffled", permuted) == list_signals(name, own)
    assert list_ranked("shuffled", permuted) == list_ranked(name, own)
    assert find_share("shuffled", permuted) == find_share(name, own)
    assert draws_tokens("shuffled", permuted) == draws_tokens(name, own)
    assert find_seed("shuffled", permuted) == told["seed"]


def test_default_mixes_are_those_of_the_methods():
    mixes = {name: resolve_params(name, DEFAULTS).mix for name in ("soft", "helm", "top_k")}
    assert mixes == {"soft": 0.25, "helm": 0.75, "top_k": 0}
    assert resolve_params("shuffled", read_params("shuffled", {"of": "helm"})).mix == 0.75


def test_a_knob_that_several_read_is_given_to_all_of_them():
    random = read_params("shuffled", {"of": "random", "seed": 7, "share": 0.5})
    assert random.own == ShuffledParams("random", 7, RandomParams(0.5, 7))
    key = read_params("key_token", {"key_gain": 3.0})
    assert (key.key_gain, key.own) == (3.0, KeyParams(key_gain=3.0))
    assert find_own("key_token", PolicyParams(key_gain=3.0)) == KeyParams(key_gain=3.0)
    by_hand = PolicyParams(own=ShuffledParams("random", 7))
    own = resolve_params("shuffled", by_hand).own
    assert isinstance(own, ShuffledParams)
    assert own.base == RandomParams(seed=7)


def test_only_the_random_mask_draws_tokens_and_only_masks_of_shares_are_ranked():
    assert [name for name in POLICIES if draws_tokens(name, DEFAULTS)] == ["random"]
    ranked = [name for name in POLICIES if list_ranked(name, DEFAULTS)]
    assert ranked == ["top_k", "intersection"]
    assert find_share("top_k", read_params("top_k", {"share": 0.25})) == 0.25
    assert find_share("soft", DEFAULTS) == 1
    assert find_seed("soft", DEFAULTS) == 0


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_passes_with_all_signals_and_says_what_it_is(name):
    check_policy(name, DEFAULTS, list(SIGNALS))
    assert POLICIES[name].summary
    assert POLICIES[name].formula
    assert list_params(name).keys() >= set(GENERAL)
    with pytest.raises(AssayError, match="does not read") as refused:
        read_params(name, UNREAD[name])
    assert "\n" not in str(refused.value)


UNREAD: dict[str, dict[str, Any]] = {
    **{name: {"alpha": 0.5} for name in POLICIES},
    "pdl": {"threshold": 0.5},
    "shuffled": {"of": "longce", "alpha": 2.0},
}


@pytest.mark.parametrize(
    ("name", "told", "message"),
    [
        ("sotf", {}, "unknown policy 'sotf'; valid: uniform, face"),
        ("shuffled", {"of": "shuffled"}, "cannot be of 'shuffled'; valid: uniform"),
        ("shuffled", {"of": "sotf"}, "cannot be of 'sotf'"),
        ("top_k", {}, r"signal excess.*reference\.checkpoints"),
        ("longce", {}, r"signal context_gain.*reference\.short"),
        ("shuffled", {"of": "intersection"}, "signal excess"),
        ("soft", {"dials": {"disagreement": 1.0}}, r"signal disagreement.*reference\.second"),
        ("soft", {"share": 0.5}, "soft does not read share; it reads dials, cap, mix"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(name, told, message):
    with pytest.raises(AssayError, match=message):
        check_policy(name, read_params(name, told), list_known(["ngram_gain"]))


def test_a_shuffled_policy_reads_what_its_base_reads():
    told = {"of": "top_k", "signal": "nll", "share": 0.5}
    check_policy("shuffled", read_params("shuffled", told), ["nll"])


@pytest.mark.parametrize(
    ("name", "own", "message"),
    [
        ("soft", PdlParams(), "policy soft is told PdlParams, not SoftParams"),
        ("shuffled", TopParams(), "policy shuffled is told TopParams, not ShuffledParams"),
        ("shuffled", ShuffledParams("pdl", base=TopParams()), "policy pdl is told TopParams"),
        ("sotf", None, "unknown policy 'sotf'"),
    ],
)
def test_the_knobs_of_another_policy_are_refused(name, own, message):
    with pytest.raises(AssayError, match=message):
        find_own(name, PolicyParams(own=own))


def test_what_permutes_weighs_as_its_base():
    params = read_params("shuffled", {"of": "face"})
    raw, expected = (
        tabulate_raw(name, TYPES, EOS, params_)
        for name, params_ in (
            ("shuffled", params),
            ("face", DEFAULTS),
        )
    )
    assert raw is not None
    assert expected is not None
    assert np.array_equal(raw, expected)
    assert tabulate_raw("soft", TYPES, EOS, DEFAULTS) is None
