"""The files of a finished run against its manifest: every one that is bad, missing or foreign."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.verify.outputs import OUTPUTS
from weighting.contracts.manifest import FileEntry, find_fault
from weighting.errors import BrokenContract

FOREIGN = "not in the manifest: no output of this run"


class Fault(NamedTuple):
    """A file of a run folder, its path relative to it, and what is wrong with it."""

    path: str
    problem: str


def list_faults(run: Path, files: Sequence[FileEntry], console: Console) -> list[Fault]:
    """Return every fault by path; files are hashed side by side, with a bar of their bytes.

    A file is foreign if it lies in a folder of outputs and the manifest does not name it: what
    reads such a folder would take it for the run's.
    """
    sizes = [_measure(run / entry.path) for entry in files]
    faults = [Fault(path, FOREIGN) for path in list_foreign(run, files)]
    columns = (TextColumn("checksums"), BarColumn(16), DownloadColumn(), TimeRemainingColumn())
    with (
        Progress(
            *columns, console=console, disable=not console.is_terminal, transient=True
        ) as bars,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        task = bars.add_task("", total=sum(sizes))
        found = pool.map(lambda entry: find_fault(run, entry), files)
        for entry, size, problem in zip(files, sizes, found, strict=True):
            bars.advance(task, size)
            if problem:
                faults.append(Fault(entry.path, problem))
    return sorted(faults)


def list_foreign(run: Path, files: Sequence[FileEntry]) -> list[str]:
    """Return the paths of files in folders of outputs that the manifest does not name."""
    named = {entry.path for entry in files}
    found = (path for folder in OUTPUTS for path in (run / folder).rglob("*") if path.is_file())
    return sorted({path.relative_to(run).as_posix() for path in found} - named)


def describe_faults(run: Path, faults: Sequence[Fault], files: int) -> BrokenContract:
    """Return the error that says how many files of a run are wrong."""
    foreign = sum(fault.problem == FOREIGN for fault in faults)
    wrong = len(faults) - foreign
    parts = [f"{wrong} of {files} files are missing or have other bytes"] if wrong else []
    if foreign:
        parts.append(f"{foreign} foreign {'file' if foreign == 1 else 'files'} in its folders")
    return BrokenContract(f"{run}: {' and '.join(parts)}")


def _measure(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it is told of when it is hashed
        return 0
