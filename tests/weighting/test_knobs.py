"""One declaration of a knob: default, bounds and help, checked for numbers, text and mappings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.errors import AssayError
from weighting.knobs import Knob, as_in, check_knobs, knob, list_knobs


@dataclass(frozen=True)
class Settings:
    """One knob of each kind."""

    share: float = knob(0.5, "of the tokens", above=0, most=1)
    layers: int = knob(4, "blocks", least=1)
    kind: str = knob("gpt", "of block", choices=("gpt", "lstm"))
    mix: float | None = knob(None, "of the uniform weight", least=0, most=1)
    dials: Mapping[str, float] = knob(default_factory=dict, help="exponents", least=-16, most=16)
    plain: int = 3

    def __post_init__(self):
        check_knobs(self)


def test_defaults_and_help_come_from_the_declaration():
    assert (Settings().share, Settings().kind, Settings().dials) == (0.5, "gpt", {})
    knobs = list_knobs(Settings)
    assert list(knobs) == ["share", "layers", "kind", "mix", "dials"]
    assert knobs["layers"][1].help == "blocks"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": 0.0}, "share is 0.0, must be > 0 and ≤ 1"),
        ({"share": math.nan}, "share is nan, must be > 0 and ≤ 1"),
        ({"layers": 0}, "layers is 0, must be ≥ 1 and finite"),
        ({"kind": "rnn"}, "kind is 'rnn', must be one of gpt, lstm"),
        ({"mix": 1.5}, "mix is 1.5, must be from 0 to 1"),
        ({"dials": {"idf": 17.0}}, "dials.idf is 17.0, must be from -16 to 16"),
        ({"dials": {"idf": math.inf}}, "dials.idf is inf, must be from -16 to 16"),
    ],
)
def test_a_value_outside_is_refused_by_name_and_with_what_is_valid(given, message):
    with pytest.raises(AssayError) as caught:
        Settings(**given)
    assert str(caught.value) == message


def test_whole_numbers_are_compared_and_told_digit_for_digit():
    seed = Knob("of a run", least=0, most=2**64 - 1)
    assert seed.admits(2**64 - 1)
    assert not seed.admits(2**64)
    assert seed.describe() == "from 0 to 18446744073709551615"
    assert Knob("steps", least=1).admits(10**400)  # more than a float can hold


def test_what_has_no_knob_is_not_checked_and_none_is_always_valid():
    assert Settings(plain=-1, mix=None).plain == -1


@given(st.floats(allow_nan=False), st.floats(-10, 10), st.floats(-10, 10))
def test_bounds_admit_what_lies_within_them(value, least, most):
    admitted = Knob("", least=least, most=most).admits(value)
    assert admitted == (math.isfinite(value) and least <= value <= most)
    between = Knob("", above=least, below=most).admits(value)
    assert between == (math.isfinite(value) and least < value < most)


def test_a_knob_can_be_that_of_another_dataclass():
    @dataclass(frozen=True)
    class Other:
        part: float = knob(**as_in(Settings, "share"))
        sort: str = knob(**as_in(Settings, "kind"))
        weights: Mapping[str, float] = knob(**as_in(Settings, "dials"))

    theirs, ours = list_knobs(Settings), list_knobs(Other)
    for mine, name in (("part", "share"), ("sort", "kind"), ("weights", "dials")):
        assert ours[mine][1] == theirs[name][1]
    assert Other() == Other(0.5, "gpt", {})
