"""The table `weights`: its keys are the knobs that its policy reads, whatever adds the policy."""

import tomllib
from dataclasses import dataclass

import pytest
from hypothesis import given
from pydantic import ValidationError

from flows.recipe import weights
from flows.recipe.problems import list_problems
from flows.recipe.schema import Recipe, parse_recipe
from flows.recipe.toml import write_toml
from flows.recipe.weights import Weights, choose_weights, default_weights
from tests.weighting.evidence import policies, tell, told
from weighting.knobs import knob
from weighting.policies import registry
from weighting.policies.controls import ShuffledParams
from weighting.policies.count_based import PdlParams
from weighting.policies.params import GENERAL, OwnParams, PolicyParams
from weighting.policies.policy import Policy
from weighting.policies.registry import POLICIES, list_params, resolve_params


def choose(table) -> Weights:
    chosen = choose_weights(table)
    assert isinstance(chosen, Weights)
    return chosen


def read(**table):
    return parse_recipe({"name": "x", "weights": table}).weights


def complain(**table):
    with pytest.raises(ValidationError) as caught:
        read(**table)
    return [str(problem) for problem in list_problems(caught.value, Recipe)]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_table_has_the_knobs_of_its_policy_with_their_defaults_and_words(policy):
    table = choose({"policy": policy})
    reads = list_params(policy)
    assert list(type(table).model_fields) == ["policy", *reads]
    for name, (_, one) in reads.items():
        assert type(table).model_fields[name].description == one.help
    assert table.policy == policy
    assert resolve_params(policy, table.params()) == resolve_params(policy, PolicyParams())


@given(name=policies, told=told)
def test_what_a_table_says_is_what_the_policy_is_told(name, told):
    params = tell(name, told)
    given = {key: value for key, value in told.items() if key in list_params(name, told["of"])}
    table = choose({"policy": name, **given})
    assert table.params() == params
    assert choose(table.model_dump(mode="json")) == table


def test_a_recipe_without_the_table_has_the_default_policy():
    table = parse_recipe({"name": "x"}).weights
    assert table == default_weights() == read(policy="soft")
    assert isinstance(table, Weights)
    assert [*table.model_dump()] == ["policy", "dials", "cap", *GENERAL]


def test_a_table_that_is_written_out_reads_back():
    recipe = parse_recipe({"name": "x", "weights": {"policy": "shuffled", "of": "pdl", "cap": 3}})
    text = write_toml(recipe)
    fields = tomllib.loads(text)["weights"]
    assert fields["cap"] == 3
    assert "# Weights are at most this many times their mean.\ncap = 3" in text
    assert "dials" not in fields
    assert parse_recipe(tomllib.loads(text)) == recipe
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe
    own = recipe.weights.params().own
    assert isinstance(own, ShuffledParams)
    assert own.base == PdlParams(cap=3)


def test_all_that_is_wrong_is_told_at_once_by_key_and_with_what_is_valid():
    problems = complain(capp=3, share=0.5, cap="high", mix=2, dials={"idf": "x", "nll": 17})
    assert problems[0].startswith("weights.capp: unknown key, did you mean cap? valid: policy, dia")
    assert problems[1].startswith("weights.share: policy soft does not read share; it reads dials,")
    assert problems[2:] == [
        'weights.dials.idf: must be a number, is "x"',
        'weights.cap: must be a number, is "high"',
        "weights.mix: must be from 0 to 1, is 2.0",
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"policy": "sotf"}, "weights: unknown policy 'sotf'; valid: uniform"),
        ({"policy": 3}, "weights.policy: must be a string, is 3"),
        ({"policy": "shuffled", "of": 3}, "weights.of: must be a string, is 3"),
        ({"policy": "shuffled", "of": "sotf"}, "weights: policy shuffled cannot be of 'sotf'"),
        ({"dials": {"rarity": 1.0}}, "weights: unknown signal 'rarity'; valid: surprisal"),
        ({"dials": {"idf": 17}}, "weights.dials: idf must be from -16 to 16, is 17.0"),
        ({"policy": "top_k", "share": 0}, "weights.share: must be > 0 and ≤ 1, is 0.0"),
        ({"policy": "pdl", "alpha": float("nan")}, "weights.alpha: must be a finite number"),
        ({"policy": "random", "seed": 0.5}, "weights.seed: must be a whole number, is 0.5"),
        ({"policy": "pdl", "dials": {}}, "weights.dials: policy pdl does not read dials; it reads"),
        ({"policy": "top_k"}, "policy top_k needs the signal excess, which this run does not"),
        ({"golden": "gold"}, "unknown golden rule 'gold'; valid: read, key, learnt, ngram"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(table, problem):
    (told,) = complain(**table)
    assert told.startswith(problem)
    assert "\n" not in told


def test_what_is_no_table_is_told():
    with pytest.raises(ValidationError) as caught:
        parse_recipe({"name": "x", "weights": 3})
    assert [str(one) for one in list_problems(caught.value, Recipe)] == [
        "weights: must be a table, is 3"
    ]


@dataclass(frozen=True)
class LateParams(OwnParams):
    """Knobs of a policy from elsewhere."""

    power: float = knob(1.0, "Weights are place^power.", least=0, most=4)
    cap: int = knob(9, "Of another type than elsewhere.", choices=())


def test_a_policy_from_elsewhere_has_its_keys(monkeypatch):
    late = Policy("late", "late", LateParams, of_tokens=lambda seen, params: seen.ids_N)
    everything = {**POLICIES, "late": late}
    monkeypatch.setattr(registry, "POLICIES", everything)
    monkeypatch.setattr(weights, "POLICIES", everything)
    table = read(policy="late", power=2)
    assert table.params().own == LateParams(2)
    assert complain(policy="late", cap=1.5) == ["weights.cap: must be a whole number, is 1.5"]
    assert complain(policy="late", power=5) == ["weights.power: must be from 0 to 4, is 5.0"]
    (told,) = complain(policy="soft", power=2)
    assert told.startswith("weights.power: policy soft does not read power; it reads dials, cap")
    assert read(policy="shuffled", of="late", power=2).params().own.base == LateParams(2)
    weights._make_model.cache_clear()
