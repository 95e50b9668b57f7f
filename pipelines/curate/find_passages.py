"""Kernels: which passages several of the kept documents hold.

`list_pieces` takes the pieces of a unit's kept documents down as hashes, `count_pieces` counts one
range of them over all units, and `load_repeats` returns those of a unit that are repeated.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from pipelines.curate.cluster import load_members
from pipelines.dedupe.passages import find_pieces
from pipelines.dedupe.repeats import (
    count_repeats,
    cut_range,
    pack_keys,
    select_all,
    sort_columns,
)
from pipelines.dedupe.survivors import list_copies
from pipelines.settings import CurateSettings, Job, PassageSettings
from pipelines.words import Text
from pipelines.work.summaries import RecordSummary
from weighting.arrays import Bools, Structs, Uint64s


def list_pieces(uid: int, settings: CurateSettings, job: Job) -> None:
    """Write the hashes of all pieces of a unit's kept documents, then mark it done."""
    if job.work.find_passages.is_done(uid):
        return
    wanted = _get_settings(settings)
    members = load_members(job, uid)
    parts: list[Uint64s] = [np.empty((2 if wanted.delete else 1, 0), np.uint64)]
    first = 0
    with pa.memory_map(str(job.work.cleaned[uid])) as file:
        reader = pa.ipc.open_file(file)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            kept = batch.filter(pa.array(find_kept(batch, members, first)))
            ranks = rank_documents(kept, settings) if wanted.delete else None
            pieces = find_pieces(Text.view(kept.column("text")), wanted)
            parts.append(pack_keys(pieces, ranks))
            first += len(batch)
    job.work.pieces[uid].save(sort_columns(parts))
    job.work.find_passages.finish(uid, RecordSummary(first))


def count_pieces(
    number: int, ranges: int, uids: Sequence[int], settings: CurateSettings, job: Job
) -> None:
    """Write what is repeated in one range of the hashes of all units, unless that is done."""
    file = job.work.repeats[number]
    if not file.exists():
        units = (job.work.pieces[uid].load() for uid in uids)
        # Copies: finding the range has touched pages all over each file, which are let go with it.
        parts = [cut_range(columns, number, ranges).copy() for columns in units]
        file.save(count_repeats(parts, _get_settings(settings).documents))


def load_repeats(uid: int, job: Job) -> Uint64s:
    """Return what a unit holds of all that is repeated (see `dedupe.repeats`)."""
    return select_all(job.work.pieces[uid].load(), [file.load() for file in job.work.repeats])


def find_kept(batch: pa.RecordBatch, members: Structs, first: int) -> Bools:
    """Return which documents of a batch (CLEANED) stay; `first` is its first row in the unit."""
    keep = pc.list_value_length(batch.column("failed")).to_numpy() == 0
    rows = list_copies(members).astype(np.int64) - first
    keep[rows[(rows >= 0) & (rows < len(batch))]] = False
    return np.asarray(keep)


def rank_documents(kept: pa.RecordBatch | pa.Table, settings: CurateSettings) -> Uint64s:
    """Return a number for each of D documents, uint64 [D]: the smallest keeps a passage.

    It is derived from the text alone, or from the id if texts may be equal.
    """
    exact = settings.dedupe is not None and settings.dedupe.exact
    values = kept["text" if exact else "doc_id"]
    return np.array([xxhash.xxh3_64_intdigest(value.as_buffer()) for value in values], np.uint64)


def _get_settings(settings: CurateSettings) -> PassageSettings:
    assert settings.dedupe is not None
    assert settings.dedupe.passages is not None
    return settings.dedupe.passages
