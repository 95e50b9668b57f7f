"""Positions see distances only; documents of a row see themselves only."""

import math

import pytest
import torch

from tests.trainer.models.test_models import shake
from trainer.config.schema import ModelConfig
from trainer.models import build_model
from trainer.models.positions import alibi_slopes, attention_bias, rope_turns, rotate


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


@pytest.mark.parametrize(
    ("heads", "powers"),
    [
        (1, [8]),
        (2, [4, 8]),
        (6, [2, 4, 6, 8, 1, 3]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (12, [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5]),
    ],
)
def test_slopes_are_the_authors(heads, powers):
    expected = [2.0**-power for power in powers]
    torch.testing.assert_close(alibi_slopes(heads), torch.tensor(expected))


def test_plain_attention_needs_no_bias():
    assert attention_bias(4, None, None) is None


def test_a_mask_lets_tokens_see_back_within_their_document():
    # A number that comes again means the same document.
    seen = attention_bias(4, None, torch.tensor([[7, 7, 2, 7], [0, 0, 0, 0]]))
    ends = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 1]]
    assert seen is not None
    assert seen[0, 0].int().tolist() == ends
    assert seen[1, 0].equal(torch.ones(4, 4).tril().bool())


def test_bias_grows_with_distance_and_hides_what_is_not_seen():
    never = -math.inf
    slopes = torch.tensor([0.5, 0.25])
    bias = attention_bias(3, slopes, None)
    assert bias is not None
    assert bias[0].tolist() == [[0, never, never], [-0.5, 0, never], [-1, -0.5, 0]]
    assert bias[1, 2].tolist() == [-0.5, -0.25, 0]
    masked = attention_bias(3, slopes, torch.tensor([[0, 1, 1]]))
    assert masked is not None
    assert masked[0, 0].tolist() == [[0, never, never], [never, 0, never], [never, -0.5, 0]]


@pytest.mark.parametrize("positions", ["rope", "alibi"])
def test_a_document_in_a_packed_row_is_as_it_is_alone(positions):
    config = ModelConfig(
        layers=2, width=24, heads=3, context=20, positions=positions, mask_documents=True
    )
    model = shake(build_model(config, 30, seed=0))
    generator = torch.Generator().manual_seed(0)
    documents = [torch.randint(30, (1, size), generator=generator) for size in (5, 11, 4)]
    numbers = [torch.full_like(ids, number) for number, ids in enumerate(documents)]
    row_1xT, numbers_1xT = torch.cat(documents, 1), torch.cat(numbers, 1)
    alone = torch.cat([model(ids) for ids in documents], 1)
    torch.testing.assert_close(model(row_1xT, numbers_1xT), alone, atol=1e-5, rtol=1e-4)
    assert not torch.isclose(model(row_1xT), alone, atol=1e-2).all(-1)[0, 5:].any()


def test_alibi_knows_order():
    config = ModelConfig(layers=1, width=16, heads=2, context=6, positions="alibi")
    model = shake(build_model(config, 9, seed=0))
    ids = torch.tensor([[1, 2, 3, 4]])
    swapped = torch.tensor([[2, 1, 3, 4]])
    assert not torch.isclose(model(ids)[0, 3], model(swapped)[0, 3], atol=1e-3).all()
