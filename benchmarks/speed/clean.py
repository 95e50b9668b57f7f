"""Cleaning against datatrove: the filters alone, and whole runs from file to file.

python -m benchmarks.speed.clean CORPUS [MB_DATATROVE MB_ASSAY]    CORPUS as for `assay curate`

Both sides apply the four filters of the FineWeb recipe with the same parameters to the same
documents: Gopher repetition, Gopher quality, C4 (no terminal punctuation rule), FineWeb quality.
datatrove stops at the first rule that drops a document; here every rule gets its value. The arms
take turns. The vocabulary of words is forgotten before every round. Whole runs read JSON lines and
write the kept documents; here also the dropped ones and the ledger. For these each side has its own
amount of text, because one is too slow for what the other needs to outweigh its fixed start.
"""

import gzip
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from rich.console import Console
from rich.table import Table

from benchmarks.corpus import read_corpus
from benchmarks.interleave import measure
from pipelines.curate.job import curate
from pipelines.engine.logs import quiet_beam
from pipelines.engine.runner import Engine
from pipelines.rules.batch import Batch
from pipelines.rules.registry import FAMILIES
from pipelines.rules.rule import list_bounds
from pipelines.settings import CurateSettings, EditSettings, Job, RuleSettings
from pipelines.words import forget_words
from pipelines.work.folder import WorkFolder
from pipelines.work.units import plan

ROUNDS = 3
WORKERS = 2
BATCH = 400  # documents
THEIR_MEGABYTES = 4  # of text a round for datatrove's arms, which take seconds a megabyte
FILES = 16
FAMILY_NAMES = ("gopher_repetition", "gopher_quality", "c4", "fineweb_quality")
RULES = RuleSettings(families=FAMILY_NAMES, compat=True, terminal_punctuation=False)
BOUNDS = {
    rule: bounds
    for name in FAMILY_NAMES
    for rule, bounds in list_bounds(FAMILIES[name].rules).items()
    if rule != "c4_paragraphs" and (bounds.low, bounds.high) != (None, None)
}
SETTINGS = CurateSettings(
    edit=EditSettings(repair=False, line_rules=True), rules=RULES, bounds=BOUNDS, dedupe=None
)


def make_filters() -> Mapping[str, BaseFilter]:
    """Return datatrove's filters in FineWeb's order."""
    return {
        "gopher_repetition": GopherRepetitionFilter(),
        "gopher_quality": GopherQualityFilter(),
        "c4": C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb_quality": FineWebQualityFilter(),
    }


def judge_theirs(texts: list[str], names: tuple[str, ...]) -> list[bool]:
    """Return which texts datatrove's filters keep, one after the other with early exit."""
    filters = [make_filters()[name] for name in names]
    kept = []
    for text in texts:
        document = Document(text=text, id="")
        kept.append(all(step.filter(document) is True for step in filters))
    return kept


def judge_ours(texts: list[str], names: tuple[str, ...]) -> list[bool]:
    """Return which texts the same rules keep here; every rule's value is computed."""
    kept: list[bool] = []
    for start in range(0, len(texts), BATCH):
        some = pa.array(texts[start : start + BATCH], pa.string())
        batch = Batch(some, pa.array(["{}"] * len(some)), RULES, line_rules=len(names) > 1)
        failed = np.zeros(len(some), bool)
        for name in names:
            for rule, values in FAMILIES[name].annotate(batch).items():
                if rule in BOUNDS:
                    failed |= BOUNDS[rule].fails(values)
        kept += (~failed).tolist()
    return kept


def compare_filters(path: str) -> None:
    """Print MB a CPU-second of each family and of all four, here and there."""
    texts = read_corpus(path, THEIR_MEGABYTES)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    judge_ours(texts[:2], FAMILY_NAMES)  # compile
    judge_theirs(texts[:2], FAMILY_NAMES)
    table = Table(title=f"filters on {megabytes:.1f} MB of {Path(path).name}, one process")
    for column in ("rules", "datatrove", "assay", "ratio", "equal decisions"):
        table.add_column(column, justify="left" if column == "rules" else "right")
    for names in (*((name,) for name in FAMILY_NAMES), FAMILY_NAMES):
        theirs, ours, equal = [], [], 0.0
        for _ in range(ROUNDS):
            forget_words()
            seconds, kept_here = measure(partial(judge_ours, texts, names))
            ours.append(megabytes / seconds)
            seconds, kept_there = measure(partial(judge_theirs, texts, names))
            theirs.append(megabytes / seconds)
            equal = np.mean(np.array(kept_here) == np.array(kept_there))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        table.add_row(
            " + ".join(names) if len(names) == 1 else "all four",
            f"{median(theirs):.3f}",
            f"{median(ours):.1f}",
            f"{median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f})",
            f"{equal:.3%}",
        )
    Console(width=100).print(table)


