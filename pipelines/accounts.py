"""The accounts of a finished run: statistics, invariants, and the counts of the manifest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.arrays import load_array
from pipelines.encode import Encoder
from pipelines.pack import HISTOGRAM_EDGES
from pipelines.pack import STAGE as PACK
from pipelines.rules import list_rules
from pipelines.score import FIXED_POINT
from pipelines.score import STAGE as SCORE
from pipelines.settings import Job
from pipelines.tokenize import SPLITS
from pipelines.tokenize import STAGE as TOKENIZE
from pipelines.weigh import TYPE_COUNTS, TYPE_SUMS
from weighting.documents import Verdict, write_table
from weighting.errors import BrokenContract, BrokenInvariant
from weighting.files import sha256
from weighting.manifest import FileEntry, check_records, check_weight_mass, describe_file
from weighting.mass import tabulate_mass
from weighting.shards import open_shard
from weighting.signals import unigram_probability
from weighting.statistics import REASON_STATS, RULE_STATS, SOURCE_STATS, TOKEN_STATS

LEDGER_COLUMNS = ["verdict", "rule", "failed", "cluster", "chars", "tokens"]
OUTPUTS = ("documents", "dropped", "ledger", "quarantine", "shards", "signals", "stats")


def settle_accounts(job: Job, encoder: Encoder) -> dict[str, Any]:
    """Write RUN/stats, check every invariant, and return the counts of the run.

    Raises:
        BrokenInvariant: records, characters, tokens or weight mass do not add up.
        BrokenContract: an output breaks its contract.
    """
    ledger = read_ledger(job.run)
    funnel = count_funnel(ledger)
    packed = [summary["splits"] for summary in job.work.summaries(PACK)]
    rules = count_rules(ledger)
    write_table(job.run / "stats" / "rules.parquet", rules, RULE_STATS)
    sources = count_sources(packed)
    write_table(job.run / "stats" / "sources.parquet", sources, SOURCE_STATS)
    write_table(job.run / "stats" / "reasons.parquet", count_reasons(packed), REASON_STATS)
    counts_2V = load_array(job.work.path(TYPE_COUNTS, 0, ".npy"))
    mass_V, gain_V = load_array(job.work.path(TYPE_SUMS, 0, ".npy")) / FIXED_POINT
    tokens = tabulate_tokens(counts_2V, mass_V, gain_V, encoder.tokens)
    write_table(job.run / "stats" / "tokens.parquet", tokens, TOKEN_STATS)
    splits = {split: count_split(packed, split) for split in SPLITS}
    check_invariants(job, funnel, splits)
    check_clusters(ledger)
    check_shards(job.run, packed)
    everything = np.asarray(counts_2V.sum(axis=0), np.int64)
    return {
        "funnel": funnel,
        "rules": {row["rule"]: row for row in rules.to_pylist()},
        "splits": splits,
        "mass": asdict(
            tabulate_mass(
                everything,
                mass_V,
                sum(entry["squares"] for entry in splits.values()),
                sum(entry["zeros"] for entry in splits.values()),
                max(entry["max"] for entry in splits.values()),
            )
        ),
        "facts": next(job.work.summaries(SCORE), {}).get("facts", {}),
        "encoders": sorted({e for item in job.work.summaries(TOKENIZE) for e in item["encoders"]}),
    }


def read_ledger(run: Path) -> pa.Table:
    """Read the ledger's columns that the accounts need."""
    paths = sorted((run / "ledger").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path, columns=LEDGER_COLUMNS) for path in paths])


def count_funnel(ledger: pa.Table) -> dict[str, dict[str, int]]:
    """Return records, characters and tokens: what was read, and what became of it."""
    sums = ledger.group_by("verdict").aggregate(
        [("verdict", "count"), ("chars", "sum"), ("tokens", "sum")]
    )
    rows = {row["verdict"]: row for row in sums.to_pylist()}
    funnel = {}
    for unit, column in (
        ("records", "verdict_count"),
        ("chars", "chars_sum"),
        ("tokens", "tokens_sum"),
    ):
        counts = {v.value: int(rows.get(v.value, {}).get(column) or 0) for v in Verdict}
        funnel[unit] = {"read": _total(ledger, unit), **counts}
    return funnel


def _total(ledger: pa.Table, unit: str) -> int:
    return len(ledger) if unit == "records" else int(pc.sum(ledger[unit]).as_py() or 0)


def count_rules(ledger: pa.Table) -> pa.Table:
    """Return what every rule cost: documents, characters and tokens (RULE_STATS).

    A document counts for the first rule it fails; `alone_*` are those that fail no other.
    """
    dropped = ledger.filter(pc.equal(ledger["verdict"], Verdict.DROPPED.value))
    alone = pc.equal(pc.list_value_length(dropped["failed"]), 1)
    rows = []
    for rule in list_rules():
        hit = pc.equal(dropped["rule"], rule)
        first, only = dropped.filter(hit), dropped.filter(pc.and_(hit, alone))
        rows.append(
            {
                "rule": rule,
                "documents": len(first),
                "chars": _total(first, "chars"),
                "tokens": _total(first, "tokens"),
                "alone_documents": len(only),
                "alone_tokens": _total(only, "tokens"),
            }
        )
    return pa.Table.from_pylist(rows, schema=RULE_STATS)


