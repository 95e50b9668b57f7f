"""Kernel: settle the verdict of every record of a unit.

Joins the cleaned documents with the clusters that deduplication found and writes the unit's kept
documents, its dropped ones and its rows of the ledger.
"""

from collections import Counter
from contextlib import ExitStack
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.clean import STAGE as CLEAN
from pipelines.dedupe.exact import Members, to_hex
from pipelines.rules import list_rules
from pipelines.settings import Job
from weighting.documents import DOCUMENTS, Verdict, check_table, ledger_schema
from weighting.files import replacing

STAGE = "settle"
LEDGER = ledger_schema(list_rules())


def settle_unit(uid: int, members: Members, job: Job) -> None:
    """Write documents, dropped documents and ledger of a unit, then mark it done.

    `members` are the unit's documents that have copies (see `dedupe.exact`), in any order.
    """
    if job.work.is_done(STAGE, uid):
        return
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        kept, dropped = (
            _open(stack, job, folder, uid, DOCUMENTS) for folder in ("documents", "dropped")
        )
        ledger = _open(stack, job, "ledger", uid, LEDGER)
        reader = pa.ipc.open_file(pa.memory_map(str(job.work.path(CLEAN, uid, ".arrow"))))
        first = 0
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            table = _judge(batch, members, first)
            keep = pc.equal(table["verdict"], Verdict.KEPT)
            documents = pa.table([batch.column(name) for name in DOCUMENTS.names], DOCUMENTS)
            kept.write_table(documents.filter(keep))
            dropped.write_table(documents.filter(pc.invert(keep)))
            ledger.write_table(table)
            counts.update(table["verdict"].to_pylist())
            first += len(batch)
        ledger.write_table(_list_rejected(job, uid))
    job.work.finish(STAGE, uid, {"records": counts.total(), **counts})


def _open(stack: ExitStack, job: Job, folder: str, uid: int, schema: pa.Schema) -> pq.ParquetWriter:
    path = stack.enter_context(replacing(job.output(folder, uid, ".parquet")))
    return stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))


def _judge(batch: pa.RecordBatch, members: Members, first: int) -> pa.Table:
    """Return the ledger rows of a batch whose first document is row `first` of the unit."""
    size = len(batch)
    here = members[(members["row"] >= first) & (members["row"] < first + size)]
    at = here["row"].astype(np.int64) - first
    survivor, cluster = np.full(size, None, object), np.full(size, None, object)
    survivor[at] = to_hex(here["survivor_high"], here["survivor_low"])
    cluster[at] = to_hex(here["hash_high"], here["hash_low"])
    survivor_column = pa.array(survivor, pa.string())
    first_failed = _first(batch.column("failed"))
    copy = pc.fill_null(pc.not_equal(survivor_column, batch.column("doc_id")), False)
    verdict = pc.case_when(
        pc.make_struct(pc.is_valid(first_failed), copy),
        Verdict.DROPPED.value,
        Verdict.DUPLICATE.value,
        Verdict.KEPT.value,
    )
    columns = {
        "verdict": verdict,
        "rule": first_failed,
        "cluster": pa.array(cluster, pa.string()),
        "survivor": survivor_column,
        "split": pa.nulls(size, pa.string()),
        "tokens": pa.nulls(size, pa.int64()),
    }
    return _to_ledger(columns | {name: batch.column(name) for name in batch.schema.names})


def _first(lists: pa.ListArray) -> pa.StringArray:
    """Return the first item of every list, null where it is empty."""
    lengths = pc.list_value_length(lists).to_numpy()
    values = lists.flatten()
    starts = np.cumsum(lengths) - lengths
    return values.take(pa.array(starts, mask=lengths == 0))


def _list_rejected(job: Job, uid: int) -> pa.Table:
    rows = orjson.loads(job.work.path("rejected", uid, ".json").read_bytes())
    nothing: dict[str, Any] = {"verdict": Verdict.QUARANTINED.value, "chars_in": 0, "chars": 0}
    nothing |= {"tokens": 0, "failed": []}
    return pa.Table.from_pylist([row | nothing for row in rows], schema=LEDGER)


def _to_ledger(columns: dict[str, Any]) -> pa.Table:
    table = pa.table({name: columns[name] for name in LEDGER.names}).cast(LEDGER)
    check_table("ledger", table, LEDGER)
    return table
