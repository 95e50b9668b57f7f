"""The architectures, behind one interface: `trainer.models.language_model.LanguageModel`."""

from collections.abc import Callable, Mapping

import torch

from trainer.config.schema import ModelConfig
from trainer.models.gpt import GPT
from trainer.models.language_model import LanguageModel
from trainer.models.lstm import LSTM
from trainer.models.mamba2 import Mamba2
from weighting.errors import AssayError

ARCHITECTURES: Mapping[str, Callable[[ModelConfig, int], LanguageModel]] = {
    "gpt": GPT,
    "lstm": LSTM,
    "mamba2": Mamba2,
}


def build_model(config: ModelConfig, vocab_size: int, seed: int) -> LanguageModel:
    """Return a model on the CPU whose parameters are a pure function of the arguments.

    The head and what writes to the residual stream start at zero: the untrained model is uniform
    over its vocabulary, the larger of `vocab_size` and `config.vocab`, whatever the seed.

    Raises:
        AssayError: `config.vocab` is given and smaller than `vocab_size`.
    """
    model = ARCHITECTURES[config.architecture](config, resolve_vocab(config, vocab_size))
    model.initialise(torch.Generator().manual_seed(seed))
    return model


def count_parameters(config: ModelConfig, vocab_size: int) -> int:
    """Return how many numbers `build_model` would draw, without memory for them."""
    with torch.device("meta"):
        model = ARCHITECTURES[config.architecture](config, resolve_vocab(config, vocab_size))
    return sum(parameter.numel() for parameter in model.parameters())


def resolve_vocab(config: ModelConfig, vocab_size: int) -> int:
    """Return the rows of embedding and head: the larger of `vocab_size` and `config.vocab`.

    Raises:
        AssayError: `config.vocab` is given and smaller than `vocab_size`.
    """
    if 0 < config.vocab < vocab_size:
        raise AssayError(
            f"the shards' vocabulary ({vocab_size}) is larger than the model's (vocab "
            f"{config.vocab}); make vocab at least {vocab_size}, or 0 to follow the shards"
        )
    return max(vocab_size, config.vocab)
