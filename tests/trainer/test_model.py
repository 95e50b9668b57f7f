"""The GPT looks back only, sees distances only, and is made the same way every time."""

import math

import pytest
import torch

from trainer.config import ModelConfig
from trainer.model import build_model, rope_turns, rotate

CONFIG = ModelConfig(layers=2, width=16, heads=2, context=12)
VOCAB = 20


def shake(model):
    """Give every parameter a value: a new model's zero projections hide what the layers do."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return model


def test_a_later_token_changes_no_earlier_logit():
    model = shake(build_model(CONFIG, VOCAB, seed=0))
    ids = torch.arange(12).remainder(VOCAB)[None]
    changed = ids.clone()
    changed[0, 7] = 19
    before, after = model(ids), model(changed)
    assert before[0, :7].equal(after[0, :7])
    assert not torch.isclose(before[0, 7:], after[0, 7:]).all(dim=-1).any()


def test_an_earlier_token_reaches_every_later_logit():
    model = shake(build_model(CONFIG, VOCAB, seed=0))
    ids = torch.zeros(1, 12, dtype=torch.long)
    changed = ids.clone()
    changed[0, 0] = 5
    difference = (model(ids) - model(changed)).abs().amax(dim=-1)
    assert (difference > 1e-4).all()


@pytest.mark.parametrize("distance", [0, 1, 5])
def test_rotated_dot_products_depend_on_distance_only(distance):
    turns = rope_turns(32, 8)
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 8, generator=generator)
    queries = rotate(query.expand(1, 1, 32, 8), turns)[0, 0]
    keys = rotate(key.expand(1, 1, 32, 8), turns)[0, 0]
    products = (queries[distance:] * keys[: 32 - distance]).sum(dim=-1)
    torch.testing.assert_close(products, products[:1].expand_as(products))


def test_rotation_keeps_lengths_and_turns_by_the_stated_angle():
    turns = rope_turns(4, 4)
    x = torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(1, 1, 4, 4)
    turned = rotate(x, turns)[0, 0]
    # The first pair is (0, 2) and turns by one radian a position.
    expected = [[math.cos(t), 0.0, math.sin(t), 0.0] for t in range(4)]
    torch.testing.assert_close(turned, torch.tensor(expected))


def test_parameters_are_a_function_of_the_seed():
    torch.manual_seed(1)
    first = build_model(CONFIG, VOCAB, seed=3).state_dict()
    torch.manual_seed(2)
    second = build_model(CONFIG, VOCAB, seed=3).state_dict()
    other = build_model(CONFIG, VOCAB, seed=4).state_dict()
    assert all(first[name].equal(second[name]) for name in first)
    assert not first["embedding.weight"].equal(other["embedding.weight"])


def test_an_untrained_model_is_uniform_over_the_vocabulary():
    model = build_model(CONFIG, VOCAB, seed=0)
    probabilities = model(torch.zeros(1, 5, dtype=torch.long)).softmax(dim=-1)
    torch.testing.assert_close(probabilities, torch.full_like(probabilities, 1 / VOCAB))


def test_every_parameter_learns_within_two_updates():
    model = build_model(CONFIG, VOCAB, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ids = torch.arange(24).remainder(VOCAB).view(2, 12)
    for _ in range(4):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
        optimizer.step()
    still = [name for name, value in model.state_dict().items() if value.equal(before[name])]
    assert still == []
