"""Interleaved timing: arms run in turn, so that a drifting machine does not favour one."""

import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import TypeVar

from rich.console import Console
from rich.table import Table

Times = dict[str, list[float]]
T = TypeVar("T")


def interleave(
    arms: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Return seconds of each arm by a clock, after one round that is not counted."""
    times: Times = {name: [] for name in arms}
    for number in range(rounds + 1):
        for name, arm in arms.items():
            start = clock()
            arm()
            if number:
                times[name].append(clock() - start)
    return times


def measure(work: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU seconds of this process that some work took, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ratios(times: Times, arm: str, base: str) -> list[float]:
    """Return the arm's time over the base's, round by round."""
    return [a / b for a, b in zip(times[arm], times[base], strict=True)]


def print_times(title: str, times: Times, base: str, megabytes: float | None = None) -> None:
    """Print median seconds, speed, and the ratio to the base: median, least and most."""
    program = Path(sys.argv[0])  # as `python -m` sets it
    module = f"benchmarks.{program.parent.name}.{program.stem}"
    command = " ".join(["python -m", module, *sys.argv[1:]])
    table = Table(title=title, caption=f"{command} on {platform.machine()}")
    for column in ("arm", "seconds", *(["MB/s"] if megabytes else []), f"time / {base}"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for name, values in times.items():
        against = ratios(times, name, base)
        table.add_row(
            name,
            f"{median(values):.3f}",
            *([f"{megabytes / median(values):.1f}"] if megabytes else []),
            f"{median(against):.3f} ({min(against):.3f} to {max(against):.3f})",
        )
    Console(width=100).print(table)
