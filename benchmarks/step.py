"""A weighted training step against a plain one: same model, same batch.

python -m benchmarks.step [RUN]    RUN has shards; default runs/demo
"""

import sys
from pathlib import Path

import torch

from benchmarks.interleave import interleave, print_times
from trainer.config import TrainConfig
from trainer.corpus import open_corpus
from trainer.data import Loader
from trainer.machine import prepare, settle
from trainer.model import build_model
from trainer.objectives import OBJECTIVES, token_nll
from trainer.optim import build_optimizer

ROUNDS = 30


def main() -> None:
    """Time one update of each objective in turn."""
    run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/demo")
    config = settle(TrainConfig(shards=str(run / "shards"), steps=100))
    prepare(config)
    corpus = open_corpus(config.shards)
    model = build_model(config.model, corpus.info.vocab_size, 0)
    optimizer = build_optimizer(model, config)
    loader = Loader(corpus.train, config.model.context, config.batch, 0)
    batch = loader.load(0)

    def step(objective: str) -> None:
        nll = token_nll(model(batch.inputs_BxT), batch.targets_BxT)
        OBJECTIVES[objective](nll, batch.weights_BxT, batch.targets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad()

    arms = {name: (lambda name=name: step(name)) for name in OBJECTIVES}
    arms["loading a batch"] = lambda: loader.load(1)
    times = interleave(arms, ROUNDS)
    tokens = batch.targets / sorted(times["plain"])[ROUNDS // 2]
    print_times(
        f"one step of {batch.targets} targets; plain {tokens:,.0f} tokens/s", times, "plain"
    )


if __name__ == "__main__":
    main()
