"""Records of policies: what cannot weigh is refused where it is declared."""

from dataclasses import dataclass

import numpy as np
import pytest

from weighting.errors import AssayError
from weighting.knobs import knob, list_knobs
from weighting.policies.masks import KeyParams, ShareParams
from weighting.policies.params import OwnParams
from weighting.policies.policy import Policy
from weighting.policies.registry import POLICIES


@dataclass(frozen=True)
class Mixed(OwnParams):
    """A knob whose name means something else for every policy."""

    mix: float = knob(1.0, "Mine.")


@dataclass(frozen=True)
class Named(OwnParams):
    """A knob that a recipe cannot have."""

    policy: str = knob("x", "Mine.")


def declare(params=OwnParams, **given):
    return Policy("in words", "as a formula", params, **given)


def ones_of_types(counts_V, params):
    return np.ones(len(counts_V))


def ones_of_tokens(seen, params):
    return np.ones(len(seen.ids_N), np.float32)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"of_types": ones_of_types, "of_tokens": ones_of_tokens}, "give one of the two"),
        ({"of_tokens": ones_of_tokens, "ranked": True}, "OwnParams has no knob share"),
        ({"of_tokens": ones_of_tokens, "draws": True}, "OwnParams has no knob seed"),
        ({"params": Mixed}, "Mixed: the knob mix is taken"),
        ({"params": Named}, "Named: the knob policy is taken"),
    ],
)
def test_what_cannot_weigh_is_refused(given, message):
    with pytest.raises(AssayError, match=message):
        declare(**given)


def test_a_knob_may_be_shared_with_every_policy_where_it_is_the_same():
    assert declare(KeyParams).params is KeyParams
    assert declare(ShareParams, of_tokens=ones_of_tokens, ranked=True).ranked


def test_every_own_policy_but_the_permuted_one_weighs_in_one_way():
    for name, policy in POLICIES.items():
        ways = (policy.of_types is not None) + (policy.of_tokens is not None)
        assert ways == (name != "shuffled")
        assert 0 <= policy.mix <= 1
        assert set(policy.lowest) <= set(policy.signals)
        for _, one in list_knobs(policy.params).values():
            assert one.help.endswith(".")
