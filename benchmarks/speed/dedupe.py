"""Near-duplicate removal against datatrove, from file to file.

python -m benchmarks.speed.dedupe CORPUS [MB_DATATROVE MB_ASSAY]    CORPUS as for `assay curate`

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
from functools import partial
from pathlib import Path

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

from benchmarks.speed.clean import WORKERS, Arms, compare_runs, curate_files
from pipelines.engine.logs import quiet_beam
from pipelines.settings import CurateSettings, DedupeSettings, EditSettings, RuleSettings

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


def main() -> None:
    """Print MB a second of both, and the ratio."""
    quiet_beam()
    path = sys.argv[1]
    sizes = (float(sys.argv[2]), float(sys.argv[3])) if len(sys.argv) > 3 else (8.0, 300.0)
    arms: Arms = {
        "datatrove": (run_theirs, sizes[0]),
        "assay": (partial(curate_files, SETTINGS), sizes[1]),
    }
    with tempfile.TemporaryDirectory() as name:
        compare_runs("near-duplicate removal", path, Path(name), arms)


if __name__ == "__main__":
    main()
