"""Laws of policies, normalising, flags and the mass table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weighting.errors import AssayError
from weighting.mass import effective_share, tabulate_mass
from weighting.policies import (
    CONTROLS,
    POLICIES,
    PolicyParams,
    dampen,
    find_policy,
    flag,
    measure_mass,
    normalize,
    soft,
)
from weighting.reasons import Reason
from weighting.signals import Facts

FACTS = Facts(entropy=6.0, rare_surprisal=11.0)
PLAIN = PolicyParams()
numbers = st.floats(-30, 30, width=32)
signals = st.integers(1, 50).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "surprisal": arrays(np.float32, n, elements=st.floats(0, 20, width=32)),
            "ngram_gain": arrays(np.float32, n, elements=numbers),
        }
    )
)
params = st.builds(
    PolicyParams,
    rarity=st.floats(0, 1),
    context=st.floats(0, 1),
    cap=st.floats(1, 50),
    mix=st.floats(0, 1),
    duplicate=st.floats(0, 2),
    contaminated=st.floats(0, 1),
)
counts = st.lists(st.integers(1, 9), min_size=50, max_size=50)
flags = st.lists(st.booleans(), min_size=49, max_size=49)


def damp(name, size, documents, contaminated, params):
    """The factors of `size` tokens; the first one is never contaminated."""
    marked = np.array([False, *contaminated])[:size]
    return dampen(name, np.array(documents, np.int32)[:size], marked, params)


@pytest.mark.parametrize("name", POLICIES)
@given(signals=signals, params=params, documents=counts, contaminated=flags)
def test_weights_are_finite_not_negative_and_average_one(
    name, signals, params, documents, contaminated
):
    raw = POLICIES[name](signals, FACTS, params)
    factor = damp(name, len(raw), documents, contaminated, params)
    weights = normalize(raw, factor, measure_mass(raw, factor), params.mix)
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.astype(np.float64).mean() == pytest.approx(1.0, abs=2**-20)


@given(signals=signals, params=params)
def test_soft_stays_within_its_cap(signals, params):
    raw = soft(signals, FACTS, params)
    assert (raw <= params.cap * 1.001).all()
    assert (raw >= 1 / params.cap * 0.999).all()


@given(signals=signals, params=params, seed=st.integers(0, 99))
def test_permuting_tokens_permutes_weights(signals, params, seed):
    order = np.random.default_rng(seed).permutation(len(signals["surprisal"]))
    shuffled = {name: values[order] for name, values in signals.items()}
    for policy in POLICIES.values():
        expected = policy(signals, FACTS, params)[order]
        assert np.allclose(policy(shuffled, FACTS, params), expected, rtol=1e-6)


@given(params=params, gain=numbers)
def test_a_rarer_token_never_weighs_less(params, gain):
    surprisal = np.linspace(0, 20, 40, dtype=np.float32)
    raw = soft({"surprisal": surprisal, "ngram_gain": np.full(40, np.float32(gain))}, FACTS, params)
    assert (np.diff(raw) >= -1e-6 * raw[1:]).all()


@given(signals=signals, params=params, documents=counts, contaminated=flags)
def test_uniform_weights_are_exactly_one(signals, params, documents, contaminated):
    raw = POLICIES["uniform"](signals, FACTS, params)
    factor = damp("uniform", len(raw), documents, contaminated, params)
    assert (normalize(raw, factor, measure_mass(raw, factor), params.mix) == 1).all()


def test_a_passage_of_four_documents_weighs_a_quarter_and_an_item_nothing():
    raw = np.ones(4, np.float32)
    factor = dampen("soft", np.array([1, 4, 1, 4], np.int32), np.array([0, 0, 1, 1], bool), PLAIN)
    weights = normalize(raw, factor, measure_mass(raw, factor), mix=0.5)
    assert weights.tolist() == pytest.approx([3.2, 0.8, 0, 0])


@given(signals=signals, params=params)
def test_what_is_not_marked_is_not_damped(signals, params):
    size = len(signals["surprisal"])
    for name in set(POLICIES) - set(CONTROLS):
        factor = dampen(name, np.ones(size, np.int32), np.zeros(size, bool), params)
        assert (factor == 1).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cap", 0.5),
        ("mix", 1.5),
        ("mix", -0.1),
        ("rarity", float("nan")),
        ("contaminated", 2.0),
        ("duplicate", -1.0),
    ],
)
def test_impossible_parameters_are_refused_by_name(field, value):
    with pytest.raises(AssayError, match=field):
        PolicyParams(**{field: value})


def test_an_unknown_policy_names_the_valid_ones():
    with pytest.raises(AssayError, match="uniform, soft"):
        find_policy("sotf")


def test_a_split_of_zero_weight_cannot_be_normalised():
    nothing = np.zeros(3, np.float32)
    with pytest.raises(AssayError, match="mean 0"):
        normalize(nothing, nothing, measure_mass(nothing, nothing), 0.25)


def test_a_split_of_nothing_but_items_cannot_be_normalised():
    nothing, one = np.zeros(3, np.float32), np.ones(3, np.float32)
    with pytest.raises(AssayError, match="contaminated"):
        normalize(one, nothing, measure_mass(one, nothing), 0.25)


def test_flags_say_rare_golden_repeated_contaminated_and_special():
    signals = {
        "surprisal": np.array([12, 3, 12, 12], np.float32),
        "ngram_gain": np.array([0, 3, 3, 3], np.float32),
    }
    special = np.array([False, False, False, True])
    documents = np.array([1, 2, 1, 1], np.int32)
    item = np.array([True, False, False, False])
    flags = flag(signals, special, documents, item, FACTS, PolicyParams())
    assert flags.tolist() == [
        Reason.RARE | Reason.CONTAMINATED,
        Reason.GOLDEN | Reason.DUPLICATE_SPAN,
        Reason.RARE | Reason.GOLDEN,
        Reason.SPECIAL,
    ]


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0.01, 100)))
def test_effective_share_is_one_only_for_equal_weights(weights):
    share = effective_share(weights.sum(), (weights**2).sum(), len(weights))
    assert 0 < share <= 1 + 1e-9
    assert effective_share(3.0, 3.0, 3) == 1.0


def test_mass_table_by_hand():
    counts = np.array([0, 60, 30, 8, 2])
    mass = np.array([0.0, 30.0, 45.0, 15.0, 10.0])
    table = tabulate_mass(counts, mass, squares=150.0, zeros=5, max_weight=5.0)
    assert table.top10_tokens == 1.0
    assert table.rarest_half_tokens == pytest.approx(0.10)
    assert table.rarest_half_mass == pytest.approx(0.25)
    assert table.effective_share == pytest.approx(100**2 / (100 * 150))
    assert table.zero_tokens == 0.05
