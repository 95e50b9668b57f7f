"""`trainer train`: train one model, or resume it."""

from pathlib import Path

from trainer.commands.console import open_console, warn
from trainer.config.schema import TrainConfig
from trainer.display.progress import reporting
from trainer.display.tables import print_evaluation
from trainer.machine.process_group import read_ranks
from trainer.run.metrics import Row, read_evaluations, read_metrics
from trainer.run.train import train


def run(config: TrainConfig, out: Path, *, as_json: bool) -> None:
    """Train, and show how it goes: on a terminal, in a pipe, or as JSON lines."""
    if not read_ranks().leads:
        train(config, out)
        return
    earlier: list[Row] = [*read_metrics(out), *read_evaluations(out)]
    with reporting(config.steps, as_json=as_json, earlier=earlier) as report:
        result = train(config, out, report, warn)
    if result is not None and not as_json:
        print_evaluation(result.final, open_console())
