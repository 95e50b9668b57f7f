"""What is loaded from a checkpoint goes on as what was saved."""

from dataclasses import replace

import pytest
import torch

from tests.trainer.records import make_record
from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.run.checkpoint import find_latest, save
from trainer.run.state import build_state

VOCAB = 10
TINY = {"layers": 1, "width": 8, "heads": 2, "context": 4, "state": 4, "device": "cpu"}


def make_config(**values):
    return resolve(override(TrainConfig(), {**TINY, **values}), ALONE)


def step(state):
    for number, parameter in enumerate(state.model.parameters()):
        generator = torch.Generator().manual_seed(number)
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    for optimizer in state.optimizers:
        optimizer.step()
    state.step += 1


@pytest.mark.parametrize("architecture", ["gpt", "lstm", "mamba2"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_loaded_state_goes_on_as_the_saved_one(tmp_path, architecture, optimizer):
    config = make_config(architecture=architecture, optimizer=optimizer)
    state = build_state(config, VOCAB)
    step(state)
    save(tmp_path, make_record(tokens=7), state.files(), keep=1)
    other = build_state(replace(config, seed=9), VOCAB)
    latest = find_latest(tmp_path)
    assert latest is not None
    other.load(latest)
    assert (other.step, other.tokens) == (1, 7)
    for each in (state, other):
        step(each)
    for ours, theirs in zip(state.model.parameters(), other.model.parameters(), strict=True):
        assert ours.equal(theirs)


def test_running_statistics_are_saved_where_the_objective_has_some(tmp_path):
    plain = build_state(make_config(), VOCAB)
    assert set(plain.files()) == {"model", "optimizer"}
    config = make_config(objective="face")
    state = build_state(config, VOCAB)
    step(state)
    assert state.types is not None
    for tensor in state.types.tensors().values():
        tensor.fill_(3)
    save(tmp_path, make_record(tokens=7), state.files(), keep=1)
    other = build_state(config, VOCAB)
    latest = find_latest(tmp_path)
    assert latest is not None
    other.load(latest)
    assert other.types is not None
    for ours, theirs in zip(
        state.types.tensors().values(), other.types.tensors().values(), strict=True
    ):
        assert ours.equal(theirs)
