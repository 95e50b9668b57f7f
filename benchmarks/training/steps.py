"""Steps of our loop against a plain loop, weighted against plain, loader against a cached batch.

python -m benchmarks.training.steps [RUN] [--field=value ...]    RUN has shards; default runs/demo

Each arm is a process of its own, since memory settings are a process's: all are started, then they
take turns of a step. With `--threads=1` CPU seconds are compared, which other work on the machine
disturbs less than wall time; with more threads they would count waiting. `plain-loop` is a minimal
loop of stock PyTorch modules: the same model with the same parameters, random windows from one
array, mean cross entropy, fused AdamW. It does not log, which ours does after every step here, and
does not checkpoint, check for NaN or listen to signals.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.interleave import print_times
from trainer.config.flat import override, parse_value
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data import loader
from trainer.data.corpus import open_corpus
from trainer.machine.matmul_rate import measure_matmul
from trainer.machine.process_group import ALONE
from trainer.machine.resources import autocast, resolve
from trainer.models import build_model
from trainer.run.train import train

STEPS = 1  # of a turn: short ones meet the same weather
ROUNDS = 60
ENDLESS = 10**6
DEFAULTS: dict[str, Any] = {"layers": 4, "width": 256, "heads": 4, "context": 256, "batch": 8}
ARMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weighted": {"objective": "weighted"},
    "cached-batch": {},
    "chunked": {"objective": "weighted", "ce_chunk": 512},
    "plain-loop": {},
}


class PlainBlock(nn.Module):
    """What trainer.models.gpt does, as one would write it down."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.mlp_input = nn.Linear(width, 4 * width, bias=False)
        self.mlp_output = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Attention, then the MLP."""
        q, k, v = (
            part.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for part in self.qkv(self.attention_norm(x)).chunk(3, dim=-1)
        )
        q, k = (turn(F.rms_norm(part, (part.shape[-1],)), cos, sin) for part in (q, k))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(x.shape))
        widened: Tensor = self.mlp_output(F.relu(self.mlp_input(self.mlp_norm(x))).square())
        return x + widened


class PlainGPT(nn.Module):
    """The same model from stock modules."""

    def __init__(self, config: TrainConfig, vocab: int) -> None:
        super().__init__()
        shape = config.model
        self.embedding = nn.Embedding(vocab, shape.width)
        self.blocks = nn.ModuleList(
            PlainBlock(shape.width, shape.heads) for _ in range(shape.layers)
        )
        self.norm = nn.RMSNorm(shape.width)
        self.head = nn.Linear(shape.width, vocab, bias=False)
        size = shape.width // shape.heads
        speeds = 10_000.0 ** -(torch.arange(0, size, 2) / size)
        angles = torch.outer(torch.arange(shape.context), speeds).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss."""
        x = self.embedding(ids)
        x = F.rms_norm(x, (x.shape[-1],))
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate pairs (i, i + D/2)."""
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x) + torch.cat([-second, first], dim=-1) * sin.to(x)


def run_plain_loop(wanted: TrainConfig, pause: Callable[[], None]) -> None:
    """Train the way of the shortest training scripts."""
    config = resolve(wanted, ALONE)
    torch.set_num_threads(config.threads)
    corpus = open_corpus(config.shards)
    ids = np.concatenate([segment.ids_N for segment in corpus.train.segments])
    context, generator = config.model.context, np.random.default_rng(0)
    model = PlainGPT(config, corpus.info.vocab_size).to(config.device)
    compute = torch.compile(model) if config.compile == "on" else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), fused=True)
    for step in range(ENDLESS):
        starts = generator.integers(0, len(ids) - context - 1, config.batch)
        rows = np.stack([ids[start : start + context + 1] for start in starts]).astype(np.int64)
        batch = torch.from_numpy(rows).to(config.device)
        with autocast(config):
            loss = compute(batch[:, :-1], batch[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % STEPS == 0:
            loss.item()
            pause()


def run_ours(name: str, config: TrainConfig, pause: Callable[[], None]) -> None:
    """Train as `trainer train` does; a turn ends where a row is reported."""
    if name == "cached-batch":
        load = loader.Loader.load
        kept: list[loader.Batch] = []

        def load_once(self: loader.Loader, step: int) -> loader.Batch:
            kept.append(kept[0] if kept else load(self, step))
            return kept.pop()

        loader.Loader.load = load_once  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder) / name, lambda _: pause())


def check_same_model(config: TrainConfig) -> None:
    """Fail where the plain loop's model is not ours: the comparison would mean nothing."""
    ours = build_model(config.model, 64, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(0.0, 0.1, generator=generator)
    plain = PlainGPT(config, 64)
    state = {name.replace(".attention.", "."): value for name, value in ours.state_dict().items()}
    plain.load_state_dict(state, strict=False)
    ids = torch.randint(64, (2, config.model.context + 1), generator=generator)
    loss = F.cross_entropy(ours(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    torch.testing.assert_close(plain(ids[:, :-1], ids[:, 1:]), loss)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (ours, plain)]
    assert sizes[0] == sizes[1]


def play_arm(name: str, values: dict[str, Any]) -> None:
    """Be one arm: a line on standard input starts a turn, a line out says its seconds."""
    clock = time.process_time if values.get("threads") == 1 else time.perf_counter
    began = 0.0

    def pause() -> None:
        nonlocal began
        sys.stdout.write(f"{clock() - began}\n")
        sys.stdout.flush()
        if not sys.stdin.readline():
            raise SystemExit
        began = clock()

    fixed = {"steps": ENDLESS, "log_every": STEPS, "eval_every": ENDLESS, "save_every": ENDLESS}
    config = override(TrainConfig(), {**values, **fixed, **ARMS[name]})
    if name == "plain-loop":
        run_plain_loop(config, pause)
    else:
        run_ours(name, config, pause)


def start_arm(name: str, values: dict[str, Any]) -> "subprocess.Popen[str]":
    """Start an arm and let it warm up."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.training.steps", "--arm", name, json.dumps(values)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()  # the first turn: compiling, first touches
    take_turn(process)
    return process


def main(arguments: Sequence[str]) -> None:
    """Let the arms take turns, and print their times."""
    fields = [text[2:].split("=") for text in arguments if text.startswith("--")]
    run = next((text for text in arguments if not text.startswith("--")), "runs/demo")
    given = {name: parse_value(name, value) for name, value in fields}
    values = {**DEFAULTS, "shards": f"{run}/shards", **given}
    config = resolve(override(TrainConfig(), values), ALONE)
    check_same_model(config)
    processes = {name: start_arm(name, values) for name in ARMS}
    times: dict[str, list[float]] = {name: [] for name in ARMS}
    for number in range(ROUNDS):
        # Backwards every other round: what drifts then favours nobody.
        for name in sorted(ARMS, reverse=number % 2 == 1):
            times[name].append(take_turn(processes[name]))
    for process in processes.values():
        process.kill()
    report(config, times)


def take_turn(process: "subprocess.Popen[str]") -> float:
    """Start a turn and return its seconds."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def report(config: ResolvedConfig, times: dict[str, list[float]]) -> None:
    """Print the table."""
    tokens = STEPS * config.batch * config.model.context
    corpus = open_corpus(config.shards)
    model = build_model(config.model, corpus.info.vocab_size, 0)
    flops = model.flops_per_token(config.model.context)
    torch.set_num_threads(config.threads)
    rate = measure_matmul(config.device, config.precision)
    speed = tokens / median(times["plain"])
    print_times(
        f"a step of {tokens // STEPS} targets; plain {speed:,.0f} tokens/s, "
        f"{speed * flops / rate:.0%} of {rate / 1e9:,.0f} GFLOP/s; {config.precision}, compile "
        f"{config.compile}, {config.threads} threads",
        times,
        "plain",
    )
    print_times("the same against the plain loop", times, "plain-loop")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--arm"]:
        play_arm(sys.argv[2], json.loads(sys.argv[3]))
    else:
        main(sys.argv[1:])