def count_sources(packed: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return documents, tokens and weight mass by source and split (SOURCE_STATS)."""
    sums: dict[tuple[str, str], list[float]] = {}
    for summary in packed:
        for split, entry in summary.items():
            for source, numbers in entry["sources"].items():
                row = sums.setdefault((source, split), [0, 0, 0.0])
                row[:] = [a + b for a, b in zip(row, numbers, strict=True)]
    rows = [(source, split, int(d), int(t), m) for (source, split), (d, t, m) in sums.items()]
    return _to_table(sorted(rows), SOURCE_STATS)


def count_reasons(packed: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return tokens and weight mass by reason and split (REASON_STATS)."""
    sums: dict[tuple[str, str], list[float]] = {}
    for summary in packed:
        for split, entry in summary.items():
            for reason, (tokens, mass) in entry["reasons"].items():
                row = sums.setdefault((reason, split), [0, 0.0])
                row[:] = [row[0] + tokens, row[1] + mass]
    rows = [(reason, split, int(t), m) for (reason, split), (t, m) in sums.items()]
    return _to_table(sorted(rows), REASON_STATS)


def tabulate_tokens(
    counts_2V: npt.NDArray[np.int64],
    mass_V: npt.NDArray[np.float64],
    gain_V: npt.NDArray[np.float64],
    tokens: Sequence[bytes],
) -> pa.Table:
    """Return one row for each token id (TOKEN_STATS)."""
    total_V = counts_2V.sum(axis=0)
    unseen = total_V == 0
    some_V = np.maximum(total_V, 1)
    columns = {
        "token_id": np.arange(len(tokens)),
        "token": [token.decode("utf-8", "replace") for token in tokens],
        "count_train": counts_2V[0],
        "count_validation": counts_2V[1],
        "surprisal": -np.log(unigram_probability(counts_2V[0])),
        "mean_gain": pa.array(gain_V / some_V, mask=unseen),
        "weight_mass": mass_V,
        "mean_weight": pa.array(mass_V / some_V, mask=unseen),
    }
    return pa.table(columns, schema=TOKEN_STATS)


def count_split(packed: Sequence[Mapping[str, Any]], split: str) -> dict[str, Any]:
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
    job: Job, funnel: Mapping[str, Mapping[str, int]], splits: Mapping[str, Mapping[str, Any]]
) -> None:
    """Raise BrokenInvariant unless records, characters, tokens and weight mass add up."""
    for unit, counts in funnel.items():
        check_records(counts, unit)
    kept_tokens = funnel["tokens"]["kept"] + funnel["records"]["kept"]  # one end-of-text each
    packed_tokens = sum(entry["tokens"] for entry in splits.values())
    if kept_tokens != packed_tokens:
        raise BrokenInvariant(f"kept documents hold {kept_tokens} tokens, shards {packed_tokens}")
    for split in SPLITS:
        paths = sorted((job.run / "shards").glob(f"{split}-*.arrow"))
        check_weight_mass(split, [open_shard(path) for path in paths])


def check_clusters(ledger: pa.Table) -> None:
    """Raise BrokenInvariant unless every cluster of copies keeps exactly one document."""
    copies = ledger.filter(pc.is_valid(ledger["cluster"]))
    kept = pc.equal(copies["verdict"], Verdict.KEPT.value).cast(pa.int64())
    table = pa.table({"cluster": copies["cluster"], "kept": kept})
    sums = table.group_by("cluster").aggregate([("kept", "sum")])
    wrong = sums.filter(pc.not_equal(sums["kept_sum"], 1)).to_pylist()
    if wrong:
        first = wrong[0]
        raise BrokenInvariant(
            f"{len(wrong)} duplicate clusters do not keep exactly one document; "
            f"cluster {first['cluster']} keeps {first['kept_sum']}"
        )


def check_shards(run: Path, packed: Sequence[Mapping[str, Any]]) -> None:
    """Raise BrokenContract where a shard's bytes are no longer those that were written."""
    for entry in (entry for splits in packed for entry in splits.values()):
        if sha256(run / entry["path"]) != entry["sha256"]:
            raise BrokenContract(f"{run / entry['path']}: bytes changed after it was written")


def list_files(run: Path) -> list[FileEntry]:
    """Return the manifest's entries of all outputs, checksums computed from the disk.

    Temporary files that a killed worker left behind are removed.
    """
    for leftover in run.rglob(".*.tmp"):
        leftover.unlink()
    entries = [describe_file(run, run / "tokenizer.json", rows=1)]
    for folder in OUTPUTS:
        entries += [_describe(run, path) for path in sorted((run / folder).glob("*"))]
    return entries


def _describe(run: Path, path: Path) -> FileEntry:
    if path.suffix == ".parquet":
        return describe_file(run, path, rows=pq.read_metadata(path).num_rows)
    if path.suffix == ".arrow":
        shard = open_shard(path)
        mass = sum(float(s.weights_N.sum(dtype=np.float64)) for s in shard.segments)
        rows = sum(len(s.doc_ids) for s in shard.segments)
        return describe_file(run, path, rows, shard.tokens, mass)
    return describe_file(run, path, rows=0)


def _to_table(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    named = [dict(zip(schema.names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(named, schema=schema)
