"""Laws of policies: what they weigh, what they may be told, what they need."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.weighting.evidence import EOS, VOCAB, make_types, params, policies, see, tokens
from weighting.errors import AssayError
from weighting.policies.params import PolicyParams
from weighting.policies.registry import (
    POLICIES,
    check_policy,
    find_base,
    list_ranked,
    list_signals,
    resolve_params,
    tabulate_raw,
    weigh_raw,
)
from weighting.signals.registry import SIGNALS, list_known

TYPES = make_types()
OF_TYPES = [name for name, policy in POLICIES.items() if policy.of_types]
DEFAULTS = PolicyParams()
counts = arrays(np.int64, VOCAB, elements=st.integers(0, 10**6))


def weigh(name, given_params=DEFAULTS, **signals):
    """Raw weights of text tokens of type 1 with these values of signals."""
    values = {key: np.array(value, np.float32) for key, value in signals.items()}
    ids = np.ones(len(next(iter(values.values()))), np.uint16)
    return weigh_raw(name, see(ids, values, TYPES, name, given_params), given_params).tolist()


@given(name=policies, seen=tokens, params=params)
def test_raw_weights_are_finite_and_not_negative(name, seen, params):
    raw = weigh_raw(name, see(*seen, TYPES, name, params), params)
    assert raw.dtype == np.float32
    assert raw.shape == seen[0].shape
    assert np.isfinite(raw).all()
    assert (raw >= 0).all()


@given(
    name=policies.filter(lambda name: name not in ("random", "shuffled")),
    seen=tokens,
    params=params,
    seed=st.integers(0, 99),
)
def test_permuting_tokens_permutes_weights(name, seen, params, seed):
    ids, stored = seen
    order = np.random.default_rng(seed).permutation(len(ids))
    turned = (ids[order], {key: values[order] for key, values in stored.items()})
    whole = see(ids, stored, TYPES, name, params)
    again = see(*turned, TYPES, name, params)
    assert np.array_equal(weigh_raw(name, again, params), weigh_raw(name, whole, params)[order])


@given(
    name=policies.filter(lambda name: name not in ("random", "shuffled")),
    seen=tokens,
    params=params,
    data=st.data(),
)
def test_a_token_weighs_the_same_however_the_split_is_cut_into_units(name, seen, params, data):
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


@pytest.mark.parametrize("name", OF_TYPES)
@given(counts=counts, params=params)
def test_a_rarer_type_never_weighs_less(name, counts, params):
    types = make_types(counts)
    raw = tabulate_raw(name, types, EOS, params)
    text = types.counts_V.copy()
    text[EOS] = 0
    in_order = raw[np.argsort(text, kind="stable")]
    assert (np.diff(in_order) <= 1e-6 * in_order[1:] + 1e-30).all()


@given(dial=st.floats(0, 1), cap=st.floats(1, 50))
def test_soft_never_lowers_a_rarer_token_and_keeps_to_its_cap(dial, cap):
    told = PolicyParams(dials={"surprisal": dial}, cap=cap)
    ids = np.arange(1, VOCAB, dtype=np.uint16)
    raw = weigh_raw("soft", see(ids, {}, TYPES), told)
    rarest_first = raw[np.argsort(TYPES.counts_V[1:], kind="stable")]
    assert (np.diff(rarest_first) <= 0).all()
    assert (raw <= cap * 1.001).all()
    assert (raw >= 0.999 / cap).all()


def test_soft_weighs_a_token_of_mean_signals_one_and_follows_its_dials():
    told = PolicyParams(dials={"nll": 0.5, "entropy": -1.0}, cap=1e6)
    raw = weigh("soft", told, nll=[-1, 1, 3], entropy=[1, 1, 2])  # all means are 1
    assert raw == pytest.approx([np.exp(-1), 1, 1])


@given(counts)
def test_face_is_the_published_formula_in_float64(counts):
    counts[1] += 1
    total = sum(int(count) for count in counts[1:])
    shares = [int(count) / total for count in counts[1:]]
    published = np.array([1 - share / max(shares) for share in shares])
    raw = tabulate_raw("face", make_types(counts), EOS, DEFAULTS).astype(np.float64)
    # The mean over the vocabulary is 1; the end of text, never counted, belongs to it.
    expected = published * len(counts) / (published.sum() + 1)
    assert raw.mean() == pytest.approx(1, rel=1e-6)
    assert raw[1:] == pytest.approx(expected, rel=1e-6)


def test_pdl_idf_and_subsampling_by_hand():
    types = make_types([0, 900, 90, 10] + [0] * (VOCAB - 4))
    pdl = tabulate_raw("pdl", types, EOS, PolicyParams(alpha=0.5, cap=1e6))
    assert pdl[3] / pdl[1] == pytest.approx(np.sqrt(90), rel=1e-4)
    assert pdl[[1, 2, 3]] @ [900, 90, 10] / 1000 == pytest.approx(1)
    capped = tabulate_raw("pdl", types, EOS, PolicyParams(alpha=0.5, cap=2.0))
    assert capped.tolist() == pytest.approx(np.minimum(pdl, 2).tolist())
    idf = tabulate_raw("idf", types, EOS, DEFAULTS)
    assert idf[[1, 4]].tolist() == pytest.approx([-np.log(901 / 1012), np.log(1012)])
    kept = tabulate_raw("subsample", types, EOS, PolicyParams(threshold=0.01))
    assert kept[[1, 2, 3, 4]].tolist() == pytest.approx([np.sqrt(0.01 / 0.9), 1 / 3, 1, 1])


def test_context_policies_are_the_published_formulas():
    gains = {"context_gain": [-3, 0, 1, 9]}
    assert weigh("long_ce", **gains) == pytest.approx([np.exp(-3), 1, np.exp(1), 5])
    assert weigh("helm", **gains) == [3, 0, 1, 9]
    half = PolicyParams(shift=np.exp(0.5))
    assert weigh("ppmi", half, **gains) == pytest.approx([0, 0, 0.5, 8.5])
    assert weigh("npmi", half, **gains) == pytest.approx([2.5, 0, 0, 0])
    assert weigh("key_token", context_gain=[2, 2.5, 2.5, 1], nll=[0, 1.5, 2, 0]) == [0, 1, 0, 0]
    assert weigh("learnt", change=[-0.25, -0.125, 0, 1]) == [1, 0, 0, 0]


@given(seen=tokens, share=st.floats(0.05, 1), signal=st.sampled_from(list(SIGNALS)))
def test_top_k_keeps_exactly_its_share_of_the_text(seen, share, signal):
    told = PolicyParams(share=share, signal=signal)
    raw = weigh_raw("top_k", see(*seen, TYPES, "top_k", told), told).astype(np.float64)
    text = seen[0] != EOS
    assert raw[text].sum() == pytest.approx(share * text.sum(), rel=2**-20)


def test_the_intersection_takes_high_excess_only_where_the_reference_is_sure():
    half = PolicyParams(share=0.5)
    assert weigh("intersection", half, excess=[3, 2, 1, 0], entropy=[0, 9, 8, 1]) == [1, 0, 0, 0]
    assert list_ranked("intersection", half) == {"excess": False, "entropy": True}


def test_random_is_a_mask_of_about_its_share():
    ids = np.ones(20_000, np.uint16)
    told = PolicyParams(share=0.3)
    raw = weigh_raw("random", see(ids, {}, TYPES, "random", told), told)
    assert set(raw.tolist()) == {0.0, 1.0}
    assert raw.mean() == pytest.approx(0.3, abs=0.015)
    told = PolicyParams(share=0.3, seed=1)
    other = weigh_raw("random", see(ids, {}, TYPES, "random", told), told)
    assert (raw * other).mean() == pytest.approx(0.09, abs=0.015)


@given(name=policies, params=params)
def test_what_a_policy_needs_is_known_and_its_settled_mix_is_a_number(name, params):
    assert set(list_signals(name, params)) <= set(SIGNALS)
    settled = resolve_params(name, params)
    assert settled.mix is not None
    if find_base(name, params) == "uniform":
        assert settled.mix == 0
    elif params.mix is not None:
        assert settled == params


def test_default_mixes_are_those_of_the_methods():
    mixes = {name: resolve_params(name, DEFAULTS).mix for name in ("soft", "helm", "top_k")}
    assert mixes == {"soft": 0.25, "helm": 0.75, "top_k": 0}
    assert resolve_params("shuffled", PolicyParams(of="helm")).mix == 0.75


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_passes_with_all_signals_and_says_what_it_is(name):
    check_policy(name, DEFAULTS, list(SIGNALS))
    assert POLICIES[name].summary
    with pytest.raises(AssayError, match="does not read") as refused:
        check_policy(name, PolicyParams(**UNREAD[name]), None)
    assert "\n" not in str(refused.value)


UNREAD = {
    **{name: {"alpha": 0.5} for name in POLICIES},
    "pdl": {"threshold": 0.5},
    "shuffled": {"longce_cap": 2.0},
}


@pytest.mark.parametrize(
    ("name", "told", "message"),
    [
        ("sotf", {}, "unknown policy 'sotf'; valid: uniform, face"),
        ("shuffled", {"of": "shuffled"}, "cannot be of 'shuffled'; valid: uniform"),
        ("shuffled", {"of": "sotf"}, "cannot be of 'sotf'"),
        ("top_k", {}, r"signal excess.*reference\.checkpoints"),
        ("long_ce", {}, r"signal context_gain.*reference\.short"),
        ("shuffled", {"of": "intersection"}, "signal excess"),
        ("soft", {"dials": {"disagreement": 1.0}}, r"signal disagreement.*reference\.second"),
        ("soft", {"share": 0.5}, "soft does not read share; it reads dials, cap, mix"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(name, told, message):
    with pytest.raises(AssayError, match=message):
        check_policy(name, PolicyParams(**told), list_known(["ngram_gain"]))


def test_a_shuffled_policy_reads_what_its_base_reads():
    check_policy("shuffled", PolicyParams(of="top_k", signal="nll", share=0.5), ["nll"])


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"cap": 0.5}, "cap is 0.5"),
        ({"mix": 1.5}, "mix is 1.5"),
        ({"mix": -0.1}, "mix"),
        ({"dials": {"surprisal": float("nan")}}, r"dials\.surprisal"),
        ({"dials": {"rarity": 1.0}}, "unknown signal 'rarity'; valid: surprisal"),
        ({"signal": "rarity"}, "unknown signal 'rarity'"),
        ({"contaminated": 2.0}, "contaminated"),
        ({"duplicate": -1.0}, "duplicate"),
        ({"share": 0.0}, "share is 0.0, must be above 0"),
        ({"share": 1.5}, "share"),
        ({"shift": 0.0}, "shift"),
        ({"golden_gain": float("inf")}, "golden_gain is inf, must be finite"),
    ],
)
def test_impossible_parameters_are_refused_by_name(told, message):
    with pytest.raises(AssayError, match=message):
        PolicyParams(**told)
