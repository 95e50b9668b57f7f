"""What a weighing came to: where its weight went, and whether it all adds up."""

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
from pipelines.weigh.shard_summary import ShardSummary
from pipelines.weigh.shard_sums import HISTOGRAM_EDGES
from pipelines.weigh.write_shards import FIXED_POINT
from weighting.arrays import Float64s, Int64s
from weighting.contracts.counts import (
    DocumentCounts,
    MassTable,
    SelectionCounts,
    SplitCounts,
    WeightCounts,
)
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
from weighting.policies.selection import Selection
from weighting.storage.files import sha256

Shards = Mapping[str, ShardSummary]  # of one unit, by split
GROUPS: Mapping[str, pa.Schema] = {  # mappings of a summary that become tables
    "sources": SOURCE_STATS,
    "reasons": REASON_STATS,
    "trajectories": TRAJECTORY_STATS,
}
STATISTICS = ("type_weights", *GROUPS, "deciles")


def verify_weights(job: Job, settings: WeighSettings, documents: DocumentCounts) -> WeightCounts:
    """Write the statistics of a weighing, check its invariants, and return its counts.

    Raises:
        BrokenInvariant: tokens or weight mass do not add up.
        BrokenContract: a shard breaks its contract.
    """
    units = [summary.shards for summary in job.work.weigh]
    fixed_V, counts_V = job.work.type_weights.load()
    mass_V = fixed_V / FIXED_POINT
    splits = {split: count_split(units, split) for split in SPLITS}
    _write_statistics(job.run / "stats", units, mass_V, counts_V)
    selection = describe_selection(job.run, settings.selection, splits[TRAIN])
    check_invariants(job, documents, splits, selection.left_tokens if selection else 0)
    check_golden(units, settings.params.golden_share, selection)
    check_shards(job.run, units)
    return WeightCounts(
        splits=splits,
        mass=_tabulate(counts_V, mass_V, list(splits.values())),
        weighing=job.work.weighing.read(),
        selection=selection,
    )


def describe_selection(
    run: Path, selection: Selection | None, train: SplitCounts
) -> SelectionCounts | None:
    """Return what was selected of the train split and what was left, None where all of it was."""
    if selection is None:
        return None
    paths = sorted(run.glob("ledger/*.parquet"))
    ledger = ds.dataset(paths).to_table(["tokens"], filter=ds.field("split") == TRAIN)
    tokens = int(pc.sum(ledger["tokens"]).as_py() or 0) + len(ledger)  # one end-of-text each
    return SelectionCounts(
        **asdict(selection),
        kept_documents=train.documents,
        kept_tokens=train.tokens,
        left_documents=len(ledger) - train.documents,
        left_tokens=tokens - train.tokens,
    )


def count_split(units: Sequence[Shards], split: str) -> SplitCounts:
    """Return documents, tokens, weight mass and histogram of a split."""
    shards = [unit[split] for unit in units if split in unit]
    bins = np.sum([shard.histogram for shard in shards] or [[0]], axis=0)
    return SplitCounts(
        documents=sum(shard.documents for shard in shards),
        tokens=sum(shard.tokens for shard in shards),
        mass=sum(shard.mass for shard in shards),
        squares=sum(shard.squares for shard in shards),
        zeros=sum(shard.zeros for shard in shards),
        max=max((shard.max for shard in shards), default=0.0),
        histogram=[int(count) for count in bins],
        histogram_edges=[float(edge) for edge in HISTOGRAM_EDGES],
    )


def check_invariants(
    job: Job,
    documents: DocumentCounts,
    splits: Mapping[str, SplitCounts],
    left_tokens: int,
) -> None:
    """Raise BrokenInvariant unless tokens and weight mass add up."""
    check_records(documents.tokens, "tokens")
    kept_tokens = documents.tokens.kept + documents.records.kept  # one end-of-text each
    written_tokens = sum(split.tokens for split in splits.values())
    if kept_tokens != written_tokens + left_tokens:
        raise BrokenInvariant(
            f"kept documents hold {kept_tokens} tokens, shards {written_tokens}, and "
            f"{left_tokens} are not selected"
        )
    for split in SPLITS:
        paths = sorted((job.run / "shards").glob(f"{split}-*.arrow"))
        check_weight_mass(split, [open_shard(path) for path in paths])


