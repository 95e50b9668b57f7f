"""Flags of a config: one a field, what is given wins, and help that says what there is."""

import argparse
import json

import pytest

from trainer.config.schema import TrainConfig
from trainer.flags import add_config, add_fields, describe_objectives, read_flags, read_given
from trainer.objectives.registry import OWN
from weighting.errors import AssayError


@pytest.fixture
def parser():
    built = argparse.ArgumentParser()
    add_config(built, without=("seed",))
    return built


def test_what_is_not_given_is_left_to_the_file(parser, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"lr": 0.5, "steps": 70}))
    arguments = parser.parse_args(["--config", str(tmp_path / "config.json"), "--steps", "90"])
    assert read_given(arguments) == {"steps": 90}
    assert read_flags(arguments) == TrainConfig(lr=0.5, steps=90)
    with pytest.raises(SystemExit):
        parser.parse_args(["--seed", "1"])


def test_switches_have_both_ways(parser):
    assert read_given(parser.parse_args(["--no-tensorboard"])) == {"tensorboard": False}


def test_text_that_is_no_value_is_refused(parser):
    with pytest.raises(AssayError, match="steps is 'many', must be int"):
        read_given(parser.parse_args(["--steps", "many"]))


def test_some_fields_alone():
    built = argparse.ArgumentParser()
    add_fields(built, ["lr"])
    assert read_given(built.parse_args(["--lr", "1e-3"])) == {"lr": 0.001}


def test_objectives_are_described_by_one_line_each():
    lines = describe_objectives().splitlines()
    assert lines[0] == "objectives:"
    assert [line.split()[0] for line in lines[1:]] == [*OWN]
