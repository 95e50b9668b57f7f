"""The results of an ablation and of an evaluation as tables for people."""

from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from trainer.compare.intervals import Interval
from trainer.compare.results import AblationResults
from trainer.run.metrics import Evaluation

NOTHING = "-"


def print_results(results: AblationResults, console: Console) -> None:
    """Print one line an arm, then the verdicts."""
    seeds = max(len(arm.runs) for arm in results.arms.values())
    title = f"{results.tokens:,} tokens a run, {seeds} seeds; mean ± 95 % interval"
    table = Table(box=SIMPLE_HEAD, title=title)
    table.add_column("arm")
    for column in ("validation", "difference", "bits/byte", "rare", "tok/s"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, arm in results.arms.items():
        table.add_row(
            name,
            format_interval(arm.validation_nll),
            format_interval(arm.primary_difference, sign="+"),
            format_mean(arm.bits_per_byte, ".3f"),
            format_mean(arm.nll_low, ".3f"),
            format_mean(arm.tokens_per_second, ",.0f"),
        )
    console.print(table)
    console.print("validation: nats a token; rare: the same on the types that are the rarest 5 %")
    for verdict in results.verdicts:
        console.print(verdict, highlight=False)


def print_evaluation(row: Evaluation, console: Console) -> None:
    """Print every number of an evaluation."""
    table = Table(show_header=False)
    for name, value in asdict(row).items():
        table.add_row(name, format_number(value))
    console.print(table)


def format_number(value: float | None) -> str:
    """Return a loss with four decimals, a count with thousands marked."""
    if value is None:
        return NOTHING
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"


def format_interval(value: Interval | None, sign: str = "") -> str:
    """Return mean ± half-width, the mean alone where one seed gives no interval."""
    if value is None:
        return NOTHING
    mean, half = value.mean, value.half_width_95
    return f"{mean:{sign}.3f}" if half is None else f"{mean:{sign}.3f} ± {half:.3f}"


def format_mean(value: Interval | None, form: str = ".4f") -> str:
    """Return the mean."""
    return NOTHING if value is None else f"{value.mean:{form}}"