def check_golden(units: Sequence[Shards], share: float, selection: SelectionCounts | None) -> None:
    """Raise BrokenInvariant where more of a split's text is golden than the share allows.

    Of the whole train split, that is: a selection may keep what is golden and leave the rest.
    """
    reasons = sum_groups(units, "reasons")
    for split in SPLITS:
        tokens = sum(unit[split].tokens for unit in units if split in unit)
        text = tokens - reasons.get(("special", split), [0])[0]
        if split == TRAIN and selection is not None:
            text += selection.left_tokens - selection.left_documents
        golden = reasons.get(("golden", split), [0])[0]
        if golden > share * text:
            raise BrokenInvariant(
                f"{golden} of {text} {split} tokens are golden, more than {share:g} of them"
            )


def check_shards(run: Path, units: Sequence[Shards]) -> None:
    """Raise BrokenContract where a shard's bytes are no longer those that were written."""
    for shard in (shard for unit in units for shard in unit.values()):
        if sha256(run / shard.path) != shard.sha256:
            raise BrokenContract(f"{run / shard.path}: bytes changed after it was written")


def tabulate_type_weights(mass_V: Float64s, counts_V: Int64s) -> pa.Table:
    """Return one row for each token id (TYPE_WEIGHTS)."""
    means = pa.array(mass_V / np.maximum(counts_V, 1), mask=counts_V == 0)
    columns = [np.arange(len(mass_V)), mass_V, means]
    return pa.table(columns, schema=TYPE_WEIGHTS)


def sum_groups(units: Sequence[Shards], field: str) -> dict[tuple[str, str], list[float]]:
    """Add up a mapping of `ShardSummary` from names to numbers, by name and split."""
    sums: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for unit in units:
        for split, shard in unit.items():
            for name, numbers in getattr(shard, field).items():
                row = sums[name, split]
                row[:] = [a + b for a, b in zip(row or [0] * len(numbers), numbers, strict=True)]
    return dict(sorted(sums.items()))


def sum_deciles(units: Sequence[Shards]) -> list[tuple[str, int, int, float]]:
    """Return source, decile, tokens and weight of both splits."""
    tokens: Counter[tuple[str, int]] = Counter()
    mass: defaultdict[tuple[str, int], float] = defaultdict(float)
    for shard in (shard for unit in units for shard in unit.values()):
        for source, rows in shard.deciles.items():
            for row in rows:
                tokens[source, row.decile] += row.tokens
                mass[source, row.decile] += row.mass
    return [(*key, tokens[key], mass[key]) for key in sorted(mass)]


def _tabulate(counts_V: Int64s, mass_V: Float64s, splits: Sequence[SplitCounts]) -> MassTable:
    """Return the mass table of all splits."""
    return tabulate_mass(
        counts_V,
        mass_V,
        squares=sum(split.squares for split in splits),
        zeros=sum(split.zeros for split in splits),
        max_weight=max(split.max for split in splits),
    )


def _write_statistics(
    stats: Path, units: Sequence[Shards], mass_V: Float64s, counts_V: Int64s
) -> None:
    weights = tabulate_type_weights(mass_V, counts_V)
    write_table(stats / "type_weights.parquet", weights, TYPE_WEIGHTS)
    for name, schema in GROUPS.items():
        rows = ((*key, *numbers) for key, numbers in sum_groups(units, name).items())
        _write(stats / f"{name}.parquet", list(rows), schema)
    _write(stats / "deciles.parquet", sum_deciles(units), DECILE_STATS)


def _write(path: Path, rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> None:
    write_table(path, tabulate_rows(rows, schema), schema)
