"""What policies are told: bounds, flat tables, and what is told whatever the policy."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given

from tests.weighting.evidence import params
from weighting.errors import AssayError
from weighting.knobs import knob, list_knobs
from weighting.policies.params import GENERAL, OwnParams, PolicyParams, make_own


@dataclass(frozen=True)
class Told(OwnParams):
    """Two knobs and a plain field."""

    share: float = knob(0.5, "Of the tokens.", above=0, most=1)
    dials: Mapping[str, float] = knob(default_factory=dict, help="Exponents.")
    note: str = "no knob"

    def list_signals(self):
        return tuple(self.dials)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"mix": 1.5}, "mix is 1.5, must be from 0 to 1"),
        ({"mix": -0.1}, "mix"),
        ({"least_effective": 2.0}, "least_effective is 2.0"),
        ({"contaminated": 2.0}, "contaminated"),
        ({"duplicate": -1.0}, "duplicate"),
        ({"golden_gain": float("inf")}, "golden_gain is inf, must be finite"),
        ({"key_nll": float("nan")}, "key_nll is nan, must be finite"),
    ],
)
def test_impossible_parameters_are_refused_by_name(told, message):
    with pytest.raises(AssayError, match=message):
        PolicyParams(**told)


@given(params)
def test_a_flat_table_has_every_general_knob_and_the_own_ones_first(params):
    assert list(params.to_dict()) == list(GENERAL)
    told = PolicyParams(own=Told(0.25, {"idf": 1.0}), mix=params.mix)
    assert list(told.to_dict()) == ["share", "dials", *GENERAL]
    assert told.to_dict()["mix"] == params.mix


def test_a_flat_table_is_a_copy():
    told = Told(dials={"idf": 1.0})
    told.to_dict()["dials"]["nll"] = 2.0
    assert told.dials == {"idf": 1.0}


def test_a_policy_takes_its_own_knobs_from_a_table_and_leaves_the_rest():
    assert make_own(Told, {"share": 0.25, "mix": 0.5, "note": "x"}) == Told(0.25)
    assert make_own(OwnParams, {"share": 0.25}) == OwnParams()
    with pytest.raises(AssayError, match="share is 2, must be > 0 and ≤ 1"):
        make_own(Told, {"share": 2})
    with pytest.raises(AssayError, match="unknown signal 'rarity'"):
        make_own(Told, {"dials": {"rarity": 1.0}})


def test_every_knob_says_what_it_is():
    for _, one in list_knobs(PolicyParams).values():
        assert one.help.endswith(".")
