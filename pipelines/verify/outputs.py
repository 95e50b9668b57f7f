"""The manifest's list of a run's files, with checksums computed from the disk."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from weighting.contracts.manifest import FileEntry, describe_file
from weighting.contracts.shards import open_shard
from weighting.vocabulary import CONFIG

OUTPUTS = (
    *("documents", "dropped", "ledger", "quarantine", "contamination", "index"),
    *("reference", "signals", "shards", "stats"),
)


def list_files(run: Path, known: Mapping[str, FileEntry] | None = None) -> list[FileEntry]:
    """Return the manifest's entries of all outputs, checksums computed from the disk.

    `known` are entries of files that are the same as in another run: they are not read again.
    Temporary files that a killed worker left behind are removed.
    """
    for leftover in run.rglob(".*.tmp"):
        if leftover.is_file():
            leftover.unlink()
    paths = [path for folder in OUTPUTS for path in sorted((run / folder).rglob("*"))]
    # Runs of earlier versions have no configuration beside their tokenizer.
    named = [path for path in (run / "tokenizer.json", run / CONFIG) if path.exists()]
    entries = [describe_file(run, path, rows=1) for path in named]
    for path in (path for path in paths if path.is_file()):
        entry = (known or {}).get(path.relative_to(run).as_posix())
        entries.append(entry or _describe(run, path))
    return entries


def _describe(run: Path, path: Path) -> FileEntry:
    if path.suffix == ".parquet":
        return describe_file(run, path, rows=pq.read_metadata(path).num_rows)
    if path.parent.name == "index":
        with pa.memory_map(str(path)) as file:
            return describe_file(run, path, rows=pa.ipc.open_file(file).read_all().num_rows)
    if path.suffix == ".arrow":
        shard = open_shard(path)
        mass = sum(float(s.weights_N.sum(dtype=np.float64)) for s in shard.segments)
        rows = sum(len(s.doc_ids) for s in shard.segments)
        return describe_file(run, path, rows, shard.tokens, mass)
    return describe_file(run, path, rows=0)
