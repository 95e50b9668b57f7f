"""Scoring tokens against a bare forward pass of the same model on the same batches, on this device.

python -m benchmarks.speed.scoring [TOKENS ROUNDS]    default 32768 9

`score` is Scorer.score: loss and entropy of every token. `forward` is model(ids), all its logits,
under inference mode, on the batches that `score` makes of the documents. Both take turns, on one
CPU thread. The ratio of speeds is a mean over rounds with its 95 % interval.

Documents either fill the context exactly, so that the batches hold nothing but targets, or have
lengths as text has: what is padded, or seen again to give a later target its context, costs both
arms the same in the model, and no logits of it are formed when scoring. `cells` is the size of
the batches over the number of tokens. Weights and ids are random.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.interleave import interleave, ratios
from trainer.compare.intervals import measure
from trainer.config.flat import flatten
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.data.corpus import DataFingerprint
from trainer.data.document_windows import (
    Gathered,
    batch_windows,
    cut_windows,
    gather,
    shift_right,
)
from trainer.machine import resources
from trainer.machine.process_group import ALONE
from trainer.models import build_model
from trainer.run import checkpoint
from trainer.scoring.predictions import BATCH_TOKENS
from trainer.scoring.reference import OwnModel, load_own
from trainer.scoring.scorer import Scorer, ScorerSettings
from weighting.arrays import Int64s
from weighting.signals.model_settings import ModelSettings

TOKENS, ROUNDS = 32768, 9
CONTEXT = 256
TOKENIZER = "0" * 64
EOS = 0
CASES = (
    ("gpt", 4096, 0.0),
    ("gpt", 16384, 0.0),
    ("gpt", 4096, 0.55),
    ("lstm", 4096, 0.0),
    ("mamba2", 4096, 0.0),
)  # architecture, types, standard deviation of the logarithm of the lengths
WIDTH, LAYERS = 256, 4
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Arms = Mapping[str, Callable[[], object]]
Row = tuple[str, ...]


def write_run(run: Path, architecture: str, vocab: int) -> None:
    """Write the checkpoint of a run whose weights were drawn and never trained."""
    model = ModelConfig(architecture, LAYERS, WIDTH, heads=4, context=CONTEXT)
    config = resources.resolve(TrainConfig(model=model), ALONE)
    weights = build_model(config.model, vocab, seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # outputs start at zero, and zeros are no honest load
        for weight in weights.parameters():
            if weight.ndim > 1:
                weight.normal_(0.0, weight.shape[-1] ** -0.5, generator=generator)
    data = DataFingerprint(
        tokenizer_sha256=TOKENIZER,
        vocab_size=vocab,
        eos_id=EOS,
        train_tokens=0,
        train_documents_crc32=0,
        train_ids_crc32=0,
        train_weights_crc32=0,
        validation_tokens=0,
        validation_documents_crc32=0,
        validation_ids_crc32=0,
    )
    record = checkpoint.Record(config=flatten(config), data=data, step=1, tokens=0)
    checkpoint.save(run / "checkpoints", record, {"model": weights.state_dict()}, keep=1)


def draw_documents(tokens: int, vocab: int, spread: float) -> tuple[Int64s, Int64s]:
    """Return ids and offsets of documents of log-normal length, end-of-text last.

    Their median is the context where all have one length, else half of it.
    """
    generator = np.random.default_rng(0)
    middle = CONTEXT / 2 if spread else CONTEXT
    sizes = generator.lognormal(np.log(middle), spread, tokens).round().astype(np.int64)
    ends = np.cumsum(np.maximum(sizes, 1))
    offsets = np.append(0, ends[: int(np.searchsorted(ends, tokens)) + 1])
    ids = generator.integers(1, vocab, offsets[-1])
    ids[offsets[1:] - 1] = EOS
    return ids, offsets


def cut_batches(ids: Int64s, offsets: Int64s) -> list[Gathered]:
    """Return the batches that scoring makes of the documents."""
    windows = cut_windows(offsets, CONTEXT, CONTEXT // 2)
    inputs = shift_right(ids, offsets, EOS)
    return [gather(part, inputs) for part in batch_windows(windows, BATCH_TOKENS[DEVICE])]


def build_arms(run: Path, ids: Int64s, offsets: Int64s, batches: Sequence[Gathered]) -> Arms:
    """Return what is timed, each on all documents."""
    scorer = Scorer(ScorerSettings(ModelSettings(str(run))), TOKENIZER)
    model = load_own(checkpoint.find_newest(run), TOKENIZER, "auto", 1)

    def forward() -> None:
        for batch in batches:
            predict_all(model, batch)
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    return {"forward": forward, "score": lambda: scorer.score(ids, offsets, EOS)}


@torch.inference_mode()
def predict_all(model: OwnModel, batch: Gathered) -> torch.Tensor:
    """Return all logits of a batch."""
    inputs = torch.from_numpy(batch.inputs_BxT).to(DEVICE)
    with resources.autocast(model.config):
        return model.model(inputs)  # type: ignore[no-any-return]


def measure_case(architecture: str, vocab: int, spread: float, tokens: int, rounds: int) -> Row:
    """Return a row of the table."""
    ids, offsets = draw_documents(tokens, vocab, spread)
    batches = cut_batches(ids, offsets)
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), architecture, vocab)
        times = interleave(build_arms(Path(folder), ids, offsets, batches), rounds)
    ratio = measure(ratios(times, "forward", "score"))
    return (
        f"{architecture} {LAYERS} x {WIDTH}, {vocab} types",
        "as text" if spread else "full",
        f"{sum(batch.inputs_BxT.size for batch in batches) / len(ids):.2f}",
        *(f"{len(ids) / median(values):,.0f}" for values in times.values()),
        f"{ratio.mean:.3f} ± {ratio.half_width_95 or 0:.3f}",
    )


def main() -> None:
    """Print the table."""
    tokens, rounds = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (TOKENS, ROUNDS)
    torch.set_num_threads(1)
    command = " ".join(["python -m benchmarks.speed.scoring", *sys.argv[1:]])
    title = f"tokens/s of scoring and of a forward pass, {DEVICE}"
    table = Table(title=title, caption=f"{command} ({rounds} rounds)")
    for column in ("model", "documents", "cells", "forward", "score", "score / forward"):
        table.add_column(column, justify="left" if column in ("model", "documents") else "right")
    for case in CASES:
        table.add_row(*measure_case(*case, tokens, rounds))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
