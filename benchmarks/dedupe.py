"""Near-duplicate removal against datatrove, from file to file.

python -m benchmarks.dedupe CORPUS [MB_DATATROVE MB_ASSAY]    CORPUS as for `assay curate`

Both sides read JSON lines, sign every document (5-word shingles, 14 bands of 8 hashes of 64 bits),
find copies, cluster them and write the documents that stay. Here every pair is also compared
exactly, and the dropped documents, the ledger and the index are written too. datatrove runs its
four stages one after the other. No rule is enforced on either side. The arms take turns; each has
its own amount of the same text, because one is too slow for what the other needs to outweigh its
fixed start.
"""

import gzip
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
import xxhash
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from rich.console import Console
from rich.table import Table

from benchmarks.clean import measure_wall, read_corpus, write_files
from pipelines.curate import curate
from pipelines.engine import Engine
from pipelines.logs import quiet_beam
from pipelines.settings import CurateSettings, DedupeSettings, EditSettings, Job, RuleSettings
from pipelines.units import plan
from pipelines.work import Work

ROUNDS = 3
WORKERS = 2
BUCKETS = 14
SETTINGS = CurateSettings(
    edit=EditSettings(repair=False),
    rules=RuleSettings(families=("length",)),
    dedupe=DedupeSettings(passages=None),
)


class Signature(MinhashDedupSignature):
    """datatrove's first stage; it hands xxhash a string, which versions from 4 on refuse."""

    def get_shingles(self, text: str) -> object:
        """Return the shingles, hashed as before that version."""
        self._hash_func = lambda gram: xxhash.xxh64_intdigest(gram.encode())
        return super().get_shingles(text)


def run_theirs(folder: Path, out: Path) -> int:
    """Run datatrove's four stages; return the documents it keeps."""
    shutil.rmtree(out, ignore_errors=True)
    signatures, pairs, removals = (str(out / name) for name in ("signatures", "pairs", "removals"))
    stages = (
        ([JsonlReader(str(folder)), Signature(signatures)], WORKERS),
        ([MinhashDedupBuckets(signatures, pairs)], BUCKETS),
        ([MinhashDedupCluster(pairs, removals)], 1),
        (
            [
                JsonlReader(str(folder)),
                MinhashDedupFilter(removals),
                JsonlWriter(str(out / "kept")),
            ],
            WORKERS,
        ),
    )
    for number, (steps, tasks) in enumerate(stages):
        logs = str(out / "logs" / str(number))
        LocalPipelineExecutor(steps, tasks=tasks, workers=WORKERS, logging_dir=logs).run()
    files = (out / "kept").glob("*.jsonl.gz")
    return sum(len(gzip.decompress(file.read_bytes()).splitlines()) for file in files)


def run_ours(folder: Path, out: Path) -> int:
    """Run the curate job on the same files; return the documents it keeps."""
    shutil.rmtree(out, ignore_errors=True)
    job = Job(out, Work(out / "units"))
    curate(plan([str(folder)]).units, SETTINGS, job, Engine(WORKERS))
    return sum(pq.read_metadata(file).num_rows for file in (out / "documents").iterdir())


def main() -> None:
    """Print MB a second of both, and the ratio."""
    quiet_beam()
    path = sys.argv[1]
    sizes = (float(sys.argv[2]), float(sys.argv[3])) if len(sys.argv) > 3 else (8.0, 300.0)
    arms: Mapping[str, tuple[Callable[[Path, Path], int], float]] = {
        "datatrove": (run_theirs, sizes[0]),
        "assay": (run_ours, sizes[1]),
    }
    speeds: dict[str, list[float]] = {name: [] for name in arms}
    table = Table(title=f"near-duplicate removal, {WORKERS} processes, {Path(path).name}")
    for column in ("run", "MB", "documents", "kept", "MB/s"):
        table.add_column(column, justify="left" if column == "run" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = {arm: read_corpus(path, size) for arm, (_, size) in arms.items()}
        megabytes = {arm: sum(len(t.encode()) for t in some) / 1e6 for arm, some in texts.items()}
        for arm, some in texts.items():
            write_files(some, folder / arm)
        kept = dict.fromkeys(arms, 0)
        for _ in range(ROUNDS):
            for arm, (work, _) in arms.items():
                seconds, kept[arm] = measure_wall(
                    lambda work=work, arm=arm: work(folder / arm, folder / f"{arm}-out")
                )
                speeds[arm].append(megabytes[arm] / seconds)
    for arm, values in speeds.items():
        spread = f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
        documents = len(texts[arm])
        table.add_row(arm, f"{megabytes[arm]:.0f}", f"{documents:,}", f"{kept[arm]:,}", spread)
    ratios = [a / b for a, b in zip(speeds["assay"], speeds["datatrove"], strict=True)]
    spread = f"{min(ratios):.0f} to {max(ratios):.0f}"
    table.caption = f"assay / datatrove: {median(ratios):.0f} ({spread})"
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
