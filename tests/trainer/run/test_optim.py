"""The schedule's shape, and what decays."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.config.schema import ModelConfig, TrainConfig
from trainer.models import build_model
from trainer.run.optim import SCHEDULES, build_optimizers, lr_at, set_lr

CONFIG = TrainConfig(steps=100, warmup=10, lr=0.01)


def test_warm_up_is_linear_and_ends_at_the_highest_rate():
    rates = [lr_at(step, CONFIG) for step in range(11)]
    assert rates[:10] == pytest.approx([0.001 * (step + 1) for step in range(10)])
    assert rates[10] == CONFIG.lr


def test_cosine_is_half_way_down_half_way_through():
    assert lr_at(55, CONFIG) == pytest.approx(0.005)
    assert lr_at(100, CONFIG) == pytest.approx(0.0, abs=1e-12)


def test_linear_is_half_way_down_half_way_through():
    assert lr_at(55, replace(CONFIG, schedule="linear")) == pytest.approx(0.005)


def test_the_trapezoid_falls_over_its_last_fifth_only():
    config = replace(CONFIG, schedule="trapezoid", warmup=0)
    assert {lr_at(step, config) for step in range(80)} == {config.lr}
    assert lr_at(90, config) == pytest.approx(config.lr / 2)


def test_a_floor_is_the_share_that_is_left_at_the_end():
    for schedule in set(SCHEDULES) - {"constant"}:
        config = replace(CONFIG, schedule=schedule, lr_floor=0.1)
        assert lr_at(100, config) == pytest.approx(0.001)


@given(steps=st.integers(2, 500), schedule=st.sampled_from(sorted(SCHEDULES)), data=st.data())
def test_every_update_has_a_rate_above_zero_that_never_rises_after_warm_up(steps, schedule, data):
    warmup = data.draw(st.integers(0, steps - 1))
    config = replace(CONFIG, steps=steps, warmup=warmup, schedule=schedule)
    rates = [lr_at(step, config) for step in range(steps)]
    assert all(0 < rate <= config.lr for rate in rates)
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_only_matrices_decay(name):
    model = build_model(ModelConfig(layers=1, width=8, heads=2, context=4), 10, seed=0)
    optimizers = build_optimizers(model, replace(CONFIG, weight_decay=0.5, optimizer=name))
    before = {name: value.clone() for name, value in model.named_parameters()}
    set_lr(optimizers, 0.1)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for optimizer in optimizers:
        optimizer.step()
    for name, parameter in model.named_parameters():
        # A zero gradient leaves decay alone at work: p (1 - lr decay).
        factor = 0.95 if parameter.ndim == 2 else 1.0
        torch.testing.assert_close(parameter.data, before[name] * factor, msg=name)


def test_muon_takes_the_matrices_of_the_blocks_and_no_others():
    model = build_model(ModelConfig(layers=2, width=8, heads=2, context=4), 10, seed=0)
    muon, adamw = build_optimizers(model, replace(CONFIG, optimizer="muon"))
    names = {parameter: name for name, parameter in model.named_parameters()}
    taken = {names[p] for group in muon.param_groups for p in group["params"]}
    rest = {names[p] for group in adamw.param_groups for p in group["params"]}
    assert taken | rest == set(names.values())
    assert not taken & rest
    assert {"embedding.weight", "head.weight"} <= rest
    assert all("blocks." in name and "norm" not in name for name in taken)
    assert len(taken) == 8


def test_a_muon_update_turns_every_direction_by_the_same_size():
    model = build_model(ModelConfig(layers=1, width=16, heads=2, context=4), 10, seed=0)
    muon, _ = build_optimizers(model, replace(CONFIG, optimizer="muon", weight_decay=0.0))
    matrix = muon.param_groups[0]["params"][1]
    before = matrix.detach().clone()
    set_lr([muon], 1.0)
    for parameter in muon.param_groups[0]["params"]:
        parameter.grad = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    muon.step()
    sizes = torch.linalg.svdvals(matrix.detach() - before)
    # The iteration's own coefficients leave singular values between some 0.7 and 1.2 of one size.
    assert sizes.min() > 0.5 * sizes.max()


def test_the_first_adam_step_has_the_size_of_the_rate():
    model = build_model(ModelConfig(layers=1, width=8, heads=2, context=4), 10, seed=0)
    (adamw,) = build_optimizers(model, replace(CONFIG, optimizer="adamw", weight_decay=0.0))
    before = model.head.weight.detach().clone()
    set_lr([adamw], 0.25)
    model.head.weight.grad = torch.full_like(before, 3.0)
    adamw.step()
    change = before - model.head.weight.detach()
    torch.testing.assert_close(change, torch.full_like(change, 0.25))
