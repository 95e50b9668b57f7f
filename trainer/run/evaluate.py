"""Plain, unweighted loss on the validation split: per token, per byte, by frequency of the target.

The buckets are those of MiLe (arXiv 2310.19531): types sorted by their count in the training split
that cover the first 80 %, the next 15 % and the last 5 % of its tokens. It is the split that the
model was trained on, whatever it is evaluated on.

The split is always packed by the rule "stream", whatever the training split was packed by: so all
models of one context are judged on the same windows. Documents are masked as in training.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from trainer.config.flat import flatten
from trainer.config.schema import ResolvedConfig
from trainer.data.corpus import Corpus, Stream
from trainer.data.loader import IGNORED, Batch, gather
from trainer.data.packing import Packing, pack_stream
from trainer.machine.process_group import ALONE, Ranks
from trainer.machine.resources import autocast
from trainer.models.language_model import LanguageModel
from trainer.objectives.tokens import token_nll
from trainer.run.metrics import Evaluation
from trainer.run.places import choose_tokenizer, list_tokenizers
from weighting.arrays import Int64s
from weighting.contracts.shards import ShardInfo
from weighting.errors import AssayError
from weighting.vocabulary import (
    Part,
    has_bytes,
    is_byte_level,
    list_ids,
    read_tokenizer_json,
    spell_types,
)

BATCH_TOKENS = 8192  # that a model sees at once
HEAD_TOKENS = 1024  # whose logits exist at once
BUCKETS = ("high", "medium", "low")
BUCKET_ENDS = (80, 95)  # per cent of the training tokens


@dataclass(frozen=True)
class Yardstick:
    """What an evaluation knows of the V types: bucket number and bytes, each where it is known.

    Special tokens have 0 bytes: predicting them costs bits, and the text has no byte for them.
    """

    buckets_V: Int64s | None
    bytes_V: Int64s | None


def build_yardstick(counts_V: Int64s | None, info: ShardInfo, tokenizer: Path | None) -> Yardstick:
    """Return the yardstick of how often each type is a target in training, and of a tokenizer.

    Raises:
        AssayError: the tokenizer is larger than the shards' vocabulary.
    """
    return Yardstick(
        None if counts_V is None else split_by_frequency(counts_V),
        None if tokenizer is None else count_bytes(tokenizer, info.vocab_size),
    )


def split_by_frequency(counts_V: Int64s) -> Int64s:
    """Return the bucket number of each type; equal counts are ordered by id."""
    order_V = np.argsort(-counts_V, kind="stable")
    before_V = np.cumsum(counts_V[order_V]) - counts_V[order_V]
    total = int(counts_V.sum())
    # In integers: a float share would put a type at the border on a rounding error's side.
    ends = [percent * total for percent in BUCKET_ENDS]
    buckets_V = np.empty(len(counts_V), np.int64)
    buckets_V[order_V] = np.searchsorted(ends, 100 * before_V, side="right")
    return buckets_V


def count_bytes(tokenizer: Path, vocab_size: int) -> Int64s | None:
    """Return how many bytes of text each type stands for, special tokens for none.

    Where a normalizer changes texts, these are bytes of the text that it makes. None where tokens
    do not say it: the model knows neither bytes nor, one by one, the characters.

    Raises:
        AssayError: the tokenizer is larger than the shards' vocabulary.
    """
    fields = read_tokenizer_json(tokenizer)
    spelled = spell_types(fields)
    if (largest := max(spelled)) >= vocab_size:
        raise AssayError(f"{tokenizer}: id {largest} is outside the shards' {vocab_size} types")
    if not (is_byte_level(fields) or has_bytes(fields) or _is_of_characters(fields)):
        return None
    bytes_V = np.zeros(vocab_size, np.int64)
    for number, token in spelled.items():
        bytes_V[number] = len(token)
    special = [token["id"] for token in fields["added_tokens"] if token["special"]]
    bytes_V[special] = 0
    return bytes_V


def _is_of_characters(fields: Part) -> bool:
    added = {token["content"] for token in fields["added_tokens"]}
    words = list_ids(fields).keys() - added
    return fields["model"]["type"] == "WordLevel" and all(len(word) == 1 for word in words)


@dataclass(frozen=True)
class Evaluator:
    """A fixed set of validation windows and what their targets are measured with."""

    stream: Stream
    packing: Packing
    rows_W: Int64s  # numbers of the windows, of all processes together
    types: int
    yardstick: Yardstick
    config: ResolvedConfig
    ranks: Ranks

    def evaluate(self, model: LanguageModel, step: int) -> Evaluation:
        """Return the losses of a model after `step` updates.

        Each process scores its share of the windows, and all return the same row.
        """
        marks_Vx4 = self._mark_types()
        sums_2x4 = torch.zeros(2, 4, dtype=torch.float64, device=self.config.device)
        rows_W = self.rows_W[self.ranks.rank :: self.ranks.count]
        for batch, nll_BxT in score_windows(model, self.stream, self.packing, rows_W, self.config):
            live_N = batch.targets_BxT.flatten() != IGNORED
            marks_Nx4 = marks_Vx4[batch.targets_BxT.flatten().clamp_min(0)]
            each_2xN = torch.stack([nll_BxT.flatten().double(), live_N.double()])
            sums_2x4 += each_2xN @ marks_Nx4
        sums, counts = self.ranks.sum(sums_2x4).tolist()
        row = _summarise(step, sums[:3], counts[:3], counts[3])
        if self.yardstick.buckets_V is None:
            return replace(row, nll_high=None, nll_medium=None, nll_low=None)
        return row

    def _mark_types(self) -> Tensor:
        """Return for each type a 1 in the column of its bucket, and its bytes in the last.

        Without buckets all types are in the first.
        """
        marks_Vx4 = np.zeros((self.types, 4))
        buckets_V = self.yardstick.buckets_V
        marks_Vx4[np.arange(self.types), 0 if buckets_V is None else buckets_V] = 1
        if self.yardstick.bytes_V is not None:
            marks_Vx4[:, 3] = self.yardstick.bytes_V
        return torch.from_numpy(marks_Vx4).to(self.config.device)


def build_evaluator(
    corpus: Corpus,
    config: ResolvedConfig,
    ranks: Ranks = ALONE,
    yardstick: Yardstick | None = None,
) -> Evaluator:
    """Return the evaluator of a config: every run of it sees the same windows.

    Without a yardstick the model is one that is trained on this corpus.

    Raises:
        AssayError: the tokenizer is not the shards' own.
    """
    if yardstick is None:
        info = corpus.info
        tokenizer = choose_tokenizer(list_tokenizers(flatten(config)), info.tokenizer_sha256)
        yardstick = build_yardstick(corpus.target_counts_V, info, tokenizer)
    packing = pack_stream(corpus.validation, config.model.context)
    return Evaluator(
        stream=corpus.validation,
        packing=packing,
        rows_W=choose_windows(packing.windows, packing.context, config.eval_tokens),
        types=corpus.info.vocab_size,
        yardstick=yardstick,
        config=config,
        ranks=ranks,
    )


def choose_windows(windows: int, context: int, eval_tokens: int) -> Int64s:
    """Return all windows of a split, or as many as hold `eval_tokens`, evenly spread."""
    count = min(windows, -(-eval_tokens // context)) if eval_tokens else windows
    return np.arange(count) * windows // count


def score_windows(
    model: LanguageModel, stream: Stream, packing: Packing, rows_W: Int64s, config: ResolvedConfig
) -> Iterator[tuple[Batch, Tensor]]:
    """Yield windows in batches on the config's device, and nll_BxT of their targets.

    The losses are in nats, float32, and 0 at padding; no gradient goes back from them.
    """
    size = -(-BATCH_TOKENS // packing.context)
    for first in range(0, len(rows_W), size):
        rows_B = rows_W[first : first + size]
        batch = gather(stream, packing, rows_B, config.model.mask_documents).to(config.device)
        yield batch, score_batch(model, batch, config)


@torch.inference_mode()
def score_batch(model: LanguageModel, batch: Batch, config: ResolvedConfig) -> Tensor:
    """Return nll_BxT of a batch that is on the device; logits of few tokens exist at once."""
    with autocast(config):
        # As one row of N tokens, of which a few columns at a time go through the head.
        hidden_1xNxC = model.encode(batch.inputs_BxT, batch.documents_BxT).flatten(0, 1)[None]
        targets_1xN = batch.targets_BxT.flatten()[None]
        parts = [
            token_nll(
                model.head(hidden_1xNxC[:, first : first + HEAD_TOKENS]),
                targets_1xN[:, first : first + HEAD_TOKENS],
            )
            for first in range(0, targets_1xN.shape[1], HEAD_TOKENS)
        ]
    return torch.cat(parts, dim=1).view_as(batch.targets_BxT)


def _summarise(step: int, sums_3: list[float], counts_3: list[float], size: float) -> Evaluation:
    """Return the row of losses and targets summed by bucket, and of the bytes of all targets."""
    tokens = int(sum(counts_3))
    losses = [nll / count if count else None for nll, count in zip(sums_3, counts_3, strict=True)]
    return Evaluation(
        step=step,
        validation_tokens=tokens,
        validation_nll=sum(sums_3) / tokens,
        bits_per_byte=sum(sums_3) / math.log(2) / size if size else None,
        **{f"nll_{name}": nll for name, nll in zip(BUCKETS, losses, strict=True)},
    )
