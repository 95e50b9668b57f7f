"""Laws of normalising: mean 1 whatever is marked, a floor under the effective sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import (
    EOS,
    Seen,
    keys_of,
    make_marks,
    make_types,
    params,
    see,
    seeds,
    tell,
    tokens,
    told,
    weighings,
)
from weighting.arrays import Bools, Float32s, Int32s
from weighting.errors import AssayError
from weighting.policies.controls import shuffle
from weighting.policies.effective_sample import effective_share
from weighting.policies.normalisation import (
    WeightSums,
    dampen,
    find_scale,
    merge_sums,
    normalize,
    sum_weights,
)
from weighting.policies.params import PolicyParams
from weighting.policies.registry import POLICIES, find_base, resolve_params, weigh_raw

TYPES = make_types()
DEFAULTS = PolicyParams()
PURE = PolicyParams(mix=0.0, least_effective=0.0)


def prepare(
    name: str, seen: Seen, marks: tuple[Int32s, Bools], params: PolicyParams
) -> tuple[Float32s, Float32s, Bools]:
    """Raw weights, some of them positive, factors, and which tokens are ends of text."""
    ids, stored = seen
    raw = weigh_raw(name, see(ids, stored, TYPES, name, params), params)
    raw[0] += 1  # a mask may keep nothing, which is refused
    return raw, dampen(name, *marks, params), ids == EOS


def measure_effective(weights):
    exact = weights.astype(np.float64)
    return effective_share(exact.sum(), (exact**2).sum(), len(exact))


@given(weighing=weighings, seen=tokens, seed=seeds)
def test_weights_are_finite_not_negative_and_average_one(weighing, seen, seed):
    name, params = weighing
    parts = prepare(name, seen, make_marks(len(seen[0]), seed), params)
    weights = normalize(*parts, find_scale(sum_weights(*parts), name, params))
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.astype(np.float64).mean() == pytest.approx(1.0, abs=2**-20)


@given(weighing=weighings, seen=tokens, seed=seeds)
def test_the_effective_sample_is_what_is_told_and_reaches_its_floor(weighing, seen, seed):
    name, params = weighing
    parts = prepare(name, seen, make_marks(len(seen[0]), seed), params)
    mass = sum_weights(*parts)
    scale = find_scale(mass, name, params)
    weights = normalize(*parts, scale)
    assert measure_effective(weights) == pytest.approx(scale.effective, rel=1e-5)
    own = resolve_params(name, params).mix
    assert own is not None
    assert own <= scale.mix <= 1
    if scale.mix < 1:
        assert scale.effective >= params.least_effective * (1 - 1e-6)
    if own < scale.mix < 1:  # and a little less mix would not do
        less = own + (scale.mix - own) * 0.99
        again = normalize(*parts, scale._replace(mix=less))
        assert measure_effective(again) < params.least_effective


def test_the_floor_is_met_exactly_where_a_mask_keeps_too_little():
    raw = np.zeros(101, np.float32)
    raw[0] = 1
    one, special = np.ones_like(raw), np.arange(101) == 100
    told = PolicyParams(least_effective=0.5)
    scale = find_scale(sum_weights(raw, one, special), "key_token", told)
    assert scale.effective == pytest.approx(0.5)
    assert 0.8 < scale.mix < 1
    assert measure_effective(normalize(raw, one, special, scale)) == pytest.approx(0.5, rel=1e-5)


def test_mix_is_raised_no_further_than_it_must_nor_lowered():
    """Damped, the sample may be best between two mixes: both roots lie in (0, 1)."""
    raw = np.array([0.1, 1, 1, 1, 1, 9], np.float32)
    factor = np.array([1, 1, 1, 1, 1, 0.1], np.float32)
    special = np.zeros(6, bool)
    mass = sum_weights(raw, factor, special)

    def settle(mix, floor):
        return find_scale(mass, "soft", PolicyParams(mix=mix, least_effective=floor))

    best = max((settle(mix, 0.0).effective, mix) for mix in np.linspace(0, 1, 101))
    assert 0 < best[1] < 1
    floor = (best[0] + max(settle(0.0, 0.0).effective, settle(1.0, 0.0).effective)) / 2
    low = settle(0.0, floor)
    assert 0 < low.mix < best[1]
    assert low.effective == pytest.approx(floor)
    assert settle(best[1], floor).mix == best[1]
    assert settle(0.999, floor).mix == 1  # beyond the second root: none is left


def test_damping_alone_below_the_floor_leaves_plain_damped_weights():
    raw = np.array([5, 1, 1, 1, 1, 1, 1, 1, 1, 1], np.float32)
    factor = np.array([1] + [0] * 9, np.float32)
    special = np.zeros(10, bool)
    told = PolicyParams(least_effective=0.5)
    scale = find_scale(sum_weights(raw, factor, special), "soft", told)
    assert scale.mix == 1
    assert scale.effective == pytest.approx(0.1)
    assert normalize(raw, factor, special, scale).tolist() == [10] + [0] * 9


@given(seen=tokens, params=params, seed=seeds)
def test_uniform_weights_are_exactly_one_whatever_is_marked_or_mixed(seen, params, seed):
    ids, stored = seen
    raw = weigh_raw("uniform", see(ids, stored, TYPES), params)
    parts = raw, dampen("uniform", *make_marks(len(ids), seed), params), ids == EOS
    weights = normalize(*parts, find_scale(sum_weights(*parts), "uniform", params))
    assert weights.tobytes() == np.ones(len(ids), np.float32).tobytes()


@given(weighing=weighings, seen=tokens, cut=st.floats(0, 1), seed=seeds)
def test_the_scale_does_not_depend_on_order_or_units(weighing, seen, cut, seed):
    name, params = weighing
    parts = prepare(name, seen, make_marks(len(seen[0]), seed), params)
    order = np.random.default_rng(seed).permutation(len(seen[0]))
    at = round(cut * len(order))
    raw, factor, special = parts
    pieces = (order[:at], order[at:])
    units = [sum_weights(raw[piece], factor[piece], special[piece]) for piece in pieces]
    whole = find_scale(sum_weights(*parts), name, params)
    merged = find_scale(merge_sums(units), name, params)
    assert merged == pytest.approx(whole, rel=1e-5)


@given(st.permutations([0.1, 1e16, -1e16, 3e-9, 7.0]))
def test_merging_is_exact_in_any_order(raws):
    merged = merge_sums([WeightSums(tokens=1, raw=raw) for raw in raws])
    assert merged == WeightSums(tokens=5, raw=7.100000003)
    assert merge_sums([]) == WeightSums()


@given(seen=tokens, told=told, seed=seeds)
def test_a_permuted_control_has_the_weights_of_its_base(seen, told, seed):
    params, of, own = tell("shuffled", told), told["of"], tell(told["of"], told)
    marks = make_marks(len(seen[0]), seed)
    parts = prepare("shuffled", seen, marks, params)
    base = prepare(of, seen, marks, own)
    assert all(np.array_equal(a, b) for a, b in zip(parts, base, strict=True))
    scale = find_scale(sum_weights(*parts), "shuffled", params)
    assert scale == find_scale(sum_weights(*base), of, own)
    weights = normalize(*parts, scale)
    _, factor, special = parts
    permuted = shuffle(weights, factor, special, keys_of(seed, len(weights)))
    assert sorted(permuted.tolist()) == sorted(weights.tolist())
    assert (permuted[factor == 0] == weights[factor == 0]).all()


def test_a_passage_of_four_documents_weighs_a_quarter_and_an_item_nothing():
    raw = np.ones(4, np.float32)
    factor = dampen(
        "soft", np.array([1, 4, 1, 4], np.int32), np.array([0, 0, 1, 1], bool), DEFAULTS
    )
    parts = raw, factor, np.zeros(4, bool)
    weights = normalize(*parts, find_scale(sum_weights(*parts), "soft", DEFAULTS))
    assert weights.tolist() == pytest.approx([3.2, 0.8, 0, 0])


def test_an_end_of_text_counts_as_an_average_undamped_token():
    raw = np.array([100, 300, 7], np.float32)
    factor = np.array([1, 0.5, 0], np.float32)
    parts = raw, factor, np.array([False, False, True])
    weights = normalize(*parts, find_scale(sum_weights(*parts), "soft", PURE))
    assert weights.tolist() == pytest.approx(np.multiply([0.5, 0.75, 1], 3 / 2.25).tolist())


@given(params=params)
def test_what_is_not_marked_is_not_damped_and_controls_never(params):
    plain, repeated = np.ones(3, np.int32), np.full(3, 4, np.int32)
    for name in POLICIES:
        assert (dampen(name, plain, np.zeros(3, bool), params) == 1).all()
        damped = dampen(name, repeated, np.ones(3, bool), params)
        expected = 1.0 if find_base(name, params) == "uniform" else None
        factor = 4.0**-params.duplicate * params.contaminated if expected is None else expected
        assert damped.tolist() == pytest.approx([factor] * 3, rel=1e-6)


def test_a_split_without_text_has_nothing_to_scale():
    scale = find_scale(WeightSums(special=3), "soft", DEFAULTS)
    ends = np.full(3, 9, np.float32), np.ones(3, np.float32), np.ones(3, bool)
    assert normalize(*ends, scale).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("raw", "factor", "message"),
    [
        ([0, 0], [1, 1], "mean 0.0; they cannot be brought to 1"),
        ([np.inf, 0], [1, 1], "mean inf"),
        ([1, 1], [0, 0], "all of it is contaminated"),
        ([1, 0], [0, 1], "all that the policy weighs is contaminated"),
    ],
)
def test_a_split_that_weighs_nothing_is_refused(raw, factor, message):
    parts = np.array([*raw, 1], np.float32), np.array([*factor, 1], np.float32)
    mass = sum_weights(*parts, np.array([False, False, True]))
    with pytest.raises(AssayError, match=message):
        find_scale(mass, "top_k", PURE)
