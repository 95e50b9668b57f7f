"""GPT, LSTM and Mamba-2 of one size on the same tokens: validation loss and speed.

python -m benchmarks.quality.architectures RUN OUT [--field=value ...]

RUN has shards; OUT gets the runs, and running again goes on where it was. Fields are those of
`trainer train`, for all architectures; width is the GPT's, and the others get the width that comes
closest to its number of parameters, at most 1 % off.

Each architecture trains with its own best rate of RATES, by the validation loss of one run with
TUNING_SEED. Then one run of each architecture takes turns, seed by seed; means with 95 % intervals
are over SEEDS, the tokens of a seed are the same for all.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from trainer.compare.ablate import ablate
from trainer.compare.intervals import Interval
from trainer.compare.planning import AblationConfig
from trainer.compare.results import AblationResults
from trainer.config.flat import override, parse_value
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.data.corpus import open_corpus
from trainer.machine.resources import count_cores
from trainer.models import build_model, count_parameters
from weighting.errors import AssayError

# Layers for one of GPT's. A block of Mamba-2 is half the size of one that has an MLP as well; an
# LSTM is slow by its depth and strong by its width.
DEPTHS = {"gpt": 1.0, "lstm": 0.5, "mamba2": 2.0}
TOLERANCE = 0.01
RATES = (2e-3, 4e-3, 8e-3, 16e-3)
TUNING_SEED = 1000
SEEDS = (0, 1, 2)
DEFAULTS: Mapping[str, Any] = {
    "layers": 4,
    "width": 128,
    "heads": 4,
    "context": 256,
    "batch": 8,
    "steps": 1000,
    "eval_every": 10**6,
    "save_every": 10**6,
}

Overrides = dict[str, dict[str, Any]]


def match_size(architecture: str, base: ModelConfig, vocab_size: int) -> ModelConfig:
    """Return the architecture's config of the width that has closest to `base`'s parameters.

    Raises:
        AssayError: the closest is more than TOLERANCE off.
    """
    if architecture == base.architecture:
        return base
    layers = max(1, round(DEPTHS[architecture] * base.layers))
    fitting = replace(base, architecture=architecture, layers=layers)
    wanted = count_parameters(base, vocab_size)

    def miss(config: ModelConfig) -> int:
        return abs(count_parameters(config, vocab_size) - wanted)

    best = min(list_widths(fitting), key=miss)
    if miss(best) > TOLERANCE * wanted:
        raise AssayError(
            f"{architecture}: no width of {layers} layers has {wanted} parameters; try other "
            "layers or heads"
        )
    return best


def list_widths(config: ModelConfig) -> Iterator[ModelConfig]:
    """Yield the config at every width that its heads allow, up to four times its own."""
    for width in range(1, 4 * config.width + 1):
        with suppress(AssayError):
            yield replace(config, width=width)


def find_rates(base: TrainConfig, arms: Overrides, out: Path) -> dict[str, dict[str, float]]:
    """Return the validation loss of every architecture at every rate."""
    trials = {f"{name}-{rate:g}": arms[name] | {"lr": rate} for name in arms for rate in RATES}
    results = ablate(AblationConfig(out, base, trials, (TUNING_SEED,), jobs=1))
    losses = {arm.name: arm.validation_nll.mean for arm in results.arms if arm.validation_nll}
    return {
        name: {rate: losses[f"{name}-{rate}"] for rate in map("{:g}".format, RATES)}
        for name in arms
    }


def show(interval: Interval | None, digits: int, sign: str = "") -> str:
    """Write a mean and the half-width of its interval."""
    if interval is None:
        return ""
    half = interval.half_width_95 or 0.0
    return f"{interval.mean:{sign},.{digits}f} ± {half:,.{digits}f}"


def tabulate(models: Mapping[str, ModelConfig], results: AblationResults, vocab: int) -> Table:
    """Return a row an architecture."""
    table = Table(box=SIMPLE)
    columns = ("shape", "parameters", "validation loss", "- gpt", "tokens/s", "MFLOP/token")
    for column in ("architecture", *columns):
        table.add_column(column, justify="left" if column == "architecture" else "right")
    for name, config in models.items():
        arm, pair = results.find_arm(name), results.find_pair(name, results.baseline)
        flops = build_model(config, vocab, 0).flops_per_token(config.context)
        table.add_row(
            name,
            f"{config.layers} x {config.width}",
            f"{count_parameters(config, vocab):,}",
            show(arm.validation_nll, 4),
            show(pair.primary if pair else None, 4, "+"),
            show(arm.tokens_per_second, 0),
            f"{flops / 1e6:.1f}",
        )
    return table


def main(arguments: Sequence[str]) -> None:
    """Tune, train, and print the tables."""
    paths = [Path(text) for text in arguments if not text.startswith("--")]
    if len(paths) != 2:
        raise AssayError("give two folders: one that has shards, and one for the runs")
    fields = [text[2:].split("=", 1) for text in arguments if text.startswith("--")]
    given = {name: parse_value(name, value) for name, value in fields}
    machine = {"shards": str(paths[0] / "shards"), "threads": count_cores()}
    base = override(TrainConfig(), {**DEFAULTS, **machine, **given})
    vocab = open_corpus(base.shards).info.vocab_size
    models = {name: match_size(name, base.model, vocab) for name in DEPTHS}
    arms: Overrides = {
        name: {"architecture": name, "layers": config.layers, "width": config.width}
        for name, config in models.items()
    }
    losses = find_rates(base, arms, paths[1] / "rates")
    for name, by_rate in losses.items():
        arms[name]["lr"] = float(min(by_rate, key=by_rate.__getitem__))
    results = ablate(AblationConfig(paths[1] / "arms", base, arms, SEEDS, jobs=1))
    report(models, losses, results, vocab)


def report(
    models: Mapping[str, ModelConfig],
    losses: Mapping[str, Mapping[str, float]],
    results: AblationResults,
    vocab: int,
) -> None:
    """Print what was compared, and how the rates were chosen."""
    console = Console(width=110)
    console.print(f"{results.tokens:,} tokens, seeds {', '.join(map(str, SEEDS))}")
    console.print(tabulate(models, results, vocab))
    for name, by_rate in losses.items():
        trials = ", ".join(f"{rate}: {loss:.4f}" for rate, loss in by_rate.items())
        console.print(f"{name}, validation loss by lr of a run with seed {TUNING_SEED}: {trials}")
    for verdict in results.verdicts:
        console.print(verdict)
    console.print("python -m benchmarks.quality.architectures " + " ".join(sys.argv[1:]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except AssayError as error:
        sys.exit(str(error))