def run_theirs(folder: Path, out: Path) -> int:
    """Run datatrove from file to file; return the documents it keeps."""
    shutil.rmtree(out, ignore_errors=True)
    executor = LocalPipelineExecutor(
        pipeline=[
            JsonlReader(str(folder)),
            *make_filters().values(),
            JsonlWriter(str(out / "kept")),
        ],
        tasks=WORKERS,
        workers=WORKERS,
        logging_dir=str(out / "logs"),
    )
    executor.run()
    files = (out / "kept").glob("*.jsonl.gz")
    return sum(len(gzip.decompress(file.read_bytes()).splitlines()) for file in files)


def curate_files(settings: CurateSettings, folder: Path, out: Path) -> int:
    """Run the curate job on a folder of files; return the documents it keeps."""
    shutil.rmtree(out, ignore_errors=True)
    job = Job(out, WorkFolder(out / "units"))
    curate(plan([str(folder)]).units, settings, job, Engine(WORKERS))
    return sum(pq.read_metadata(file).num_rows for file in (out / "documents").iterdir())


@contextmanager
def silence() -> Iterator[None]:
    """Keep what this process and its children write to stderr from the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def measure_wall(work: Callable[[], int]) -> tuple[float, int]:
    """Return the seconds that some work took, and its result."""
    start = time.perf_counter()
    with silence():
        result = work()
    return time.perf_counter() - start, result


Arms = Mapping[str, tuple[Callable[[Path, Path], int], float]]


def compare_runs(what: str, path: str, folder: Path, arms: Arms) -> None:
    """Print MB a second of whole runs; each side has its own amount of the same corpus.

    An arm is what reads a folder, writes another and returns the documents it keeps, and its MB.
    """
    for name, (_, size) in arms.items():
        write_files(read_corpus(path, size), folder / name)
    sizes = {name: sum(f.stat().st_size for f in (folder / name).iterdir()) / 1e6 for name in arms}
    speeds: dict[str, list[float]] = {name: [] for name in arms}
    kept = dict.fromkeys(arms, 0)
    for _ in range(ROUNDS):
        for name, (work, _) in arms.items():
            seconds, kept[name] = measure_wall(partial(work, folder / name, folder / f"{name}-out"))
            speeds[name].append(sizes[name] / seconds)
    table = Table(title=f"{what}, file to file, {WORKERS} processes, {Path(path).name}")
    for column in ("run", "MB", "documents kept", "MB/s"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for name, values in speeds.items():
        speed = f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
        table.add_row(name, f"{sizes[name]:.0f}", f"{kept[name]:,}", speed)
    ratios = [a / b for a, b in zip(speeds["assay"], speeds["datatrove"], strict=True)]
    spread = f"{min(ratios):.0f} to {max(ratios):.0f}"
    table.caption = f"assay / datatrove: {median(ratios):.0f} ({spread})"
    Console(width=100).print(table)


def write_files(texts: list[str], folder: Path) -> None:
    """Write texts as JSON lines into several files, so that every process has some."""
    folder.mkdir()
    for number in range(FILES):
        with (folder / f"{number:02d}.jsonl").open("wb") as file:
            for text in texts[number::FILES]:
                file.write(orjson.dumps({"id": "x", "text": text}) + b"\n")


def main() -> None:
    """Print both tables."""
    quiet_beam()
    path = sys.argv[1]
    sizes = (float(sys.argv[2]), float(sys.argv[3])) if len(sys.argv) > 3 else (12.0, 300.0)
    compare_filters(path)
    with tempfile.TemporaryDirectory() as name:
        arms: Arms = {
            "datatrove": (run_theirs, sizes[0]),
            "assay": (partial(curate_files, SETTINGS), sizes[1]),
        }
        compare_runs("cleaning", path, Path(name), arms)


if __name__ == "__main__":
    main()
