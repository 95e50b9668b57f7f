"""The table of objectives: every record is what it says, and knows it without torch."""

import subprocess
import sys

import pytest

from trainer.objectives import registry
from trainer.objectives.registry import (
    OWN,
    FocalKnobs,
    Objective,
    find_extensions,
    find_objective,
    list_knob_classes,
    load_objectives,
)
from weighting.errors import AssayError


def test_every_record_names_a_function_that_is_there():
    for name, objective in OWN.items():
        assert objective.load().__name__ == name
    assert {*load_objectives()} >= {*OWN}


def test_every_summary_is_one_short_line():
    for objective in OWN.values():
        assert 0 < len(objective.summary) < 70
        assert "\n" not in objective.summary


def test_knobs_are_listed_with_the_objectives_that_have_them(monkeypatch):
    assert list_knob_classes()[FocalKnobs] == ["focal"]
    other = Objective("somewhere:other", "shares knobs", knobs=FocalKnobs)
    monkeypatch.setattr(registry, "load_objectives", lambda: {**OWN, "other": other})
    assert list_knob_classes()[FocalKnobs] == ["focal", "other"]


def test_an_objective_of_assay_is_of_no_other_package():
    assert find_extensions("plain") == ()


def test_an_objective_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(AssayError, match="objective is 'heavy', must be one of plain, weighted"):
        find_objective("heavy")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reads": ("minds",)}, "reads 'minds', must be of weights"),
        ({"function": "plain"}, "function is 'plain', must be MODULE:NAME"),
        ({"knobs": dict}, "must be a dataclass of knobs"),
    ],
)
def test_what_is_no_record_is_refused(values, message):
    with pytest.raises(TypeError, match=message):
        Objective(**{"function": "a:b", "summary": "", **values})


@pytest.mark.parametrize("function", ["nowhere_at_all:plain", "trainer.objectives.functions:plane"])
def test_a_function_that_is_not_there_is_named(function):
    with pytest.raises(AssayError, match=f"objective {function}: cannot be imported"):
        Objective(function, "").load()


def test_the_table_and_the_config_need_no_torch():
    code = (
        "import sys, trainer.config.flat as flat; flat.list_fields(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
