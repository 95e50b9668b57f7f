"""Start-up of `assay query` and `assay --help`, beside bare DuckDB and bare typer.

python -m benchmarks.speed.query RUN [--rounds 10] [--before CHECKOUT]

Every arm is a process of its own, and the arms take turns. RUN is a finished run whose database is
up to date; with --before, the same commands by the code of another checkout, on a copy of the run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

BARE = {
    "python": "pass",
    "bare typer": "import typer",
    "bare DuckDB": "import duckdb; print(duckdb.connect().execute('SELECT 1').fetchall())",
}
QUERIES = {"tables": "SELECT 1", "shards": "SELECT count(*) FROM shards"}


@dataclass(frozen=True)
class Cost:
    """What processes took: wall and CPU seconds, and MB of memory at their highest."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def add(self, command: list[str], root: str) -> None:
        """Run a command once, by the code of a checkout, and keep what it took."""
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=root, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": root}
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        self.peak.append(usage.ru_maxrss / 1024)


def list_arms(run: Path, before: Path | None, copy: Path) -> dict[str, tuple[list[str], str]]:
    """Return commands by name, each with the checkout whose code it runs."""
    here = str(Path(__file__).resolve().parents[2])
    arms = {name: ([sys.executable, "-c", code], here) for name, code in BARE.items()}
    checkouts = [("", here, run.absolute())]
    if before:
        checkouts.append((", before", str(before), copy))
    for label, root, folder in checkouts:
        command = [sys.executable, "-m", "flows"]
        arms[f"assay --help{label}"] = ([*command, "--help"], root)
        for name, sql in QUERIES.items():
            arms[f"assay query, {name}{label}"] = ([*command, "query", str(folder), sql], root)
    return arms


def main() -> None:
    """Print the median and the range of every arm."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.speed.query")
    options.add_argument("run", type=Path)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--before", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "run")
        if given.before:
            shutil.copytree(given.run, copy)
        arms = list_arms(given.run, given.before, copy)
        costs = {name: Cost() for name in arms}
        for number in range(given.rounds + 1):
            for name, (command, root) in arms.items():
                (costs[name] if number else Cost()).add(command, root)  # the first builds catalogs
    table = Table(title=f"{given.rounds} rounds: median (least to most)")
    table.add_column("arm")
    for title in ("wall s", "CPU s", "peak MB"):
        table.add_column(title, justify="right")
    for name, cost in costs.items():
        cells = [(cost.wall, 2), (cost.cpu, 2), (cost.peak, 0)]
        table.add_row(name, *(_describe(values, digits) for values, digits in cells))
    Console(width=100).print(table)


def _describe(values: list[float], digits: int) -> str:
    numbers = (median(values), min(values), max(values))
    middle, least, most = (f"{number:.{digits}f}" for number in numbers)
    return f"{middle} ({least} to {most})"


if __name__ == "__main__":
    main()
