"""The steps of a weight, put together: the same as by hand, and the same however tokens are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.weighting.evidence import (
    EOS,
    make_marks,
    make_tokens,
    make_types,
    params,
    see,
    seeds,
    tokens,
    weigh_by,
    weighings,
)
from weighting.contracts.reasons import Reason
from weighting.policies.controls import shuffle
from weighting.policies.golden import GOLDEN, find_golden, flag
from weighting.policies.normalisation import Scale, dampen, normalize
from weighting.policies.params import PolicyParams
from weighting.policies.registry import POLICIES, find_seed, weigh_raw
from weighting.policies.weighing import (
    Batch,
    Scheme,
    flag_tokens,
    weigh_raw_tokens,
    weigh_tokens,
)
from weighting.signals.registry import SIGNALS, Signals
from weighting.signals.signal import Facts

TYPES = make_types()
SCALE = Scale(mean=1.3, mix=0.2, divisor=0.9, effective=0.5)
rules = st.sampled_from(list(GOLDEN))


def make_scheme(policy, params, rule="key", facts=None):
    facts = facts or see(np.array([EOS]), {}, TYPES).facts
    return Scheme(policy, params, rule, TYPES, facts, EOS)


def make_batch(seen, marks, name="a" * 16):
    ids, stored = seen
    return Batch([name], np.array([0, len(ids)]), ids, Signals(TYPES, ids, stored), *marks)


def join(batches):
    """The documents of several batches as one."""
    lengths = [len(batch.ids_N) for batch in batches]
    ids = np.concatenate([batch.ids_N for batch in batches])
    names = [name for name in batches[0].signals if SIGNALS[name].stored]
    stored = {name: np.concatenate([batch.signals[name] for batch in batches]) for name in names}
    return Batch(
        doc_ids=[name for batch in batches for name in batch.doc_ids],
        offsets_D1=np.cumsum([0, *lengths]),
        ids_N=ids,
        signals=Signals(TYPES, ids, stored),
        copies_N=np.concatenate([batch.copies_N for batch in batches]),
        contaminated_N=np.concatenate([batch.contaminated_N for batch in batches]),
    )


@given(weighing=weighings, seen=tokens, seed=seeds)
def test_it_is_the_policy_then_damping_then_scale_then_order(weighing, seen, seed):
    (name, params), (ids, stored) = weighing, seen
    marks = make_marks(len(ids), seed)
    batch, evidence = make_batch(seen, marks), see(ids, stored, TYPES, name, params)
    scheme = make_scheme(name, params, facts=evidence.facts)
    keys = batch.key_tokens(find_seed(name, params))
    raw = weigh_raw(name, evidence._replace(keys_N=keys), params)
    factor, special = dampen(name, *marks, params), ids == EOS
    own = normalize(raw, factor, special, SCALE)
    weights = weigh_tokens(batch, scheme, evidence.cuts, SCALE)
    assert np.array_equal(weights.raw_N, raw)
    assert np.array_equal(weights.factor_N, factor)
    assert np.array_equal(weights.special_N, special)
    assert np.array_equal(weights.own_N, own)
    permuted = shuffle(own, factor, special, keys) if name == "shuffled" else own
    assert np.array_equal(weights.weights_N, permuted)
    again = weigh_raw_tokens(batch, scheme, evidence.cuts)
    assert all(np.array_equal(one, two) for one, two in zip(again, weights, strict=False))


@given(seen=tokens, params=params, rule=rules, seed=seeds, least=st.none() | st.floats(-3, 3))
def test_reasons_are_those_of_the_rule(seen, params, rule, seed, least):
    marks = make_marks(len(seen[0]), seed)
    batch, scheme = make_batch(seen, marks), make_scheme("uniform", params, rule)
    special, golden = seen[0] == EOS, find_golden(batch.signals, rule, params, least)
    expected = flag(golden, TYPES.rare_V[seen[0]], special, *marks)
    reasons = flag_tokens(batch, scheme, least)
    assert np.array_equal(reasons, expected)
    assert np.array_equal((reasons & np.uint8(Reason.GOLDEN)) > 0, golden & ~special)


@given(weighing=weigh_by(st.sampled_from(sorted(POLICIES.keys() - {"shuffled"}))), seed=seeds)
def test_cutting_into_units_and_their_order_do_not_matter(weighing, seed):
    name, params = weighing
    batches = []
    for number in range(3):
        seen = make_tokens(9, seed + number)
        batches.append(make_batch(seen, make_marks(10, seed + number), f"{number:016x}"))
    whole = join(batches)
    cuts = see(whole.ids_N, whole.signals, TYPES, name, params).cuts
    scheme = make_scheme(name, params)
    parts = [weigh_tokens(batch, scheme, cuts, SCALE).weights_N for batch in batches]
    assert np.array_equal(weigh_tokens(whole, scheme, cuts, SCALE).weights_N, np.concatenate(parts))
    turned = weigh_tokens(join(batches[::-1]), scheme, cuts, SCALE).weights_N
    assert np.array_equal(turned, np.concatenate(parts[::-1]))
    flags = [flag_tokens(batch, scheme, 0.5) for batch in batches]
    assert np.array_equal(flag_tokens(whole, scheme, 0.5), np.concatenate(flags))


def test_ids_of_documents_are_read_by_chance_alone():
    seen = make_tokens(9, 0)
    batch = make_batch(seen, make_marks(10, 0), name="not hexadecimal")
    scheme = make_scheme("soft", PolicyParams(), facts=Facts({"surprisal": 1, "ngram_gain": 1}, 9))
    assert len(weigh_tokens(batch, scheme, {}, SCALE).weights_N) == 10
    with pytest.raises(ValueError, match="hexadecimal"):
        weigh_tokens(batch, make_scheme("shuffled", PolicyParams()), {}, SCALE)
