"""Plain, unweighted loss on the validation split: per token, per byte, by frequency of the target.

The buckets are those of MiLe (arXiv 2310.19531): types sorted by their count in the training split
that cover the first 80 %, the next 15 % and the last 5 % of its tokens.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from trainer.config import TrainConfig
from trainer.corpus import Corpus, Stream
from trainer.data import IGNORED, count_windows, gather
from trainer.machine import autocast
from trainer.objectives import token_nll
from weighting.bytelevel import BYTE_OF
from weighting.errors import AssayError
from weighting.files import sha256

BUCKETS = ("high", "medium", "low")
BUCKET_ENDS = (80, 95)  # per cent of the training tokens


@dataclass(frozen=True)
class Yardstick:
    """What an evaluation knows of the V types: bucket number, and bytes where a tokenizer is given.

    Special tokens have 0 bytes: predicting them costs bits, and the text has no byte for them.
    """

    buckets_V: npt.NDArray[np.int64]
    bytes_V: npt.NDArray[np.int64] | None


def build_yardstick(corpus: Corpus, tokenizer: Path | None) -> Yardstick:
    """Return the yardstick of a corpus.

    Raises:
        AssayError: the tokenizer is not the shards' own, or not a byte-level one.
    """
    buckets_V = split_by_frequency(corpus.target_counts_V)
    if tokenizer is None:
        return Yardstick(buckets_V, None)
    if not tokenizer.exists():
        raise AssayError(f"{tokenizer}: no such file")
    if sha256(tokenizer) != corpus.info.tokenizer_sha256:
        raise AssayError(
            f"{tokenizer}: not the tokenizer of the shards, "
            f"whose SHA-256 is {corpus.info.tokenizer_sha256}"
        )
    return Yardstick(buckets_V, count_bytes(tokenizer, corpus.info.vocab_size))


def find_tokenizer(config: TrainConfig) -> Path | None:
    """Return the tokenizer that is asked for, else RUN/tokenizer.json for RUN/shards, else None."""
    if config.tokenizer:
        return Path(config.tokenizer)
    beside = Path(config.shards).resolve().parent / "tokenizer.json"
    return beside if beside.exists() else None


def split_by_frequency(counts_V: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket number of each type; equal counts are ordered by id."""
    order_V = np.argsort(-counts_V, kind="stable")
    before_V = np.cumsum(counts_V[order_V]) - counts_V[order_V]
    total = int(counts_V.sum())
    # In integers: a float share would put a type at the border on a rounding error's side.
    ends = [percent * total for percent in BUCKET_ENDS]
    buckets_V = np.empty(len(counts_V), np.int64)
    buckets_V[order_V] = np.searchsorted(ends, 100 * before_V, side="right")
    return buckets_V


def count_bytes(tokenizer: Path, vocab_size: int) -> npt.NDArray[np.int64]:
    """Return how many bytes of text each type of a byte-level tokenizer stands for.

    Raises:
        AssayError: the tokenizer is not byte-level, or larger than the shards' vocabulary.
    """
    loaded = Tokenizer.from_file(str(tokenizer))
    added = loaded.get_added_tokens_decoder()
    bytes_V = np.zeros(vocab_size, np.int64)
    for token, number in loaded.get_vocab(with_added_tokens=True).items():
        if number >= vocab_size:
            raise AssayError(f"{tokenizer}: id {number} is outside the shards' {vocab_size} types")
        if number in added:
            bytes_V[number] = 0 if added[number].special else len(token.encode())
        elif BYTE_OF.keys() >= set(token):
            bytes_V[number] = len(token)  # the byte-level alphabet has one character a byte
        else:
            raise AssayError(f"{tokenizer}: not byte-level (token {token!r}); no bits per byte")
    return bytes_V


@dataclass(frozen=True)
class Evaluator:
    """A fixed set of windows of a stream and what their targets are measured with."""

    stream: Stream
    yardstick: Yardstick
    windows: npt.NDArray[np.int64]
    context: int
    batch: int
    device: str

    def evaluate(self, forward: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        """Return losses in nats a token, bits a byte, and the number of targets behind them.

        A bucket that no target belongs to has loss None.
        """
        sums_3, counts_3, size = np.zeros(3), np.zeros(3, np.int64), 0
        for first in range(0, len(self.windows), self.batch):
            targets_N, nll_N = self._score(forward, self.windows[first : first + self.batch])
            buckets_N = self.yardstick.buckets_V[targets_N]
            sums_3 += np.bincount(buckets_N, weights=nll_N, minlength=3)
            counts_3 += np.bincount(buckets_N, minlength=3)
            if self.yardstick.bytes_V is not None:
                size += int(self.yardstick.bytes_V[targets_N].sum())
        return _summarise(sums_3, counts_3, size)

    @torch.inference_mode()
    def _score(
        self, forward: Callable[[Tensor], Tensor], windows_B: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        batch = gather(self.stream, windows_B, self.context)
        moved = batch.to(self.device)
        with autocast(self.device):
            logits = forward(moved.inputs_BxT)
        nll = token_nll(logits, moved.targets_BxT).double().cpu().numpy()
        targets = batch.targets_BxT.numpy()
        return targets[targets != IGNORED], nll[targets != IGNORED]


def build_evaluator(corpus: Corpus, config: TrainConfig) -> Evaluator:
    """Return the evaluator of a settled config: every run of it sees the same windows."""
    context = config.model.context
    windows = count_windows(corpus.validation, context)
    return Evaluator(
        stream=corpus.validation,
        yardstick=build_yardstick(corpus, find_tokenizer(config)),
        windows=choose_windows(windows, context, config.eval_tokens),
        context=context,
        batch=config.batch,
        device=config.device,
    )


def choose_windows(windows: int, context: int, eval_tokens: int) -> npt.NDArray[np.int64]:
    """Return all windows of a split, or as many as hold `eval_tokens`, evenly spread."""
    count = min(windows, -(-eval_tokens // context)) if eval_tokens else windows
    return np.arange(count) * windows // count


def _summarise(
    sums_3: npt.NDArray[np.float64], counts_3: npt.NDArray[np.int64], size: int
) -> dict[str, Any]:
    total, tokens = float(sums_3.sum()), int(counts_3.sum())
    result: dict[str, Any] = {"validation_tokens": tokens, "validation_nll": total / tokens}
    if size:
        result["bits_per_byte"] = total / math.log(2) / size
    for name, nll, count in zip(BUCKETS, sums_3, counts_3, strict=True):
        result[f"nll_{name}"] = float(nll / count) if count else None
    return result
