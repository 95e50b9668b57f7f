"""The accounts of a weighing: where its weight went, and whether it all adds up."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipelines.settings import Job, WeighSettings
from pipelines.weigh.job import TYPE_MASS, WEIGHING
from pipelines.weigh.write_shards import FIXED_POINT, HISTOGRAM_EDGES, STAGE
from pipelines.work.arrays import load_array
from weighting.arrays import Float64s, Int64s
from weighting.contracts.documents import tabulate_rows, write_table
from weighting.contracts.manifest import check_records, check_weight_mass
from weighting.contracts.shards import open_shard
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.contracts.statistics import (
    DECILE_STATS,
    REASON_STATS,
    SOURCE_STATS,
    TRAJECTORY_STATS,
    TYPE_WEIGHTS,
)
from weighting.errors import BrokenContract, BrokenInvariant
from weighting.policies.effective_sample import tabulate_mass
from weighting.policies.registry import resolve_params
from weighting.policies.selection import Selection
from weighting.storage.files import read_json, sha256

Summary = Mapping[str, Mapping[str, Any]]  # what a unit's pack step tells of each split
Funnel = Mapping[str, Mapping[str, int]]
STATISTICS = ("type_weights", "sources", "reasons", "deciles", "trajectories")


def verify_weights(job: Job, settings: WeighSettings, funnel: Funnel) -> dict[str, Any]:
    """Write the statistics of a weighing, check its invariants, and return its counts.

    Raises:
        BrokenInvariant: tokens or weight mass do not add up.
        BrokenContract: a shard breaks its contract.
    """
    packed: list[Summary] = [summary["splits"] for summary in job.work.summaries(STAGE)]
    fixed_V, counts_V = load_array(job.work.path(TYPE_MASS, 0, ".npy"))
    mass_V = fixed_V / FIXED_POINT
    splits = {split: count_split(packed, split) for split in SPLITS}
    _write_statistics(job.run / "stats", packed, mass_V, counts_V)
    selection = describe_selection(job.run, settings.selection, splits[TRAIN])
    check_invariants(job, funnel, splits, selection["left_tokens"] if selection else 0)
    check_shards(job.run, packed)
    params = resolve_params(settings.policy, settings.params)
    found = read_json(job.work.path(WEIGHING, 0, ".json"))
    return {
        "splits": splits,
        "mass": asdict(
            tabulate_mass(
                counts_V,
                mass_V,
                sum(entry["squares"] for entry in splits.values()),
                sum(entry["zeros"] for entry in splits.values()),
                max(entry["max"] for entry in splits.values()),
            )
        ),
        "weighing": {"policy": settings.policy, "params": params.to_dict(), **found},
        "selection": selection,
    }


def describe_selection(
    run: Path, selection: Selection | None, train: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return what was selected of the train split and what was left, None where all of it was."""
    if selection is None:
        return None
    paths = sorted(run.glob("ledger/*.parquet"))
    ledger = ds.dataset(paths).to_table(["tokens"], filter=ds.field("split") == TRAIN)
    tokens = int(pc.sum(ledger["tokens"]).as_py() or 0) + len(ledger)  # one end-of-text each
    return {
        **asdict(selection),
        "kept_documents": train["documents"],
        "kept_tokens": train["tokens"],
        "left_documents": len(ledger) - train["documents"],
        "left_tokens": tokens - train["tokens"],
    }


def count_split(packed: Sequence[Summary], split: str) -> dict[str, Any]:
    """Return documents, tokens, weight mass and histogram of a split."""
    entries = [summary[split] for summary in packed if split in summary]
    sums: Counter[str] = Counter()
    for entry in entries:
        sums.update({name: entry[name] for name in ("rows", "tokens", "zeros")})
    bins = np.sum([entry["histogram"] for entry in entries] or [[0]], axis=0)
    return {
        "documents": sums["rows"],
        "tokens": sums["tokens"],
        "mass": sum(entry["mass"] for entry in entries),
        "squares": sum(entry["squares"] for entry in entries),
        "zeros": sums["zeros"],
        "max": max((entry["max"] for entry in entries), default=0.0),
        "histogram": [int(count) for count in bins],
        "histogram_edges": [float(edge) for edge in HISTOGRAM_EDGES],
    }


def check_invariants(
    job: Job,
    funnel: Funnel,
    splits: Mapping[str, Mapping[str, Any]],
    left_tokens: int,
) -> None:
    """Raise BrokenInvariant unless tokens and weight mass add up."""
    check_records(funnel["tokens"], "tokens")
    kept_tokens = funnel["tokens"]["kept"] + funnel["records"]["kept"]  # one end-of-text each
    packed_tokens = sum(entry["tokens"] for entry in splits.values())
    if kept_tokens != packed_tokens + left_tokens:
        raise BrokenInvariant(
            f"kept documents hold {kept_tokens} tokens, shards {packed_tokens}, and "
            f"{left_tokens} are not selected"
        )
    for split in SPLITS:
        paths = sorted((job.run / "shards").glob(f"{split}-*.arrow"))
        check_weight_mass(split, [open_shard(path) for path in paths])


def check_shards(run: Path, packed: Sequence[Summary]) -> None:
    """Raise BrokenContract where a shard's bytes are no longer those that were written."""
    for entry in (entry for splits in packed for entry in splits.values()):
        if sha256(run / entry["path"]) != entry["sha256"]:
            raise BrokenContract(f"{run / entry['path']}: bytes changed after it was written")


def tabulate_type_weights(mass_V: Float64s, counts_V: Int64s) -> pa.Table:
    """Return one row for each token id (TYPE_WEIGHTS)."""
    means = pa.array(mass_V / np.maximum(counts_V, 1), mask=counts_V == 0)
    columns = [np.arange(len(mass_V)), mass_V, means]
    return pa.table(columns, schema=TYPE_WEIGHTS)


def sum_groups(packed: Sequence[Summary], field: str) -> dict[tuple[str, str], list[float]]:
    """Add up a field of the units' summaries that maps names to numbers, by name and split."""
    sums: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for summary in packed:
        for split, entry in summary.items():
            for name, numbers in entry[field].items():
                row = sums[name, split]
                row[:] = [a + b for a, b in zip(row or [0] * len(numbers), numbers, strict=True)]
    return dict(sorted(sums.items()))


def sum_deciles(packed: Sequence[Summary]) -> list[tuple[str, int, int, float]]:
    """Return source, decile, tokens and weight of both splits, from the units' summaries."""
    sums: defaultdict[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0.0])
    for summary in packed:
        for entry in summary.values():
            for source, rows in entry["deciles"].items():
                for decile, tokens, mass in rows:
                    row = sums[source, decile]
                    row[:] = [row[0] + tokens, row[1] + mass]
    return [(*key, int(tokens), mass) for key, (tokens, mass) in sorted(sums.items())]


def _write_statistics(
    stats: Path,
    packed: Sequence[Summary],
    mass_V: Float64s,
    counts_V: Int64s,
) -> None:
    weights = tabulate_type_weights(mass_V, counts_V)
    write_table(stats / "type_weights.parquet", weights, TYPE_WEIGHTS)
    groups = (
        ("sources", SOURCE_STATS),
        ("reasons", REASON_STATS),
        ("trajectories", TRAJECTORY_STATS),
    )
    for name, schema in groups:
        rows = [(*key, *numbers) for key, numbers in sum_groups(packed, name).items()]
        _write(stats / f"{name}.parquet", rows, schema)
    _write(stats / "deciles.parquet", sum_deciles(packed), DECILE_STATS)


def _write(path: Path, rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> None:
    write_table(path, tabulate_rows(rows, schema), schema)
