"""The schedule's shape, and what decays."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import ModelConfig, TrainConfig
from trainer.model import build_model
from trainer.optim import build_optimizer, lr_at, set_lr

CONFIG = TrainConfig(steps=100, warmup=10, lr=0.01)


def test_warm_up_is_linear_and_ends_at_the_highest_rate():
    rates = [lr_at(step, CONFIG) for step in range(11)]
    assert rates[:10] == pytest.approx([0.001 * (step + 1) for step in range(10)])
    assert rates[10] == CONFIG.lr


def test_cosine_is_half_way_down_half_way_through():
    assert lr_at(55, CONFIG) == pytest.approx(0.005)
    assert lr_at(100, CONFIG) == pytest.approx(0.0, abs=1e-12)


@given(steps=st.integers(2, 500), data=st.data())
def test_every_update_has_a_rate_above_zero_that_never_rises_after_warm_up(steps, data):
    warmup = data.draw(st.integers(0, steps - 1))
    config = replace(CONFIG, steps=steps, warmup=warmup)
    rates = [lr_at(step, config) for step in range(steps)]
    assert all(0 < rate <= config.lr for rate in rates)
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)


def test_only_matrices_decay():
    model = build_model(ModelConfig(layers=1, width=8, heads=2, context=4), 10, seed=0)
    optimizer = build_optimizer(model, replace(CONFIG, weight_decay=0.5))
    before = {name: value.clone() for name, value in model.named_parameters()}
    set_lr(optimizer, 0.1)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        # A zero gradient leaves decay alone at work: p (1 - lr decay).
        factor = 0.95 if parameter.ndim == 2 else 1.0
        torch.testing.assert_close(parameter.data, before[name] * factor, msg=name)


def test_the_first_adam_step_has_the_size_of_the_rate():
    weight = torch.nn.Linear(1, 1, bias=False)
    before = weight.weight.item()
    optimizer = build_optimizer(weight, replace(CONFIG, weight_decay=0.0))
    set_lr(optimizer, 0.25)
    weight.weight.grad = torch.tensor([[3.0]])
    optimizer.step()
    assert math.isclose(before - weight.weight.item(), 0.25, rel_tol=1e-5)
