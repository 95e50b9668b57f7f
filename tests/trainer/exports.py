"""Run folders with a checkpoint of random parameters, and the real library to load exports with."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.trainer.conftest import draw_documents, to_tokens, weigh_by_id
from tests.trainer.records import make_record
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.models import build_model
from trainer.models.language_model import LanguageModel
from trainer.run import checkpoint
from weighting.contracts.shards import ShardInfo, write_shard
from weighting.storage.files import sha256

END = "<|endoftext|>"
IDENTITY = ("tokenizer_sha256", "vocab_size", "eos_id")
INFO = ShardInfo("0" * 64, 50, 3, "train", "test")  # of a run whose data is not at hand
TEXTS = ("The gold lies in the river. 1849!", "  naïve café — gold, gold\n\tdust 12345")


@cache
def load_library() -> ModuleType:
    """Import transformers (a second or two), told to keep off the network."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers


def build_shaken(config: ModelConfig, vocab: int, seed: int = 0) -> LanguageModel:
    """Return a model all of whose parameters are random, gains and biases too."""
    model = build_model(config, vocab, seed).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                std = 0.02 if name == "embedding.weight" else parameter.shape[-1] ** -0.5
                parameter.normal_(0.0, std, generator=generator)
            elif name.endswith("dt_bias"):  # steps of 0.02 to 0.3, or a state would fade at once
                parameter.uniform_(-4.0, -1.0, generator=generator)
            else:
                parameter.uniform_(0.5, 1.5, generator=generator)
    return model


def write_run(
    run: Path, config: ModelConfig, info: ShardInfo = INFO, shards: str = ""
) -> LanguageModel:
    """Write the folder of a run whose newest checkpoint is a shaken model, and return the model."""
    model = build_shaken(config, info.vocab_size)
    trained = TrainConfig(shards=shards, steps=100, model=config)
    data = {name: getattr(info, name) for name in IDENTITY}
    record = make_record(7, trained, tokens=700, **data)
    checkpoint.save(run / "checkpoints", record, {"model": model.state_dict()}, keep=1)
    return model


def write_tokenizer(path: Path, end: str = END) -> Tokenizer:
    """Train a byte-level BPE on `TEXTS`; its end-of-text token is not the first id."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=270,
        special_tokens=["<|other|>", end],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def write_data(folder: Path) -> ShardInfo:
    """Write tokenizer.json and, in shards/, two train files and one of validation."""
    tokenizer = write_tokenizer(folder / "tokenizer.json")
    eos_id = tokenizer.token_to_id(END)
    assert eos_id is not None
    identity = (sha256(folder / "tokenizer.json"), tokenizer.get_vocab_size(), eos_id)
    sizes = {"train-00000": 40, "train-00001": 20, "validation-00000": 25}
    for seed, (name, count) in enumerate(sizes.items()):
        split = name.partition("-")[0]
        documents = end_with(draw_documents(seed, count), eos_id)
        tokens = to_tokens(split, documents, weigh_by_id)
        write_shard(
            folder / "shards" / f"{name}.arrow", ShardInfo(*identity, split, "test"), [tokens]
        )
    return ShardInfo(*identity, "train", "test")


def end_with(documents: Sequence[Sequence[int]], eos_id: int) -> list[list[int]]:
    """Put `eos_id` at the end of each document, and nowhere else."""
    return [[*(i for i in document if i != eos_id), eos_id] for document in documents]
