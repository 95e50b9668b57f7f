"""Kernels: the clean step's files of a unit, from what a finished run kept of it.

A run keeps every text and every rule's value, so a unit without bad records need not be read again:
its cleaned documents are put together from `documents`, `dropped` and `ledger`. A unit with bad
records is read again, and what was read before stays as it was.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.contamination.hits import HITS
from pipelines.curate import quarantine
from pipelines.curate.clean import (
    BATCH_CHARS,
    CLEANED,
    Findings,
    QuarantinedRecord,
    clean_unit,
    write_unit,
)
from pipelines.curate.lost_bytes import LossTally
from pipelines.settings import CurateSettings, Job
from pipelines.work.units import Unit
from weighting.contracts.documents import DOCUMENTS, Verdict, read_table
from weighting.contracts.statistics import LEFT_OUT_STATS, SKIPPED_STATS
from weighting.errors import BrokenContract


def restore_unit(uid: int, run: Path, number: int, settings: CurateSettings, job: Job) -> None:
    """Write the clean step's files of a unit that a finished run holds as its unit `number`.

    Raises:
        BrokenContract: the run's files do not fit together.
    """
    if not job.work.clean.is_done(uid):
        findings = Findings(
            skipped=_restore_skipped(run, number),
            hits=[restore_hits(run, number)],
            left_out=_restore_left_out(run, number),
        )
        write_unit(uid, cut_batches(restore_rows(run, number)), findings, settings, job)


def read_again(
    unit: Unit, known: pa.Table, hits: pa.Table, settings: CurateSettings, scratch: Job, job: Job
) -> None:
    """Write the clean step's files of a unit that is read again.

    `known` are documents (CLEANED) that a finished run has of it, `hits` (HITS) the evaluation
    items in its documents: they stay as they are, whether or not they can be read with these
    settings. `scratch` takes what is read; its folder is empty.
    """
    if job.work.clean.is_done(unit.uid):
        return
    clean_unit(unit, settings, scratch)
    rows, findings = _load(unit.uid, scratch)
    ids = set(known["doc_id"].to_pylist())
    findings.rejects = [one for one in findings.rejects if one.row.doc_id not in ids]
    known_ids = known["doc_id"].combine_chunks()
    fresh = [hit.filter(pc.invert(pc.is_in(hit["doc_id"], known_ids))) for hit in findings.hits]
    findings.hits = [hits.filter(pc.is_in(hits["doc_id"], known_ids)), *fresh]
    write_unit(unit.uid, cut_batches(merge_rows(known, rows)), findings, settings, job)


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


def _restore_skipped(run: Path, uid: int) -> Counter[str]:
    table = read_table(run / "stats" / "skipped.parquet", SKIPPED_STATS)
    rows = table.filter(pc.equal(table["unit"], uid)).to_pylist()
    return Counter({row["kind"]: row["records"] for row in rows})


def _restore_left_out(run: Path, uid: int) -> Counter[str]:
    table = read_table(run / "stats" / "left_out.parquet", LEFT_OUT_STATS)
    rows = table.filter(pc.equal(table["unit"], uid)).to_pylist()
    return Counter({row["reason"]: row["fields"] for row in rows})


def restore_hits(run: Path, uid: int) -> pa.Table:
    """Return the evaluation items that a finished run found in a unit (HITS)."""
    path = run / "contamination" / f"{uid:06d}.parquet"
    return read_table(path, HITS) if path.exists() else HITS.empty_table()


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


def _load(uid: int, job: Job) -> tuple[pa.Table, Findings]:
    """Read back what `clean_unit` wrote into a folder that holds nothing else."""
    with pa.OSFile(str(job.work.cleaned[uid])) as file:
        rows = pa.ipc.open_file(file).read_all()
    pairs = zip(job.work.rejected[uid].read(), quarantine.read(job.run / "quarantine"), strict=True)
    rejects = [QuarantinedRecord(row, entry) for row, entry in pairs]
    summary = job.work.clean.read(uid)
    hits, left_out = [restore_hits(job.run, uid)], Counter(summary.left_out)
    losses = LossTally(summary.losses.lost, {*summary.losses.broken}, dict(summary.losses.silent))
    return rows, Findings(rejects, Counter(summary.skipped), hits, left_out, losses)
