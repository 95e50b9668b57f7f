"""Time and peak memory of `assay curate`, all its processes together, on corpora of several sizes.

python -m benchmarks.speed.memory CORPUS... [--recipe NAME] [--curate]    CORPUS as for `assay`

With --curate a run is ended when its documents are written: reading, cleaning and dedupe alone.
What counts is proportional set size: pages that processes share are counted once, and mapped files
count while they are in memory. It is read four times a second.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from pipelines.work.units import plan

INTERVAL = 0.25  # seconds
WORKERS = 2


def measure_tree(pid: int) -> int:
    """Return the bytes of a process and its children, 0 when it is gone."""
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        return sum(map(measure_one, [root, *root.children(recursive=True)]))
    return 0


def measure_one(process: psutil.Process) -> int:
    """Return a process's proportional set size, 0 when it is gone."""
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0


def watch(corpus: str, recipe: str, out: Path, whole: bool) -> tuple[int, float]:
    """Curate a corpus; return the peak in bytes and the seconds it took."""
    command = [str(Path(sys.executable).parent / "assay"), "curate", corpus]
    options = ["--out", str(out), "--recipe", recipe, "--workers", str(WORKERS)]
    start = time.monotonic()
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    curated = out / "stages" / "curate.json"
    while process.poll() is None and (whole or not curated.exists()):
        peak = max(peak, measure_tree(process.pid))
        time.sleep(INTERVAL)
    seconds = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"curating {corpus} failed with {process.returncode}")
    process.terminate()
    process.wait()
    return peak, seconds


def main() -> None:
    """Print size, time and peak of each corpus, and the ratios to the first."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.speed.memory")
    options.add_argument("corpora", nargs="+")
    options.add_argument("--recipe", default="gopher")
    options.add_argument("--curate", action="store_true")
    given = options.parse_args()
    what = "documents of `assay curate`" if given.curate else "`assay curate`"
    table = Table(title=f"{what}, {WORKERS} workers, recipe {Path(given.recipe).stem}")
    for column in ("corpus", "MB of text", "s", "s a MB", "ratio", "peak MB", "ratio"):
        table.add_column(column, justify="left" if column == "corpus" else "right")
    first: tuple[float, float] | None = None
    for corpus in given.corpora:
        size = sum(piece.size for unit in plan([corpus]).units for piece in unit.slices) / 1e6
        with tempfile.TemporaryDirectory() as folder:
            peak, seconds = watch(corpus, given.recipe, Path(folder, "run"), not given.curate)
        pace = seconds / size
        first = first or (pace, peak)
        table.add_row(
            Path(corpus).name,
            f"{size:.0f}",
            f"{seconds:.0f}",
            f"{pace:.3f}",
            f"{pace / first[0]:.2f}",
            f"{peak / 1e6:.0f}",
            f"{peak / first[1]:.2f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
