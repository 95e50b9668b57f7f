"""What holds for every architecture: it looks back only, and is made the same way every time."""

from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trainer.config.schema import ModelConfig
from trainer.models import ARCHITECTURES, build_model, count_parameters
from trainer.models.mamba2 import CHUNK
from weighting.errors import AssayError

VOCAB = 20
CONTEXT = CHUNK + 6  # two chunks of mamba2, with a padded token
CONFIGS = {
    "gpt": ModelConfig(layers=2, width=16, heads=2, context=CONTEXT),
    "alibi": ModelConfig(layers=2, width=16, heads=2, context=CONTEXT, positions="alibi"),
    "lstm": ModelConfig(architecture="lstm", layers=2, width=16, context=CONTEXT),
    "mamba2": ModelConfig(
        architecture="mamba2", layers=2, width=16, heads=4, context=CONTEXT - 1, state=8
    ),
}

pytestmark = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def shake(model):
    """Give every parameter a value: a new model's zero projections hide what the layers do."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return model


def draw_ids(rows, columns):
    return torch.randint(VOCAB, (rows, columns), generator=torch.Generator().manual_seed(1))


def train(model, updates, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    ids = draw_ids(2, 12)
    for _ in range(updates):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
        optimizer.step()


@pytest.mark.parametrize("place", [0, 7, CHUNK // 2 + 2, CHUNK + 3])
def test_a_later_token_changes_no_earlier_logit(config, place):
    model = shake(build_model(config, VOCAB, seed=0))
    ids = draw_ids(1, config.context)
    changed = ids.clone()
    changed[0, place] = (ids[0, place] + 1) % VOCAB
    before, after = model(ids), model(changed)
    assert before[0, :place].equal(after[0, :place])
    assert not torch.isclose(before[0, place], after[0, place]).any()


def test_an_earlier_token_reaches_every_later_logit(config):
    model = shake(build_model(config, VOCAB, seed=0)).double()
    ids = torch.zeros(1, 12, dtype=torch.long)
    changed = ids.clone()
    changed[0, 0] = 5
    difference = (model(ids) - model(changed)).abs().amax(dim=-1)
    assert (difference > 1e-6).all()


def test_a_shorter_row_gives_the_logits_of_the_longer_ones_start(config):
    model = shake(build_model(config, VOCAB, seed=0)).double()
    ids = draw_ids(3, config.context)
    torch.testing.assert_close(model(ids[:, :10]), model(ids)[:, :10])


def test_the_head_reads_the_encoding(config):
    model = shake(build_model(config, VOCAB, seed=0))
    ids = draw_ids(2, 9)
    hidden = model.encode(ids)
    assert hidden.shape == (2, 9, config.width)
    assert model.head(hidden).equal(model(ids))


def test_parameters_are_a_function_of_the_seed(config):
    torch.manual_seed(1)
    first = build_model(config, VOCAB, seed=3).state_dict()
    torch.manual_seed(2)
    second = build_model(config, VOCAB, seed=3).state_dict()
    other = build_model(config, VOCAB, seed=4).state_dict()
    assert all(first[name].equal(second[name]) for name in first)
    assert not first["embedding.weight"].equal(other["embedding.weight"])


def test_an_untrained_model_is_uniform_over_the_vocabulary(config):
    model = build_model(config, VOCAB, seed=0)
    probabilities = model(draw_ids(1, 5)).softmax(dim=-1)
    torch.testing.assert_close(probabilities, torch.full_like(probabilities, 1 / VOCAB))


def test_an_untrained_block_adds_nothing(config):
    model = build_model(config, VOCAB, seed=0)
    x = torch.randn(2, 9, config.width, generator=torch.Generator().manual_seed(0))
    assert model.mix(x, None).equal(x)


def test_every_parameter_learns_within_a_few_updates(config):
    # In double, since a first step may be too small to show in a float32 sum.
    model = build_model(config, VOCAB, seed=0).double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train(model, updates=4, lr=1.0)
    still = [name for name, value in model.state_dict().items() if value.equal(before[name])]
    assert still == []


def test_autocast_computes_about_the_same(config):
    model = shake(build_model(config, VOCAB, seed=0))
    ids = draw_ids(2, config.context)
    exact = model(ids).softmax(-1)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids)
    assert logits.dtype == torch.bfloat16
    logits.float().logsumexp(-1).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    # Total variation between the two distributions of a token.
    assert (logits.float().softmax(-1) - exact).abs().sum(-1).mean() / 2 < 0.03


def test_the_vocabulary_may_be_larger_than_the_shards(config):
    model = build_model(replace(config, vocab=VOCAB + 4), VOCAB, seed=0)
    assert model.head.out_features == model.embedding.num_embeddings == VOCAB + 4
    with pytest.raises(AssayError, match=r"vocabulary \(20\) is larger than .* \(vocab 19\)"):
        build_model(replace(config, vocab=VOCAB - 1), VOCAB, seed=0)


def test_parameters_are_counted_without_a_model(config):
    parameters = build_model(config, VOCAB, seed=0).parameters()
    assert count_parameters(config, VOCAB) == sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize("context", [9, CHUNK, CONTEXT - 1])
def test_flops_are_those_that_torch_counts(config, context):
    model = build_model(config, VOCAB, seed=0)
    # The plain implementation computes the whole square of attention, of which half is wanted.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(draw_ids(1, context)).sum().backward()
    counted = counter.get_total_flops() / context
    if config.architecture == "gpt":
        counted -= 6 * config.layers * config.width * context
    elif config.architecture == "lstm":  # not counted: two matrices of 4 gates
        counted += 6 * config.layers * 2 * 4 * config.width**2
    else:  # not counted: filters of 4 taps for x, b and c
        counted += 6 * config.layers * 4 * (2 * config.width + 2 * config.state)
    assert model.flops_per_token(context) == pytest.approx(counted, rel=1e-12)


def test_every_architecture_has_a_builder(config):
    assert config.architecture in ARCHITECTURES
