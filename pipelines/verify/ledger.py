"""What became of a finished run's records, and whether it all adds up.

What became of its weight: `pipelines.verify.weights`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from operator import attrgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.curate.decontaminate import count_items
from pipelines.rules.registry import RULES
from pipelines.settings import Job
from pipelines.work.summaries import CleanSummary
from weighting.arrays import Int64s
from weighting.contracts.counts import DocumentCounts, Funnel, LanguageCounts, RuleCost
from weighting.contracts.documents import Verdict, tabulate_rows, write_table
from weighting.contracts.manifest import check_records
from weighting.contracts.statistics import (
    LEFT_OUT_STATS,
    RULE_OVERLAP,
    RULE_STATS,
    SKIPPED_STATS,
)
from weighting.errors import BrokenInvariant

LEDGER_COLUMNS = [
    *("doc_id", "verdict", "rule", "failed", "cluster", "survivor", "chars", "tokens")
]
RULES_AT_ONCE = 2**16  # ledger rows whose failures are held as a matrix


def verify_records(job: Job, against: Sequence[str] = ()) -> DocumentCounts:
    """Write statistics of rules, check the ledger, and return the counts that no policy changes.

    `against` are earlier runs in which survivors may be.

    Raises:
        BrokenInvariant: records or characters do not add up, or copies are not one each.
    """
    ledger = read_ledger(job.run)
    funnel = count_funnel(ledger)
    rules, overlap = count_rules(ledger, count_values(job.run))
    write_table(job.run / "stats" / "rules.parquet", rules, RULE_STATS)
    write_table(job.run / "stats" / "rule_overlap.parquet", overlap, RULE_OVERLAP)
    skipped = list_skipped(job)
    write_table(job.run / "stats" / "skipped.parquet", skipped, SKIPPED_STATS)
    left_out = list_left_out(job)
    write_table(job.run / "stats" / "left_out.parquet", left_out, LEFT_OUT_STATS)
    for measure, counts in funnel.items():
        check_records(counts, measure)
    check_clusters(ledger, elsewhere=bool(against))
    return DocumentCounts(
        records=funnel["records"],
        chars=funnel["chars"],
        tokens=funnel["tokens"],
        skipped=sum_skipped(skipped),
        left_out=sum_left_out(left_out),
        rules={row["rule"]: RuleCost(**row) for row in rules.to_pylist()},
        sets=count_items(job),
        languages=count_languages(job.run),
        encoders=sorted({name for unit in job.work.tokenize for name in unit.encoders}),
    )


def read_ledger(run: Path) -> pa.Table:
    """Read the ledger's columns that counting needs."""
    paths = sorted((run / "ledger").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path, columns=LEDGER_COLUMNS) for path in paths])


def count_values(run: Path) -> dict[str, int]:
    """Return of how many documents each rule has a value; the files' own counts of nulls tell."""
    counts = dict.fromkeys(RULES, 0)
    for path in sorted((run / "ledger").glob("*.parquet")):
        metadata = pq.read_metadata(path)
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        for group, number in product(groups, range(metadata.num_columns)):
            column = group.column(number)
            if column.path_in_schema in counts and column.num_values:
                counts[column.path_in_schema] += column.statistics.num_values
    return counts


def count_languages(run: Path) -> dict[str, LanguageCounts]:
    """Return what became of the documents judged as of each language."""
    asking = [name for name, rule in RULES.items() if rule.asks]
    columns = ["judged_as", "language", "verdict", *asking]
    totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted((run / "ledger").glob("*.parquet")):
        ledger = pq.read_table(path, columns=columns)
        ledger = ledger.filter(pc.is_valid(ledger["judged_as"]))
        kept = pc.equal(ledger["verdict"], Verdict.KEPT.value)
        other = pc.fill_null(pc.not_equal(ledger["language"], ledger["judged_as"]), False)
        counted = {"documents": pc.is_valid(kept), "kept": kept, "unknown": other}
        counted |= {rule: pc.is_null(ledger[rule]) for rule in asking}
        table = pa.table({name: column.cast(pa.int64()) for name, column in counted.items()})
        sums = table.append_column("judged_as", ledger["judged_as"]).group_by("judged_as")
        for row in sums.aggregate([(name, "sum") for name in counted]).to_pylist():
            totals[row["judged_as"]].update({name: row[f"{name}_sum"] for name in counted})
    return {
        language: LanguageCounts(
            **{name: total[name] for name in ("documents", "kept", "unknown")},
            unvalued={rule: total[rule] for rule in asking if total[rule]},
        )
        for language, total in sorted(totals.items())
    }


