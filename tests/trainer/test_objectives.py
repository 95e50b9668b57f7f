"""Objectives against a float64 reference, and ones against nothing."""

import numpy as np
import pytest
import torch

from trainer.data import IGNORED
from trainer.objectives import OBJECTIVES, effective_share, plain, token_nll, weighted


def draw(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 5, 11, generator=generator).requires_grad_()
    targets = torch.randint(0, 11, (3, 5), generator=generator)
    weights = torch.rand(3, 5, generator=generator) * 3
    targets[2, 3:], weights[2, 3:] = IGNORED, 0.0
    return logits, targets, weights


def reference_gradient(logits, targets, weights):
    """d/dlogits of sum_i w_i nll_i / n = w_i (softmax_i - onehot_i) / n, in float64."""
    x = logits.detach().double().numpy()
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    live = targets.numpy() != IGNORED
    rows = np.where(live, targets.numpy(), 0)
    np.put_along_axis(p, rows[..., None], np.take_along_axis(p, rows[..., None], -1) - 1, -1)
    return p * (weights.double().numpy() * live)[..., None] / live.sum()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_equals_the_float64_reference(name):
    logits, targets, weights = draw()
    OBJECTIVES[name](token_nll(logits, targets), weights, 13).backward()
    used = weights if name == "weighted" else torch.ones_like(weights)
    expected = reference_gradient(logits, targets, used)
    np.testing.assert_allclose(logits.grad.numpy(), expected, atol=1e-7)
    assert not logits.grad[2, 3:].any()


def test_value_is_the_weighted_mean_of_the_surprisals():
    logits, targets, weights = draw()
    probabilities = logits.detach().double().softmax(-1)
    live = targets != IGNORED
    chosen = probabilities[live].gather(-1, targets[live][:, None])[:, 0]
    expected = float((-chosen.log() * weights[live].double()).sum() / 13)
    value = weighted(token_nll(logits, targets), weights, 13)
    assert value.item() == pytest.approx(expected, rel=1e-6)


def test_weights_of_one_are_plain_bit_for_bit():
    results = []
    for objective, weights in ((plain, draw()[2]), (weighted, torch.ones(3, 5))):
        logits, targets, _ = draw()
        loss = objective(token_nll(logits, targets), weights, 13)
        loss.backward()
        results.append((loss, logits.grad))
    (loss_a, gradient_a), (loss_b, gradient_b) = results
    assert loss_a.equal(loss_b)
    assert gradient_a.equal(gradient_b)


def test_padding_costs_nothing():
    logits, targets, _ = draw()
    assert token_nll(logits, targets)[2, 3:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("weights", "share"), [([1.0, 1.0], 1.0), ([3.0, 3.0], 1.0), ([1.0, 0.0], 0.5), ([0.0, 0.0], 0)]
)
def test_effective_share(weights, share):
    assert effective_share(torch.tensor([weights]), 2).item() == pytest.approx(share)
