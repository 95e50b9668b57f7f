"""Configs: what makes no run is named, with what would."""

from typing import Any

import pytest

from trainer.config.flat import override
from trainer.config.schema import OPTIMIZERS, ObjectiveConfig, ResolvedConfig, TrainConfig
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.run.optim import SCHEDULES
from weighting.errors import AssayError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps is 0, must be ≥ 1"),
        ({"seed": -1}, "seed is -1, must be from 0"),
        ({"micro": -1}, "micro is -1, must be ≥ 0"),
        ({"lr": 0.0}, "lr is 0.0, must be > 0"),
        ({"lr": -0.5}, "lr is -0.5, must be > 0; left out, it follows optimizer"),
        ({"lr": float("nan")}, "lr is nan, must be ≥ -1"),
        ({"clip": float("inf")}, "clip is inf, must be > 0 and finite"),
        ({"beta2": 1.0}, "beta2 is 1.0, must be > 0 and < 1"),
        ({"lr_floor": 1.5}, "lr_floor is 1.5, must be from 0 to 1"),
        ({"weight_decay": float("nan")}, "weight_decay is nan, must be ≥ 0"),
        ({"steps": 20, "warmup": 20}, "warmup is 20, must be ≥ 0 and less than steps (20); left"),
        ({"warmup": -2}, "warmup is -2, must be ≥ -1"),
        ({"seed": 10**20}, "seed is 100000000000000000000, must be from 0"),
        ({"threads": 100000}, "threads is 100000, must be from 0 to 1024"),
        ({"layers": 10**11}, "layers is 100000000000, must be ≤ 2147483647"),
        ({"shards": "s3://bucket/shards"}, "s3://bucket/shards: a folder must be on a disk"),
        ({"objective": "heavy"}, "objective is 'heavy', must be one of plain, weighted"),
        ({"objective": "selective"}, "reference and objective 'selective' go together"),
        ({"reference": "runs/x"}, "reference and objective 'selective' go together"),
        ({"cvar_share": 0.0}, "cvar_share is 0.0, must be > 0 and ≤ 1"),
        ({"running_decay": 1.5}, "running_decay is 1.5, must be from 0 to 1"),
        ({"longce_context": 0}, "longce_context is 0, must be ≥ 1"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd', must be one of muon, adamw"),
        ({"schedule": "step"}, "schedule is 'step', must be one of cosine"),
        ({"packing": "pad"}, "packing is 'pad', must be one of stream, best-fit"),
        ({"architecture": "rnn"}, "architecture is 'rnn', must be one of gpt, lstm, mamba2"),
        ({"positions": "sine"}, "positions is 'sine', must be one of rope, alibi"),
        ({"width": 100, "heads": 3}, "width 100 does not split into 3 heads of even size"),
        ({"width": 12, "heads": 4}, "width 12 does not split into 4 heads of even size"),
        ({"architecture": "mamba2", "heads": 3}, "2 x width 128 does not split into 3 heads"),
        ({"architecture": "lstm", "mask_documents": True}, "lstm cannot mask documents; gpt can"),
        ({"layers": 0}, "layers is 0, must be ≥ 1"),
        ({"vocab": -1}, "vocab is -1, must be ≥ 0"),
    ],
)
def test_what_makes_no_run_is_named(values, message):
    with pytest.raises(AssayError) as caught:
        override(TrainConfig(), values)
    assert message in str(caught.value)


def test_knobs_that_no_objective_has_are_a_defect():
    with pytest.raises(KeyError):
        ObjectiveConfig().of(TrainConfig)


def test_every_schedule_that_can_be_asked_for_exists():
    for name in SCHEDULES:
        assert TrainConfig(schedule=name).schedule == name


def test_places_are_absolute_from_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(shards="run/shards", init="runs/a", tokenizer="")
    assert (config.shards, config.init) == (f"{tmp_path}/run/shards", f"{tmp_path}/runs/a")
    assert config.tokenizer == ""
    monkeypatch.chdir("/")
    assert override(config, {"lr": 1.0}).shards == config.shards


@pytest.mark.parametrize(
    "change",
    [{"device": "auto"}, {"compile": "auto"}, {"threads": 0}, {"warmup": -1}, {"lr": -1.0}],
)
def test_a_resolved_config_leaves_nothing_open(change):
    given: dict[str, Any] = {
        "device": "cpu",
        "precision": "float32",
        "compile": "off",
        "threads": 1,
        "ranks": 1,
        "warmup": 50,
        "lr": 0.02,
    }
    assert ResolvedConfig(**given) == resolve(TrainConfig(**given), ALONE)
    with pytest.raises(ValueError, match="are to be resolved"):
        ResolvedConfig(**{**given, **change})


def test_the_rate_follows_the_optimizer_unless_it_is_given():
    rates = {name: resolve(TrainConfig(optimizer=name), ALONE).lr for name in OPTIMIZERS}
    assert rates == OPTIMIZERS
    assert resolve(TrainConfig(optimizer="adamw", lr=0.5), ALONE).lr == 0.5
