"""Kernel: encode one unit's documents, split them, count them.

Writes the unit's tokens (an end-of-text token after every document), its counts by type and of
n-grams, and fills in the tokens of the unit's ledger rows, the dropped documents' included, so
that "what did this rule cost" has an exact answer.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.curate.write_documents import LEDGER
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.encoder import Encoded, Encoder
from pipelines.tokenize.ngram_counts import count_unit
from pipelines.tokenize.split import choose_train
from pipelines.tokenize.tokens import Documents
from pipelines.work.summaries import TokenizeSummary
from weighting.array_tools import number_groups
from weighting.arrays import Int64s
from weighting.contracts.documents import DOCUMENTS, read_table, write_table
from weighting.contracts.splits import TRAIN, VALIDATION
from weighting.storage.files import replacing


def tokenize_unit(uid: int, encoder: Encoder, settings: ScoreSettings, job: Job) -> Int64s:
    """Write the unit's tokens and n-gram counts; return its type counts, int64 [3, V].

    Row 0 counts tokens of the train split, row 1 of validation, row 2 the train documents that hold
    the type. A unit done before gives its counts from disk.
    """
    counts_file = job.work.unit_type_counts[uid]
    if job.work.tokenize.is_done(uid):
        return counts_file.load()
    kept = read_table(job.output("documents", uid, ".parquet"), DOCUMENTS).combine_chunks()
    vocabulary = encoder.vocabulary
    encoded = encoder.encode(kept["text"].to_pylist(), _name(kept))
    tokens = append_eos(encoded, vocabulary.eos_id)
    documents = Documents(
        doc_ids=_flat(kept["doc_id"]),
        sources=_flat(kept["source"]),
        train_D=choose_train(kept["doc_id"].to_pylist(), settings.validation_share),
        ids_N=tokens.ids_N,
        offsets_D1=tokens.offsets_D1,
        places=encoded.places,
    )
    _save_tokens(documents, job, uid)
    counts_3V = count_types(documents, vocabulary.vocab_size)
    counts_file.save(counts_3V)
    count_unit(uid, documents, vocabulary, settings.order, job)
    lengths = dict(zip(kept["doc_id"].to_pylist(), np.diff(encoded.offsets_D1), strict=True))
    used = encoded.used | _fill_ledger(uid, documents, lengths, encoder, job)
    job.work.tokenize.finish(uid, TokenizeSummary(len(documents.ids_N), sorted(used)))
    return counts_3V


def append_eos(encoded: Encoded, eos_id: int) -> Encoded:
    """Return the documents with one more token each, `eos_id`, at the end."""
    ids = np.insert(encoded.ids_N, encoded.offsets_D1[1:], np.uint32(eos_id))
    return Encoded(ids, encoded.offsets_D1 + np.arange(len(encoded.offsets_D1)))


def _name(rows: pa.Table | pa.RecordBatch) -> list[str]:
    """Return what names documents in an error."""
    return [f"document {doc_id}" for doc_id in rows["doc_id"].to_pylist()]


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _save_tokens(documents: Documents, job: Job, uid: int) -> None:
    ids = pa.LargeListArray.from_arrays(documents.offsets_D1, pa.array(documents.ids_N))
    places = [documents.places.get(number) for number in range(len(documents.doc_ids))]
    starts = pa.array(places, pa.list_(pa.int32()))
    batch = pa.record_batch(
        [documents.doc_ids, documents.sources, pa.array(documents.train_D), ids, starts],
        names=["doc_id", "source", "train", "input_ids", "char_start"],
    )
    with (
        replacing(job.work.tokens[uid]) as path,
        pa.ipc.new_file(str(path), batch.schema) as writer,
    ):
        writer.write_batch(batch)


def count_types(documents: Documents, vocab_size: int) -> Int64s:
    """Return tokens of train, tokens of validation, and train documents by type, int64 [3, V]."""
    train_N = documents.spread(documents.train_D)
    ids_N = documents.ids_N.astype(np.int64)
    document_N = number_groups(documents.offsets_D1)
    held = np.unique(document_N[train_N] * vocab_size + ids_N[train_N]) % vocab_size
    parts = (ids_N[train_N], ids_N[~train_N], held)
    return np.stack([np.bincount(part, minlength=vocab_size) for part in parts]).astype(np.int64)


def _fill_ledger(
    uid: int, documents: Documents, lengths: dict[str, int], encoder: Encoder, job: Job
) -> frozenset[str]:
    """Write tokens and split into the unit's ledger rows; return what encoded the dropped."""
    used: frozenset[str] = frozenset()
    for group in _dropped(job, uid):
        encoded = encoder.encode(group["text"].to_pylist(), _name(group))
        used |= encoded.used
        lengths |= dict(zip(group["doc_id"].to_pylist(), np.diff(encoded.offsets_D1), strict=True))
    splits = dict(
        zip(
            documents.doc_ids.to_pylist(),
            np.where(documents.train_D, TRAIN, VALIDATION).tolist(),
            strict=True,
        )
    )
    path = job.output("ledger", uid, ".parquet")
    ledger = read_table(path, LEDGER)
    ids = ledger["doc_id"].to_pylist()
    columns = {name: ledger[name] for name in LEDGER.names}
    columns["tokens"] = pa.array([int(lengths.get(i, 0)) for i in ids], pa.int64())
    columns["split"] = pa.array([splits.get(i) for i in ids], pa.string())
    write_table(path, pa.table(columns, schema=LEDGER), LEDGER)
    return used


def _dropped(job: Job, uid: int) -> list[pa.RecordBatch]:
    table = pq.ParquetFile(job.output("dropped", uid, ".parquet"))
    return [table.read_row_group(i).combine_chunks() for i in range(table.num_row_groups)]
