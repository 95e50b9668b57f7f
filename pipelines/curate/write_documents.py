"""Kernel: give every record of a unit its verdict.

Joins the cleaned documents with the clusters and passages that deduplication found and writes the
unit's kept documents, its dropped ones, its rows of the ledger, and its part of the index.
"""

from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.curate.cluster import load_members, publish_unit
from pipelines.curate.find_passages import find_kept, load_repeats
from pipelines.curate.treat_passages import treat_passages
from pipelines.dedupe.survivors import to_hex
from pipelines.rules.registry import RULES
from pipelines.settings import CurateSettings, Job
from pipelines.work.summaries import RecordSummary
from weighting.arrays import Structs
from weighting.contracts.documents import (
    DOCUMENTS,
    PASSAGES,
    Verdict,
    check_table,
    ledger_schema,
)
from weighting.storage.files import replacing

LEDGER = ledger_schema(list(RULES))


def write_unit_documents(uid: int, settings: CurateSettings, job: Job) -> None:
    """Write documents, dropped documents, ledger and index of a unit, then mark it done."""
    if job.work.write_documents.is_done(uid):
        return
    dedupe = settings.dedupe
    members = load_members(job, uid)
    passages = dedupe.passages if dedupe else None
    repeats = load_repeats(uid, job) if passages else None
    with ExitStack() as stack:
        kept, dropped = (
            _open(stack, job, folder, uid, DOCUMENTS) for folder in ("documents", "dropped")
        )
        ledger = _open(stack, job, "ledger", uid, LEDGER)
        file = stack.enter_context(pa.memory_map(str(job.work.cleaned[uid])))
        reader = pa.ipc.open_file(file)
        rows = 0
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            keep = pa.array(find_kept(batch, members, rows))
            documents = _to_documents(batch)
            stay = documents.filter(keep)
            if passages is not None and repeats is not None:
                stay = treat_passages(stay, repeats, passages, settings)
            kept.write_table(stay)
            dropped.write_table(documents.filter(pc.invert(keep)))
            chars = _count_chars(batch, keep, stay)
            ledger.write_table(_judge(batch, members, rows, keep, chars))
            rows += len(batch)
        rejected = _list_rejected(job, uid)
        ledger.write_table(rejected)
    if dedupe and dedupe.exact and dedupe.index:
        publish_unit(uid, job)
    job.work.write_documents.finish(uid, RecordSummary(rows + len(rejected)))


def _open(stack: ExitStack, job: Job, folder: str, uid: int, schema: pa.Schema) -> pq.ParquetWriter:
    path = stack.enter_context(replacing(job.output(folder, uid, ".parquet")))
    return stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))


def _to_documents(batch: pa.RecordBatch) -> pa.Table:
    """Return the documents of a batch (CLEANED), nothing marked yet."""
    nothing = pa.array([[]] * len(batch), PASSAGES)
    columns = [nothing if name == "passages" else batch.column(name) for name in DOCUMENTS.names]
    return pa.table(columns, DOCUMENTS)


def _count_chars(batch: pa.RecordBatch, keep: pa.BooleanArray, stay: pa.Table) -> pa.Array:
    """Return the characters of every document after all edits, deleted passages among them."""
    lengths = pc.utf8_length(stay["text"].combine_chunks()).cast(pa.int64())
    return pc.replace_with_mask(batch.column("chars"), keep, lengths)


def _judge(
    batch: pa.RecordBatch, members: Structs, first: int, keep: pa.BooleanArray, chars: pa.Array
) -> pa.Table:
    """Return the ledger rows of a batch whose first document is row `first` of the unit."""
    size = len(batch)
    here = members[(members["row"] >= first) & (members["row"] < first + size)]
    at = here["row"].astype(np.int64) - first
    survivor, cluster, similarity = np.full((3, size), None, object)
    survivor[at] = to_hex(here["survivor_high"], here["survivor_low"])
    cluster[at] = to_hex(here["cluster_high"], here["cluster_low"])
    similarity[at] = here["similarity"]
    first_failed = _first(batch.column("failed"))
    verdict = pc.case_when(
        pc.make_struct(pc.is_valid(first_failed), keep),
        Verdict.DROPPED.value,
        Verdict.KEPT.value,
        Verdict.DUPLICATE.value,
    )
    columns = {
        "verdict": verdict,
        "rule": first_failed,
        "cluster": pa.array(cluster, pa.string()),
        "survivor": pa.array(survivor, pa.string()),
        "similarity": pa.array(similarity, pa.float32()),
        "split": pa.nulls(size, pa.string()),
        "tokens": pa.nulls(size, pa.int64()),
    }
    rest = {name: batch.column(name) for name in batch.schema.names}
    return _to_ledger(rest | columns | {"chars": chars})


def _first(lists: pa.ListArray) -> pa.StringArray:
    """Return the first item of every list, null where it is empty."""
    lengths = pc.list_value_length(lists).to_numpy()
    values = lists.flatten()
    starts = np.cumsum(lengths) - lengths
    return values.take(pa.array(starts, mask=lengths == 0))


def _list_rejected(job: Job, uid: int) -> pa.Table:
    nothing: dict[str, Any] = {"verdict": Verdict.QUARANTINED.value, "chars_in": 0, "chars": 0}
    nothing |= {"tokens": 0, "failed": []}
    rows = [row._asdict() | nothing for row in job.work.rejected[uid].read()]
    return pa.Table.from_pylist(rows, schema=LEDGER)


def _to_ledger(columns: dict[str, Any]) -> pa.Table:
    table = pa.table({name: columns[name] for name in LEDGER.names}).cast(LEDGER)
    check_table("ledger", table, LEDGER)
    return table
