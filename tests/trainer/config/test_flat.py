"""The flat form: one name a field, a round trip through JSON, one clear error."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from trainer.config.flat import (
    check_same_config,
    flatten,
    list_fields,
    list_names,
    override,
    parse_value,
    read_config,
    spread_depth,
)
from trainer.config.schema import ModelConfig, ObjectiveConfig, TrainConfig
from trainer.objectives.registry import FocalKnobs, list_knob_classes
from weighting.errors import AssayError
from weighting.knobs import NOTHING, PLACE, RESULT

PARTS = ("objectives", "knobs", "model")


def test_names_of_the_parts_do_not_meet():
    parts = [
        [item.name for item in fields(kind)]
        for kind in (TrainConfig, ObjectiveConfig, *list_knob_classes(), ModelConfig)
    ]
    names = [name for part in parts for name in part if name not in PARTS]
    assert len(set(names)) == len(names)
    assert [*list_fields()] == names


def test_a_field_has_its_help_and_its_objective():
    known = list_fields()
    assert known["focal_gamma"].knob.help == "focal: power of 1 - p"
    assert known["objective"].knob.choices[:2] == ("plain", "weighted")
    assert known["lr"].default == TrainConfig.lr


def test_json_round_trip(tmp_path):
    config = TrainConfig(
        lr=0.5,
        compile="on",
        steps=77,
        model=ModelConfig(layers=2, width=64),
        objectives=override(TrainConfig(), {"objective": "focal", "focal_gamma": 2}).objectives,
    )
    assert config.objectives.of(FocalKnobs).focal_gamma == 2.0
    path = tmp_path / "config.json"
    path.write_text(json.dumps(flatten(config)))
    assert read_config(path) == config


def test_override_reaches_every_part_and_keeps_the_rest():
    config = override(TrainConfig(steps=70), {"layers": 9, "lr": 1, "objective": "mile"})
    model, objectives = ModelConfig(layers=9), ObjectiveConfig(objective="mile")
    assert config == TrainConfig(steps=70, lr=1.0, model=model, objectives=objectives)
    assert type(config.lr) is float


def test_depth_12_is_the_shape_of_gpt2():
    model = override(TrainConfig(), {"depth": 12}).model
    assert (model.layers, model.width, model.heads) == (12, 768, 12)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 3, "width": 10}, "depth sets layers, width and heads: leave out width"),
        ({"depth": 0}, "depth is 0, must be ≥ 1"),
    ],
)
def test_a_depth_that_says_nothing_clear_is_refused(values, message):
    with pytest.raises(AssayError, match=message):
        spread_depth(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"leraning": 1}, "no field 'leraning'; the fields are shards"),
        ({"steps": "many"}, "steps is 'many', must be int"),
        ({"steps": True}, "steps is True, must be int"),
        ({"tensorboard": 1}, "tensorboard is 1, must be bool"),
        ({"depth": "deep"}, "depth is 'deep', must be int"),
    ],
)
def test_values_of_no_field_or_another_type_are_refused(values, message):
    with pytest.raises(AssayError) as caught:
        override(TrainConfig(), values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("lr", "1e-3", 0.001),
        ("steps", "5", 5),
        ("tensorboard", "true", True),
        ("packing", "best-fit", "best-fit"),
        ("depth", "6", 6),
    ],
)
def test_values_from_text(name, text, value):
    assert parse_value(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("steps", "5.5"), ("lr", "fast"), ("tensorboard", "yes"), ("spets", "5")]
)
def test_text_that_is_no_value_is_refused(name, text):
    with pytest.raises(AssayError, match=name):
        parse_value(name, text)


def test_the_first_difference_of_the_results_is_named():
    check_same_config(Path("run"), {"shards": "a", "lr": 1.0}, {"keep": 7, "lr": 1.0})
    with pytest.raises(AssayError, match=r"run: made with lr 1\.0, now lr is 2\.0"):
        check_same_config(Path("run"), {"lr": 1.0}, {"lr": 2.0})


def test_a_field_that_an_older_record_lacks_had_its_default():
    check_same_config(Path("run"), {}, flatten(TrainConfig()))


EFFECTS = {
    PLACE: {"shards", "tokenizer", "init", "reference"},
    NOTHING: {
        *("eval_every", "log_every", "save_every", "keep"),
        *("tensorboard", "allow_uniform_weights"),
    },
}


def test_every_field_has_one_effect():
    """What is new has another result, until somebody says here that it has not."""
    for effect, names in EFFECTS.items():
        assert list_names(effect) == names
    assert list_names(RESULT) == {*list_fields()} - set().union(*EFFECTS.values())


def test_a_folder_is_no_file_of_fields(tmp_path):
    with pytest.raises(AssayError, match=r"cannot be read \(Is a directory\)"):
        read_config(tmp_path)


def test_a_field_that_stands_twice_in_a_file_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"lr": 1.0, "steps": 3, "lr": 2.0}')
    with pytest.raises(AssayError, match="'lr' stands twice"):
        read_config(path)


def test_places_in_a_file_start_in_its_folder(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "config.json"
    path.write_text(json.dumps({"shards": "../shards", "tokenizer": "/a/tokenizer.json"}))
    monkeypatch.chdir(tmp_path)
    for one in (path, path.relative_to(tmp_path)):
        config = read_config(one)
        assert Path(config.shards).resolve() == tmp_path / "shards"
        assert config.tokenizer == "/a/tokenizer.json"
