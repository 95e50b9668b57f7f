"""Fixtures of the trainer's tests.

known_rate     no run measures how fast the machine is: that takes longer than most runs here
one_thread     every test computes on one CPU thread
frozen         a run does not give what the tests froze back to the garbage collector
write_corpus   writes a folder of tiny shards: splits, files, record batches, weights
corpus         a folder of shards with weights that differ
tiny           a config for `corpus` that trains in a fraction of a second
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.config.schema import ModelConfig, TrainConfig
from weighting.contracts.shards import ShardInfo, Tokens, write_shard

VOCAB = 32
TOKENIZER = "0" * 64

WriteCorpus = Callable[..., Path]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    # Training sets this for the whole process; hypothesis needs subnormal numbers elsewhere.
    torch.set_flush_denormal(False)


@pytest.fixture(autouse=True)
def known_rate(monkeypatch):
    monkeypatch.setattr("trainer.run.train.measure_matmul", lambda device, precision: 1e11)


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setattr("trainer.run.loop.quiet_collector", nullcontext)


@pytest.fixture
def write_corpus(tmp_path) -> WriteCorpus:
    def write(
        name: str = "run",
        train: Sequence[Sequence[Sequence[int]]] | None = None,
        validation: Sequence[Sequence[Sequence[int]]] | None = None,
        weigh: Callable[[np.ndarray], np.ndarray] = weigh_by_id,
        tokenizer: str = TOKENIZER,
        vocab: int = VOCAB,
    ) -> Path:
        """Write documents (lists of ids) grouped into files, one record batch a file."""
        folder = tmp_path / name / "shards"
        for split, files in (
            ("train", [draw_documents(0, 24)] if train is None else train),
            ("validation", [draw_documents(1, 6)] if validation is None else validation),
        ):
            info = ShardInfo(tokenizer, vocab, 0, split, "test")
            for number, documents in enumerate(files):
                path = folder / f"{split}-{number:05d}.arrow"
                write_shard(path, info, [to_tokens(split, documents, weigh)])
        return folder

    return write


@pytest.fixture
def corpus(write_corpus) -> Path:
    return write_corpus()


@pytest.fixture
def tiny(corpus) -> TrainConfig:
    return TrainConfig(
        shards=str(corpus),
        steps=6,
        batch=4,
        lr=4e-3,
        warmup=1,
        eval_every=3,
        log_every=1,
        save_every=3,
        threads=1,
        device="cpu",
        model=ModelConfig(layers=1, width=16, heads=2, context=8),
    )


def weigh_by_id(ids_N: np.ndarray) -> np.ndarray:
    """Weights that differ from token to token and are exact in float16 too."""
    return (0.5 + ids_N % 4 * 0.25).astype(np.float32)


def draw_documents(seed: int, count: int) -> list[list[int]]:
    """Documents of 5 to 30 ids, low ids more frequent than high ones."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(5, 30, count)
    return [np.sort(generator.integers(0, VOCAB, (2, n)), axis=0)[0].tolist() for n in lengths]


def to_tokens(split: str, documents: Sequence[Sequence[int]], weigh) -> Tokens:
    ids_N = np.array([number for document in documents for number in document], np.uint16)
    return Tokens(
        doc_ids=[f"{split}-{number}" for number in range(len(documents))],
        sources=["test"] * len(documents),
        offsets_D1=np.cumsum([0, *map(len, documents)], dtype=np.int64),
        ids_N=ids_N,
        weights_N=weigh(ids_N),
        reasons_N=np.zeros(len(ids_N), np.uint8),
    )
