"""Kernels: the clean stage's files of a unit, from what a finished run kept of it.

A run keeps every text and every rule's value, so a unit without bad records need not be read again:
its cleaned documents are put together from `documents`, `dropped` and `ledger`. A unit with bad
records is read again, and what was read before stays as it was.
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import quarantine
from pipelines.arrays import save_array
from pipelines.clean import BATCH_CHARS, CLEANED, STAGE, clean_unit, hash_batch
from pipelines.dedupe.exact import KEYS
from pipelines.settings import CurateSettings, Job
from pipelines.units import Unit
from weighting.documents import DOCUMENTS, Verdict, read_table
from weighting.errors import BrokenContract
from weighting.files import replacing


class Unreadable(NamedTuple):
    """A quarantined record: what the ledger needs of it, and its entry in quarantine."""

    row: dict[str, str]
    entry: quarantine.Entry


def restore_unit(uid: int, run: Path, number: int, settings: CurateSettings, job: Job) -> None:
    """Write the clean stage's files of a unit that a finished run holds as its unit `number`.

    Raises:
        BrokenContract: the run's files do not fit together.
    """
    if not job.work.is_done(STAGE, uid):
        _write(uid, restore_rows(run, number), [], settings, job)


def read_again(
    unit: Unit, known: pa.Table, settings: CurateSettings, scratch: Job, job: Job
) -> None:
    """Write the clean stage's files of a unit that is read again.

    `known` are documents (CLEANED) that a finished run has of it: they stay as they are, whether or
    not they can be read with these settings. `scratch` takes what is read; its folder is empty.
    """
    if job.work.is_done(STAGE, unit.uid):
        return
    clean_unit(unit, settings, scratch)
    rows, rejected = _load(unit.uid, scratch)
    ids = set(known["doc_id"].to_pylist())
    still = [one for one in rejected if one.row["doc_id"] not in ids]
    _write(unit.uid, merge_rows(known, rows), still, settings, job)


def restore_rows(run: Path, uid: int) -> pa.Table:
    """Return a unit's cleaned documents (CLEANED) in the order in which they were read.

    Raises:
        BrokenContract: a file is damaged, a document is missing, or a column is.
    """
    name = f"{uid:06d}.parquet"
    ledger = pq.read_table(run / "ledger" / name)
    ledger = ledger.filter(pc.not_equal(ledger["verdict"], Verdict.QUARANTINED.value))
    folders = ("documents", "dropped")
    documents = pa.concat_tables([read_table(run / f / name, DOCUMENTS) for f in folders])
    at = pc.index_in(ledger["doc_id"], documents["doc_id"])
    if at.null_count:
        raise BrokenContract(f"{run}: unit {uid} lacks {at.null_count} documents of its ledger")
    found = documents.take(at)
    columns = {key: table[key] for table in (found, ledger) for key in table.column_names}
    missing = [field.name for field in CLEANED if field.name not in columns]
    if missing:
        raise BrokenContract(f"{run}: made by other code, which kept no {missing[0]}")
    return pa.table([columns[field.name] for field in CLEANED], names=CLEANED.names).cast(CLEANED)


def drop_files(rows: pa.Table, names: Collection[str]) -> pa.Table:
    """Return the documents that come from other files than these."""
    for name in names:
        rows = rows.filter(pc.invert(pc.starts_with(rows["locator"], f"{name}: ")))
    return rows


def merge_rows(known: pa.Table, read: pa.Table) -> pa.Table:
    """Return what was read, known documents in place of read ones, then the other known ones."""
    at = pc.index_in(read["doc_id"], known["doc_id"])
    own = pa.array(np.arange(len(read), dtype=np.int32) + len(known))
    merged = pa.concat_tables([known, read]).take(pc.coalesce(at, own))
    rest = known.filter(pc.invert(pc.is_in(known["doc_id"], read["doc_id"])))
    return pa.concat_tables([merged, rest])


def cut_batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield rows in the batches in which cleaning would have written them."""
    ends = np.cumsum(rows["chars_in"].to_numpy())
    start = 0
    while start < len(rows):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + BATCH_CHARS)) + 1
        yield rows.slice(start, stop - start).combine_chunks().to_batches()[0]
        start = stop


def _load(uid: int, job: Job) -> tuple[pa.Table, list[Unreadable]]:
    """Read back what `clean_unit` wrote into a folder that holds nothing else."""
    with pa.OSFile(str(job.work.path(STAGE, uid, ".arrow"))) as file:
        rows = pa.ipc.open_file(file).read_all()
    rejected = orjson.loads(job.work.path("rejected", uid, ".json").read_bytes())
    entries = quarantine.read(job.run / "quarantine")
    return rows, [Unreadable(*pair) for pair in zip(rejected, entries, strict=True)]


def _write(
    uid: int, rows: pa.Table, rejected: list[Unreadable], settings: CurateSettings, job: Job
) -> None:
    keys = [np.empty(0, KEYS)]
    with ExitStack() as stack:
        path = stack.enter_context(replacing(job.work.path(STAGE, uid, ".arrow")))
        writer = stack.enter_context(pa.ipc.new_file(str(path), CLEANED))
        first = 0
        for batch in cut_batches(rows):
            writer.write_batch(batch)
            keys.append(hash_batch(batch, uid, first, settings))
            first += len(batch)
    save_array(job.work.path("keys", uid, ".npy"), np.sort(np.concatenate(keys)))
    if rejected:
        path = job.output("quarantine", uid, ".jsonl.zst")
        quarantine.write(path, [one.entry for one in rejected])
    with replacing(job.work.path("rejected", uid, ".json")) as path:
        path.write_bytes(orjson.dumps([one.row for one in rejected]))
    job.work.finish(STAGE, uid, {"records": len(rows) + len(rejected)})