def count_funnel(ledger: pa.Table) -> dict[str, Funnel]:
    """Return what was read and what became of it, in records, characters and tokens."""
    sums = ledger.group_by("verdict").aggregate(
        [("verdict", "count"), ("chars", "sum"), ("tokens", "sum")]
    )
    rows = {row["verdict"]: row for row in sums.to_pylist()}
    funnels = {}
    for measure, column in (
        ("records", "verdict_count"),
        ("chars", "chars_sum"),
        ("tokens", "tokens_sum"),
    ):
        counts = {v.value: int(rows.get(v.value, {}).get(column) or 0) for v in Verdict}
        funnels[measure] = Funnel(read=_total(ledger, measure), **counts)
    return funnels


def _total(ledger: pa.Table, measure: str) -> int:
    return len(ledger) if measure == "records" else int(pc.sum(ledger[measure]).as_py() or 0)


def count_rules(ledger: pa.Table, values: Mapping[str, int]) -> tuple[pa.Table, pa.Table]:
    """Return what every rule cost (RULE_STATS), and what pairs of rules did (RULE_OVERLAP).

    A document counts for the first rule it fails; `alone_*` are those that fail no other,
    `failing_*` all that fail the rule, whatever others say. `values` says of how many documents
    each rule has a value.
    """
    rules = list(RULES)
    dropped = ledger.filter(pc.equal(ledger["verdict"], Verdict.DROPPED.value))
    first_Rx3, alone_Rx3 = np.zeros((2, len(rules), 3), np.int64)
    both_RxRx3 = np.zeros((len(rules), len(rules), 3), np.int64)
    for batch in dropped.to_batches(max_chunksize=RULES_AT_ONCE):
        failed_DxR = _spread_failures(batch, rules)
        sizes_Dx3 = _measure(batch)
        first_D = pc.index_in(batch.column("rule"), pa.array(rules, pa.string())).to_numpy()
        np.add.at(first_Rx3, first_D, sizes_Dx3)
        only_D = failed_DxR.sum(axis=1) == 1
        np.add.at(alone_Rx3, first_D[only_D], sizes_Dx3[only_D])
        both_RxRx3 += _sum_pairs(failed_DxR, sizes_Dx3)
    failing_Rx3 = both_RxRx3[range(len(rules)), range(len(rules))]
    columns = [rules, *first_Rx3.T, *alone_Rx3.T[[0, 2]], *failing_Rx3.T[[0, 2]]]
    columns.append([values[rule] for rule in rules])
    return pa.table(columns, schema=RULE_STATS), _list_pairs(rules, both_RxRx3)


def _spread_failures(batch: pa.RecordBatch, rules: Sequence[str]) -> Int64s:
    """Return which of R rules each of D documents fails, as 0 or 1, [D, R]."""
    failed = batch.column("failed")
    failed_DxR = np.zeros((len(batch), len(rules)), np.int64)
    rule_N = pc.index_in(failed.flatten(), pa.array(rules, pa.string()))
    failed_DxR[pc.list_parent_indices(failed), rule_N] = 1
    return failed_DxR


