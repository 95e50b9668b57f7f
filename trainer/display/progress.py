"""What a user sees while training: a panel on a terminal, columns elsewhere, or JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from trainer.display.panel import RunPanel
from trainer.run.metrics import Evaluation, Metrics, Report, Row

Steps = Callable[[int, int], None]  # (steps done, steps in all), over all runs

TITLES = "    step       tokens      loss       nll        lr      norm  tokens/s  matmul\n"
COLUMNS = (
    "{step:>8} {tokens:>12} {loss:>9.4f} {nll:>9.4f} {lr:>9.2e} {grad_norm:>9.3f} "
    "{tokens_per_second:>9.0f} {share:>7}\n"
)
DRAWS_PER_SECOND = 1


def reporting(
    steps: int, *, as_json: bool, earlier: Sequence[Row] = ()
) -> AbstractContextManager[Report]:
    """Return the report of one run that suits where standard output goes.

    `earlier` is what the run wrote before it was interrupted; only the panel shows it.
    """
    if as_json:
        return json_lines()
    console = Console()
    # A dumb terminal cannot move its cursor: a panel would show only at the end.
    if sys.stdout.isatty() and not console.is_dumb_terminal:
        return panel(RunPanel(steps), console, earlier)
    return lines()


@contextmanager
def panel(state: RunPanel, console: Console, earlier: Sequence[Row] = ()) -> Iterator[Report]:
    """Show a panel that follows the rows; its last state stays where there was a new one."""
    for row in earlier:
        state.remember(row)
    with Live(state, console=console, refresh_per_second=DRAWS_PER_SECOND) as live:
        try:
            yield state.add
        finally:
            live.transient = not state.is_live


@contextmanager
def lines() -> Iterator[Report]:
    """Write one line of fixed columns a row."""
    sys.stdout.write(TITLES)
    sys.stdout.flush()  # before the first row, which may be minutes away

    def report(row: Row) -> None:
        if isinstance(row, Metrics):
            share = "-" if row.matmul_share is None else f"{row.matmul_share:.1%}"
            sys.stdout.write(COLUMNS.format(**asdict(row), share=share))
        else:
            sys.stdout.write(format_evaluation(row) + "\n")
        sys.stdout.flush()

    yield report


@contextmanager
def json_lines() -> Iterator[Report]:
    """Write every row as one line of JSON."""

    def report(row: Row) -> None:
        sys.stdout.write(json.dumps(asdict(row)) + "\n")
        sys.stdout.flush()

    yield report


@contextmanager
def counting_steps(label: str = "") -> Iterator[Steps]:
    """Show the steps of all runs together: a bar on a terminal, a line each tenth elsewhere."""
    console = Console(stderr=True)
    if sys.stderr.isatty():  # settings that force colours make no terminal of a log
        with _progress(label or "all runs", console) as progress:
            task = progress.add_task("ablate")
            yield lambda done, total: progress.update(task, completed=done, total=total)
        return
    shown, begins = -1, f"{label}: " if label else ""

    def report(done: int, total: int) -> None:
        nonlocal shown
        if 10 * done // total > shown:
            shown = 10 * done // total
            console.print(f"{begins}steps {done:,} of {total:,}", highlight=False)

    yield report


def format_evaluation(row: Evaluation) -> str:
    """Return one line about an evaluation."""
    text = f"step {row.step}: validation {row.validation_nll:.4f} nats/token"
    if row.bits_per_byte is not None:
        text += f", {row.bits_per_byte:.4f} bits/byte"
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
