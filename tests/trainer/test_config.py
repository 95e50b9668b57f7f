"""Configs: one name a field, a round trip through JSON, one clear error."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from trainer.config import (
    ModelConfig,
    TrainConfig,
    check_same,
    flat_fields,
    flatten,
    override,
    parse_value,
    read_config,
)
from weighting.errors import AssayError


def test_names_of_model_and_training_fields_do_not_meet():
    training = {item.name for item in fields(TrainConfig)} - {"model"}
    model = {item.name for item in fields(ModelConfig)}
    assert not training & model
    assert set(flat_fields()) == training | model


def test_json_round_trip(tmp_path):
    config = TrainConfig(lr=0.5, compile=True, steps=77, model=ModelConfig(layers=2, width=64))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(flatten(config)))
    assert read_config(path) == config


def test_override_reaches_both_levels_and_keeps_the_rest():
    config = override(TrainConfig(steps=70), {"layers": 9, "lr": 1})
    assert config == TrainConfig(steps=70, lr=1.0, model=ModelConfig(layers=9))
    assert type(config.lr) is float


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"leraning": 1}, "no field 'leraning'; the fields are shards"),
        ({"steps": "many"}, "steps is 'many', must be int"),
        ({"steps": True}, "steps is True, must be int"),
        ({"compile": 1}, "compile is 1, must be bool"),
        ({"steps": 0}, "steps is 0, must be ≥ 1"),
        ({"seed": -1}, "seed is -1, must be ≥ 0"),
        ({"lr": 0.0}, "lr is 0.0, must be > 0"),
        ({"lr": float("nan")}, "lr is nan, must be > 0"),
        ({"clip": float("inf")}, "clip is inf, must be > 0 and finite"),
        ({"steps": 20, "warmup": 20}, "warmup is 20, must be ≥ 0 and less than steps"),
        ({"objective": "heavy"}, "objective is 'heavy', must be one of plain, weighted"),
        ({"width": 100, "heads": 3}, "width 100 does not split into 3 heads of even size"),
        ({"width": 12, "heads": 4}, "width 12 does not split into 4 heads of even size"),
        ({"layers": 0}, "layers is 0, must be ≥ 1"),
    ],
)
def test_what_makes_no_run_is_named(values, message):
    with pytest.raises(AssayError) as caught:
        override(TrainConfig(), values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("lr", "1e-3", 0.001), ("steps", "5", 5), ("compile", "true", True), ("shards", "a/b", "a/b")],
)
def test_values_from_text(name, text, value):
    assert parse_value(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("steps", "5.5"), ("lr", "fast"), ("compile", "yes"), ("spets", "5")]
)
def test_text_that_is_no_value_is_refused(name, text):
    with pytest.raises(AssayError, match=name):
        parse_value(name, text)


def test_the_first_difference_is_named_and_locations_do_not_count():
    check_same(Path("run"), {"shards": "a", "lr": 1.0}, {"shards": "b", "lr": 1.0})
    with pytest.raises(AssayError, match=r"run: made with lr 1\.0, now lr is 2\.0"):
        check_same(Path("run"), {"lr": 1.0}, {"lr": 2.0})
