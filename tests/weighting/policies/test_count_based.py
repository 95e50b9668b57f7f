"""Policies of types: the published formulas, by hand and in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.weighting.evidence import EOS, VOCAB, make_types, tell, told
from weighting.arrays import Float32s
from weighting.policies.count_based import PdlParams, pdl, subsample, surprisal
from weighting.policies.params import OwnParams, PolicyParams
from weighting.policies.registry import POLICIES, read_params, tabulate_raw
from weighting.signals.token_types import measure_surprisal

OF_TYPES = [name for name, policy in POLICIES.items() if policy.of_types]
DEFAULTS = PolicyParams()


def tabulate(name, types, eos_id, params) -> Float32s:
    """The raw weights of a policy that gives each type one."""
    raw = tabulate_raw(name, types, eos_id, params)
    assert raw is not None
    return raw


counts = arrays(np.int64, VOCAB, elements=st.integers(0, 10**6))


@pytest.mark.parametrize("name", OF_TYPES)
@given(counts=counts, told=told)
def test_a_rarer_type_never_weighs_less(name, counts, told):
    types = make_types(counts)
    raw = tabulate(name, types, EOS, tell(name, told))
    text = types.counts_V.copy()
    text[EOS] = 0
    in_order = raw[np.argsort(text, kind="stable")]
    assert (np.diff(in_order) <= 1e-6 * in_order[1:] + 1e-30).all()


@pytest.mark.parametrize("name", OF_TYPES)
@given(counts=counts, told=told, ends=st.integers(0, 10**6))
def test_ends_of_text_are_not_counted(name, counts, told, ends):
    params = tell(name, told)
    raw = [tabulate(name, make_types(counts.copy(), n), EOS, params) for n in (1, ends)]
    assert np.array_equal(raw[0], raw[1])


@given(counts)
def test_face_is_the_published_formula_in_float64(counts):
    counts[1] += 1
    total = sum(int(count) for count in counts[1:])
    shares = [int(count) / total for count in counts[1:]]
    published = np.array([1 - share / max(shares) for share in shares])
    raw = tabulate("face", make_types(counts), EOS, DEFAULTS).astype(np.float64)
    # The mean over the vocabulary is 1; the end of text, never counted, belongs to it.
    expected = published * len(counts) / (published.sum() + 1)
    assert raw.mean() == pytest.approx(1, rel=1e-6)
    assert raw[1:] == pytest.approx(expected, rel=1e-6)


@given(counts=counts, alpha=st.floats(0, 4), cap=st.floats(1, 100))
def test_power_law_decay_averages_at_most_one_and_keeps_to_its_cap(counts, alpha, cap):
    raw = pdl(counts, PdlParams(alpha, cap))
    assert (raw <= cap).all()
    assert (raw * counts).sum() <= counts.sum() * (1 + 1e-9)
    free = pdl(counts, PdlParams(alpha, 1e6))
    if (free <= cap).all():
        assert np.array_equal(raw, free)


@given(counts=counts)
def test_the_surprisal_of_a_policy_is_that_of_the_signal_without_ends_of_text(counts):
    types = make_types(counts, documents=0)  # no end of text is counted
    assert np.array_equal(surprisal(types.counts_V, OwnParams()), measure_surprisal(types))


def test_pdl_surprisal_and_subsampling_by_hand():
    types = make_types([0, 900, 90, 10] + [0] * (VOCAB - 4))
    pdl = tabulate("pdl", types, EOS, read_params("pdl", {"alpha": 0.5, "cap": 1e6}))
    assert pdl[3] / pdl[1] == pytest.approx(np.sqrt(90), rel=1e-4)
    assert pdl[[1, 2, 3]] @ [900, 90, 10] / 1000 == pytest.approx(1)
    capped = tabulate("pdl", types, EOS, read_params("pdl", {"alpha": 0.5, "cap": 2.0}))
    assert capped.tolist() == pytest.approx(np.minimum(pdl, 2).tolist())
    rare = tabulate("surprisal", types, EOS, DEFAULTS)
    assert rare[[1, 4]].tolist() == pytest.approx([-np.log(901 / 1012), np.log(1012)])
    kept = tabulate("subsample", types, EOS, read_params("subsample", {"threshold": 0.01}))
    assert kept[[1, 2, 3, 4]].tolist() == pytest.approx([np.sqrt(0.01 / 0.9), 1 / 3, 1, 1])


@given(counts=counts, threshold=st.floats(1e-6, 1))
def test_subsampling_keeps_what_is_rarer_than_its_threshold_whole(counts, threshold):
    own = POLICIES["subsample"].params(threshold)
    kept = subsample(counts, own)
    rare = counts / max(1, counts.sum()) <= threshold
    assert (kept[rare] == 1).all()
    assert (kept[~rare] < 1).all()
