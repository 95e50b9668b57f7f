"""The loader: tokens per CPU-second against a bare gather, and its share of a training step.

python -m benchmarks.training.loader [TOKENS]    size of the made-up corpus in millions; default 20

The floor is NumPy's own gather of the same windows out of arrays in memory, by indices that were
made before: ids widened to int64 for inputs and targets, float32 weights.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.interleave import interleave, print_times, ratios
from trainer.config.schema import TrainConfig
from trainer.data.corpus import Corpus, Stream, open_corpus
from trainer.data.loader import Batch, Loader
from trainer.data.packing import RULES, pack
from trainer.data.prefetch import prefetching
from trainer.machine.process_group import ALONE
from trainer.machine.resources import prepare, resolve
from trainer.objectives.losses import build_loss_function
from trainer.run.state import build_state
from trainer.run.step import update
from weighting.contracts.shards import ShardInfo, Tokens, write_shard

VOCAB = 4096
BATCH_TOKENS = 64 * 1024
ROUNDS = 60
STEPS = 20  # of training, that an arm does in its turn
SHARDS = 10
BATCH_DOCUMENTS = 1000  # rows of a record batch


def main() -> None:
    """Make a corpus, then time loading alone and loading inside of training."""
    millions = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(Path(folder), millions * 10**6)
        corpus = open_corpus(folder)
        print_speeds(corpus.train)
        time_training(corpus, folder)


def write_corpus(folder: Path, tokens: int) -> None:
    """Write shards of documents with a long tail of lengths, 300 tokens on average."""
    generator = np.random.default_rng(0)

    def draw(documents: int) -> Tokens:
        sizes_D = np.maximum(1, generator.lognormal(5.2, 1.0, documents).astype(np.int64))
        count = int(sizes_D.sum())
        return Tokens(
            doc_ids=[str(number) for number in range(documents)],
            sources=[""] * documents,
            offsets_D1=np.append(0, np.cumsum(sizes_D)),
            ids_N=generator.integers(0, VOCAB, count).astype(np.uint16),
            weights_N=generator.random(count, np.float32),
            reasons_N=np.zeros(count, np.uint8),
        )

    batches = max(1, tokens // (300 * BATCH_DOCUMENTS * SHARDS))
    for split, shards in (("train", SHARDS), ("validation", 1)):
        info = ShardInfo("0" * 64, VOCAB, 0, split, "none")
        for number in range(shards):
            path = folder / f"{split}-{number:05d}.arrow"
            write_shard(path, info, (draw(BATCH_DOCUMENTS) for _ in range(batches)))


def print_speeds(stream: Stream) -> None:
    """Print tokens per CPU-second of the loader and of the floor, for each packing."""
    table = Table(title=f"loading {BATCH_TOKENS:,} targets of {stream.tokens:,} tokens")
    for column in (
        "packing",
        "context",
        "padding",
        "loader, M tokens/CPU-s",
        "floor",
        "speed / floor",
    ):
        table.add_column(column, justify="left" if column == "packing" else "right")
    for rule, context in itertools.product(RULES, (128, 1024)):
        packing = pack(stream, rule, context)
        loader = Loader(stream, packing, BATCH_TOKENS // context, 0)
        padding = packing.summary(stream).padding_share
        ours, floor = measure(loader)
        speeds = [f"{BATCH_TOKENS / seconds / 1e6:.1f}" for seconds in (ours, floor)]
        table.add_row(rule, str(context), f"{padding:.4%}", *speeds, f"{floor / ours:.2f}")
    Console(width=100).print(table)


def measure(loader: Loader) -> tuple[float, float]:
    """Return median CPU seconds of loading a batch and of the floor, a new batch each round."""
    ids_N = np.concatenate([segment.ids_N for segment in loader.stream.segments])
    weights_N = np.concatenate([segment.weights_N for segment in loader.stream.segments])
    times: list[tuple[float, float]] = []
    for step in range(ROUNDS + 1):
        targets_BxT = index_targets(loader, loader.load(step))
        inputs_BxT = np.maximum(targets_BxT - 1, 0)

        def gather(inputs: np.ndarray = inputs_BxT, targets: np.ndarray = targets_BxT) -> object:
            ids = ids_N[inputs].astype(np.int64), ids_N[targets].astype(np.int64)
            return *ids, weights_N[targets]

        times.append((clock(partial(loader.load, step)), clock(gather)))
    ours, floor = zip(*times[1:], strict=True)
    return median(ours), median(floor)


def index_targets(loader: Loader, batch: Batch) -> np.ndarray:
    """Return the position in the stream of each target of a batch, 0 at padding."""
    index_BxT = np.zeros(tuple(batch.targets_BxT.shape), np.int64)
    pieces = loader.packing.select(batch.rows_B)
    for start, size, place in zip(*(column.tolist() for column in pieces), strict=True):
        index_BxT.reshape(-1)[place : place + size] = np.arange(start, start + size)
    return index_BxT


def clock(function: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def time_training(corpus: Corpus, folder: str) -> None:
    """Print what loading adds to training steps on one CPU thread."""
    config = resolve(TrainConfig(shards=folder, threads=1, device="cpu"), ALONE)
    prepare(config)
    state = build_state(config, VOCAB)
    compute = build_loss_function(state.model, None, config, ALONE)
    context = config.model.context
    loader = Loader(corpus.train, pack(corpus.train, "stream", context), config.batch, 0)
    cached = loader.load(0)

    def train(batches: Iterable[Batch]) -> None:
        for batch in batches:
            update(state, batch, batch.targets, compute)

    def train_prefetched() -> None:
        with prefetching(loader.load, 0, STEPS) as batches:
            train(batches)

    arms: dict[str, Callable[[], object]] = {
        "one cached batch": lambda: train([cached] * STEPS),
        "loading in line": lambda: train(map(loader.load, range(STEPS))),
        "prefetching": train_prefetched,
        "loading alone": lambda: list(map(loader.load, range(STEPS))),
    }
    times = interleave(arms, ROUNDS // 4)
    share = median(ratios(times, "loading alone", "one cached batch"))
    title = f"{STEPS} steps of {cached.targets} targets, one thread; loading is {share:.3%} of them"
    print_times(title, times, "one cached batch")


if __name__ == "__main__":
    main()