def _sum_pairs(failed_DxR: Int64s, sizes_Dx3: Int64s) -> Int64s:
    """Return the sizes of the documents that fail both of two rules, [R, R, 3].

    In floats, whose products are fast and, below 2^53, exact.
    """
    floats_DxR = failed_DxR.astype(np.float64)
    sums = [floats_DxR.T @ (floats_DxR * sizes_D[:, None]) for sizes_D in sizes_Dx3.T]
    return np.stack(sums, axis=2).astype(np.int64)


def _measure(batch: pa.RecordBatch) -> Int64s:
    """Return documents (1), characters and tokens of each of D ledger rows, [D, 3]."""
    ones = np.ones(len(batch), np.int64)
    return np.stack([ones, batch.column("chars"), batch.column("tokens")], axis=1)


def _list_pairs(rules: Sequence[str], both_RxRx3: Int64s) -> pa.Table:
    """Return the pairs of rules that some document fails both, a rule with itself included."""
    names = np.array(rules)
    rule_K, other_K = np.nonzero(both_RxRx3[:, :, 0])
    sums_Kx3 = both_RxRx3[rule_K, other_K]
    columns = [names[rule_K], names[other_K], sums_Kx3[:, 0], sums_Kx3[:, 2]]
    return pa.table([pa.array(column) for column in columns], schema=RULE_OVERLAP)


def list_skipped(job: Job) -> pa.Table:
    """Return what the readers found intact, but not a document, by unit and kind."""
    return _tabulate_units(job, attrgetter("skipped"), SKIPPED_STATS)


def list_left_out(job: Job) -> pa.Table:
    """Return what could not be kept of documents' fields, by unit and reason."""
    return _tabulate_units(job, attrgetter("left_out"), LEFT_OUT_STATS)


def _tabulate_units(
    job: Job, pick: Callable[[CleanSummary], Mapping[str, int]], schema: pa.Schema
) -> pa.Table:
    """Return the counts that `pick` finds in the units' summaries: unit, name and count."""
    rows = [
        (uid, name, count)
        for uid in sorted(job.work.clean.list_done())
        for name, count in sorted(pick(job.work.clean.read(uid)).items())
    ]
    return tabulate_rows(rows, schema)


def sum_left_out(left_out: pa.Table) -> dict[str, int]:
    """Return the fields of each reason."""
    sums = left_out.group_by("reason").aggregate([("fields", "sum")])
    return dict(zip(sums["reason"].to_pylist(), sums["fields_sum"].to_pylist(), strict=True))


def sum_skipped(skipped: pa.Table) -> dict[str, int]:
    """Return the records of each kind."""
    sums = skipped.group_by("kind").aggregate([("records", "sum")])
    return dict(zip(sums["kind"].to_pylist(), sums["records_sum"].to_pylist(), strict=True))


def check_clusters(ledger: pa.Table, elsewhere: bool = False) -> None:
    """Raise BrokenInvariant unless every cluster of copies keeps exactly one document.

    With `elsewhere` that may be one of an earlier run: then the cluster keeps none here.
    """
    copies = ledger.filter(pc.is_valid(ledger["cluster"]))
    kept = pc.equal(copies["verdict"], Verdict.KEPT.value)
    named = pc.equal(copies["doc_id"], copies["survivor"])
    table = pa.table(
        {
            "cluster": copies["cluster"],
            "kept": kept.cast(pa.int64()),
            "odd": pc.and_not(kept, named).cast(pa.int64()),  # kept, and not the survivor
        }
    )
    sums = table.group_by("cluster").aggregate([("kept", "sum"), ("odd", "sum")])
    few = pc.not_equal(sums["kept_sum"], 1)
    if elsewhere:
        few = pc.greater(sums["kept_sum"], 1)
    wrong = sums.filter(pc.or_(few, pc.greater(sums["odd_sum"], 0))).to_pylist()
    if wrong:
        first = wrong[0]
        raise BrokenInvariant(
            f"{len(wrong)} duplicate clusters do not keep exactly one document; "
            f"cluster {first['cluster']} keeps {first['kept_sum']}"
        )
