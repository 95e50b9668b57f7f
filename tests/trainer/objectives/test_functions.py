"""Values and gradients of objectives against their formulas, written out in float64 NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.draw_tokens import (
    LIVE,
    OBJECTIVES,
    SHORT,
    VOCAB,
    draw_logits,
    draw_tokens,
    live_values,
    make_settings,
    softmax,
    weights_of,
)
from trainer.data.loader import IGNORED
from trainer.objectives.registry import (
    OWN,
    CvarKnobs,
    FalphaKnobs,
    FocalKnobs,
    LongceKnobs,
    MileKnobs,
    RunningKnobs,
    SelectiveKnobs,
)
from trainer.objectives.tokens import token_entropy, token_nll
from trainer.objectives.type_statistics import TypeStatistics


class Case:
    """The targets of a batch as flat arrays: losses x, probabilities p, and all that is read."""

    def __init__(self, logits, tokens):
        self.settings = tokens.settings
        self.ids = live_values(tokens, tokens.targets_BxT).astype(int)
        self.softmax = softmax(logits.detach().double().numpy())[tokens.live_BxT.numpy()]
        self.p = self.softmax[np.arange(LIVE), self.ids]
        self.x = -np.log(self.p)
        self.entropy = -(self.softmax * np.log(self.softmax)).sum(axis=-1)
        self.weights = live_values(tokens, tokens.weights_BxT)
        self.reference = live_values(tokens, tokens.reference_BxT)
        self.short = live_values(tokens, tokens.short_BxT)
        self.counts = tokens.types.counts_V.double().numpy()
        self.losses = tokens.types.losses_V.double().numpy()
        self.places = np.nonzero(tokens.live_BxT.numpy())[1]


def tail_weights(scores, share):
    """1 / share for the highest scores, one by one until share x n is used up."""
    weights, left = np.zeros(LIVE), share * LIVE
    for index in np.argsort(-scores, kind="stable"):
        weights[index] = min(1.0, max(left, 0.0)) / share
        left -= 1
    return weights


def face_weights(case):
    by_type = 1 - (case.counts / case.counts.sum()) / (case.counts / case.counts.sum()).max()
    return (by_type * VOCAB / by_type.sum())[case.ids]


def focal_weights(case):
    raw = (1 - case.p) ** case.settings.of(FocalKnobs).focal_gamma
    return raw / raw.mean()


def mile_weights(case):
    raw = (1 + case.entropy) ** case.settings.of(MileKnobs).mile_gamma
    return raw / raw.mean()


def running_weights(case):
    raw, blend = case.losses[case.ids], case.settings.of(RunningKnobs).running_blend
    return blend * raw / raw.mean() + 1 - blend


def longce_weights(case):
    long, short = case.p, np.exp(-case.short)
    ratio = np.minimum(long / short, case.settings.of(LongceKnobs).longce_cap)
    return np.where(case.places < 2 * SHORT, 1.0, ratio)


# What each loss is multiplied with, as data.
WEIGHTS = {
    "plain": lambda case: np.ones(LIVE),
    "weighted": lambda case: case.weights,
    "face": face_weights,
    "focal": focal_weights,
    "mile": mile_weights,
    "running": running_weights,
    "selective": lambda case: tail_weights(
        case.x - case.reference, case.settings.of(SelectiveKnobs).select_share
    ),
    "cvar": lambda case: tail_weights(case.x, case.settings.of(CvarKnobs).cvar_share),
    "longce": longce_weights,
}


def reference(name, case):
    """Terms, and d terms / d nll."""
    if name != "falpha":
        weights = WEIGHTS[name](case)
        return weights * case.x, weights
    alpha = case.settings.of(FalphaKnobs).falpha_alpha
    return (1 - case.p**alpha) / alpha if alpha else case.x, case.p**alpha


def compare(name, logits, tokens, tolerance):
    terms = OBJECTIVES[name](tokens)
    (gradient,) = torch.autograd.grad(terms.sum() / tokens.count, logits)
    case = Case(logits, tokens)
    expected, slopes = reference(name, case)
    np.testing.assert_allclose(live_values(tokens, terms), expected, atol=tolerance, rtol=tolerance)
    onehot = np.eye(VOCAB)[case.ids]
    expected_gradient = slopes[:, None] * (case.softmax - onehot) / LIVE
    np.testing.assert_allclose(live_values(tokens, gradient), expected_gradient, atol=tolerance)
    assert not terms[~tokens.live_BxT].any()
    assert not gradient[~tokens.live_BxT].any()


knobs = st.builds(
    lambda gamma, share, alpha, blend, cap: make_settings(
        focal_gamma=gamma,
        mile_gamma=gamma,
        select_share=share,
        cvar_share=share,
        falpha_alpha=alpha,
        running_blend=blend,
        longce_cap=cap,
    ),
    gamma=st.floats(0, 3),
    share=st.floats(0.01, 1),
    alpha=st.just(0.0) | st.floats(0.01, 3),
    blend=st.floats(0, 1),
    cap=st.floats(1, 10),
)


@pytest.mark.parametrize("name", OWN)
@given(seed=st.integers(0, 999), settings=knobs)
def test_value_and_gradient_are_those_of_the_formula(name, seed, settings):
    logits = draw_logits(seed).requires_grad_()
    compare(name, logits, draw_tokens(logits, seed, settings), 1e-10)


@pytest.mark.parametrize("name", OWN)
def test_float32_is_close_to_the_formula(name):
    logits = draw_logits(dtype=torch.float32).requires_grad_()
    compare(name, logits, draw_tokens(logits), 1e-5)


def test_token_nll_and_its_gradient_are_those_of_the_formula():
    logits = draw_logits(dtype=torch.float32).requires_grad_()
    tokens = draw_tokens(logits)
    tokens = replace(tokens, nll_BxT=token_nll(logits, tokens.targets_BxT))
    compare("weighted", logits, tokens, 1e-6)


def test_token_nll_of_bfloat16_is_computed_in_float32():
    logits = draw_logits(dtype=torch.bfloat16)
    tokens = draw_tokens(logits.float())
    nll = token_nll(logits, tokens.targets_BxT)
    assert nll.dtype == torch.float32
    torch.testing.assert_close(nll, tokens.nll_BxT)


def test_entropy_is_that_of_the_formula_and_has_no_gradient():
    logits = draw_logits().requires_grad_()
    tokens = draw_tokens(logits)
    entropy = token_entropy(logits)
    assert not entropy.requires_grad
    assert entropy.dtype == torch.float32
    torch.testing.assert_close(entropy.double(), tokens.entropy_BxT, atol=1e-6, rtol=1e-6)


def test_entropy_of_a_certain_prediction_is_zero():
    assert token_entropy(torch.tensor([[[0.0, -torch.inf, -1e4]]])).item() == 0.0


def test_cvar_is_the_minimum_of_rockafellar_and_uryasev():
    tokens = draw_tokens(draw_logits())
    x, share = live_values(tokens, tokens.nll_BxT), tokens.settings.of(CvarKnobs).cvar_share
    assert share * LIVE != round(share * LIVE)
    # Convex and piecewise linear in c, with its corners at the losses.
    expected = min(c + np.maximum(x - c, 0).mean() / share for c in x)
    value = OBJECTIVES["cvar"](tokens).sum() / tokens.count
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_equal_scores_at_the_border_share_what_is_left():
    nll = torch.tensor([[3.0, 1.0, 1.0, 1.0, 0.5]])
    tokens = draw_tokens(draw_logits(), settings=make_settings(cvar_share=0.5))
    tokens = replace(tokens, nll_BxT=nll, targets_BxT=torch.ones(1, 5, dtype=torch.long), count=5)
    weights = weights_of("cvar", tokens)
    torch.testing.assert_close(weights, torch.tensor([[2.0, 1.0, 1.0, 1.0, 0.0]]))


def test_face_gives_the_commonest_type_nothing_and_equal_counts_one():
    tokens = draw_tokens(draw_logits())
    weights = weights_of("face", tokens)
    commonest = int(tokens.types.counts_V.argmax())
    assert not weights[tokens.targets_BxT == commonest].any()
    for count in (0, 5):
        tokens.types.counts_V.fill_(count)
        assert weights_of("face", tokens)[tokens.live_BxT].eq(1).all()


def test_running_starts_as_plain():
    tokens = replace(draw_tokens(draw_logits()), types=TypeStatistics.start(VOCAB))
    torch.testing.assert_close(OBJECTIVES["running"](tokens), tokens.nll_BxT)


@pytest.mark.parametrize("short", [0.0, 1e4])
def test_longce_weighs_one_where_the_short_context_is_all_there_is(short):
    tokens = draw_tokens(draw_logits())
    weights = weights_of("longce", replace(tokens, short_BxT=torch.full((4, 5), short)))
    assert weights[:, : 2 * SHORT][tokens.live_BxT[:, : 2 * SHORT]].eq(1).all()
    assert weights[:2, 2 * SHORT :].ne(1).all()
    assert weights.max() <= tokens.settings.of(LongceKnobs).longce_cap


def test_padding_costs_nothing():
    logits = draw_logits(dtype=torch.float32)
    targets = draw_tokens(logits).targets_BxT
    assert not token_nll(logits, targets)[targets == IGNORED].any()
