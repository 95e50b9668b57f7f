"""Laws of policies, normalising, flags and the mass table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weighting.errors import AssayError
from weighting.mass import effective_share, tabulate_mass
from weighting.policies import POLICIES, PolicyParams, find_policy, flag, normalize, soft
from weighting.reasons import Reason
from weighting.signals import Facts

FACTS = Facts(entropy=6.0, rare_surprisal=11.0)
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
)


@pytest.mark.parametrize("name", POLICIES)
@given(signals=signals, params=params)
def test_weights_are_finite_not_negative_and_average_one(name, signals, params):
    raw = POLICIES[name](signals, FACTS, params)
    weights = normalize(raw, float(raw.astype(np.float64).mean()), params.mix)
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


@given(signals=signals, params=params)
def test_uniform_weights_are_exactly_one(signals, params):
    raw = POLICIES["uniform"](signals, FACTS, params)
    assert (normalize(raw, 1.0, params.mix) == 1).all()


@pytest.mark.parametrize(
    ("field", "value"), [("cap", 0.5), ("mix", 1.5), ("mix", -0.1), ("rarity", float("nan"))]
)
def test_impossible_parameters_are_refused_by_name(field, value):
    with pytest.raises(AssayError, match=field):
        PolicyParams(**{field: value})


def test_an_unknown_policy_names_the_valid_ones():
    with pytest.raises(AssayError, match="uniform, soft"):
        find_policy("sotf")


def test_a_split_of_zero_weight_cannot_be_normalised():
    with pytest.raises(AssayError, match="mean 0"):
        normalize(np.zeros(3, np.float32), 0.0, 0.25)


def test_flags_say_rare_golden_and_special():
    signals = {
        "surprisal": np.array([12, 3, 12, 12], np.float32),
        "ngram_gain": np.array([0, 3, 3, 3], np.float32),
    }
    special = np.array([False, False, False, True])
    flags = flag(signals, special, FACTS, PolicyParams())
    both = Reason.RARE | Reason.GOLDEN
    assert flags.tolist() == [Reason.RARE, Reason.GOLDEN, both, Reason.SPECIAL]


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
