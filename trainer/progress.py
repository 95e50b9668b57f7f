"""What a user sees while training: a bar on a terminal, fixed columns elsewhere, or JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from trainer.metrics import Report, Row

Steps = Callable[[int, int], None]  # (steps done, steps in all), over all runs

TITLES = "    step       tokens      loss       nll        lr      norm  tokens/s\n"
COLUMNS = (
    "{step:>8} {tokens:>12} {loss:>9.4f} {nll:>9.4f} {lr:>9.2e} {grad_norm:>9.3f} "
    "{tokens_per_second:>9.0f}\n"
)


def reporting(steps: int, *, as_json: bool) -> AbstractContextManager[Report]:
    """Return the report of one run that suits where standard output goes."""
    if as_json:
        return json_lines()
    return bar(steps) if sys.stdout.isatty() else lines()


@contextmanager
def bar(steps: int) -> Iterator[Report]:
    """Show a bar with loss, speed and time left; evaluations are printed above it."""
    with _progress("{task.fields[state]}") as progress:
        task = progress.add_task("train", total=steps, state="")

        def report(row: Row) -> None:
            if "loss" in row:
                state = f"loss {row['loss']:.4f}  {row['tokens_per_second']:,.0f} tokens/s"
                progress.update(task, completed=row["step"], state=state)
            else:
                progress.console.print(format_evaluation(row), highlight=False)

        yield report


@contextmanager
def lines() -> Iterator[Report]:
    """Write one line of fixed columns a row."""
    sys.stdout.write(TITLES)

    def report(row: Row) -> None:
        if "loss" in row:
            sys.stdout.write(COLUMNS.format(**row))
        else:
            sys.stdout.write(format_evaluation(row) + "\n")
        sys.stdout.flush()

    yield report


@contextmanager
def json_lines() -> Iterator[Report]:
    """Write every row as one line of JSON."""

    def report(row: Row) -> None:
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()

    yield report


@contextmanager
def counting_steps() -> Iterator[Steps]:
    """Show the steps of all runs together: a bar on a terminal, a line each tenth elsewhere."""
    console = Console(stderr=True)
    if console.is_terminal:
        with _progress("all runs", console) as progress:
            task = progress.add_task("ablate")
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    shown = -1

    def report(done: int, total: int) -> None:
        nonlocal shown
        if 10 * done // total > shown:
            shown = 10 * done // total
            console.print(f"steps {done:,} of {total:,}", highlight=False)

    yield report


def format_evaluation(row: Row) -> str:
    """Return one line about an evaluation."""
    text = f"step {row['step']}: validation {row['validation_nll']:.4f} nats/token"
    if "bits_per_byte" in row:
        text += f", {row['bits_per_byte']:.4f} bits/byte"
    return text


def _progress(label: str, console: Console | None = None) -> Progress:
    return Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
