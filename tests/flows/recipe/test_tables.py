"""Tables that are settings of a job: read strictly by the knobs of their dataclass."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import ValidationError

from flows.recipe.problems import list_problems
from flows.recipe.tables import list_keys_of, read_table
from pipelines.settings import ContaminationSettings, EvaluationSet, RuleSettings
from weighting.errors import AssayError
from weighting.knobs import Names, as_in, knob


@dataclass(frozen=True)
class Part:
    """A part."""

    name: str = knob(help="What it is called.")
    weight: float = knob(1.0, "How heavy it is.", above=0)


@dataclass(frozen=True)
class Whole:
    """A whole."""

    count: int = knob(3, "How many.", least=1, most=9)
    again: int = knob(**as_in(ContaminationSettings, "words"))
    family: Annotated[str, Names("family")] | None = knob(None, "Its family.")
    action: Literal["keep", "drop"] = knob("keep", "What to do.")
    pairs: dict[str, float] = knob(default_factory=dict, help="Numbers.")
    parts: tuple[Part, ...] = knob((), "Its parts.")
    hidden: int = 7

    def __post_init__(self) -> None:
        if self.count == 5:
            raise AssayError("five is right out")


def find(fields):
    """Return what is wrong with a table, as lines."""
    with pytest.raises(ValidationError) as caught:
        read_table(Whole, fields)
    return [str(problem) for problem in list_problems(caught.value, Whole)]


def test_a_table_becomes_the_dataclass():
    assert read_table(Whole, {}) == Whole()
    fields = {
        "count": 9,
        "again": 100,
        "family": "c4",
        "action": "drop",
        "pairs": {"a": 1},
        "parts": [{"name": "x"}, {"name": "y", "weight": 2}],
    }
    parts = (Part("x"), Part("y", 2.0))
    assert read_table(Whole, fields) == Whole(9, 100, "c4", "drop", {"a": 1.0}, parts)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"count": 10}, "count: must be less than or equal to 9, is 10"),
        ({"count": 1.5}, "count: must be a whole number, is 1.5"),
        ({"count": True}, "count: must be a whole number, is true"),
        ({"again": 101}, "again: must be less than or equal to 100, is 101"),
        ({"family": "c5"}, "family: unknown family 'c5'; valid: url, language"),
        ({"action": "stop"}, "action: must be 'keep' or 'drop', is \"stop\""),
        ({"pairs": {"a": "b"}}, 'pairs.a: must be a number, is "b"'),
        ({"parts": {}}, "parts: must be an array, is a table"),
        ({"parts": [{}]}, "parts.0.name: missing"),
        (
            {"parts": [{"nam": "x"}]},
            "parts.0.nam: unknown key, did you mean name? valid: name, weight",
        ),
        ({"parts": [{"name": "x", "weight": 0}]}, "parts.0.weight: must be greater than 0, is 0"),
        ({"count": 5}, "five is right out"),
        ({"hidden": 1}, "hidden: unknown key; valid: count, again"),
    ],
)
def test_what_is_wrong_is_named(fields, line):
    assert any(found.startswith(line) for found in find(fields))


def test_keys_that_name_files():
    assert list_keys_of(Names("file"), EvaluationSet) == ["path"]
    assert list_keys_of(Names("file"), RuleSettings) == [
        *("bad_words", "unigrams", "blocked_domains", "blocked_urls", "hard_words"),
        *("soft_words", "banned_subwords"),
    ]
    assert list_keys_of(Names("language"), RuleSettings) == ["languages"]
