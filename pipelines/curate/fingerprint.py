"""Kernel: what deduplication keeps of a batch of documents, so that it reads no text again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from pipelines.dedupe.fingerprints import Documents, Fingerprints, describe
from pipelines.dedupe.minhash import Signatures, sign
from pipelines.dedupe.quality import measure_quality
from pipelines.rules.registry import RULES
from pipelines.rules.rule import list_bounds
from pipelines.settings import DedupeSettings, Job, NearSettings
from pipelines.text.word_hashes import list_words
from pipelines.words import Text


def locate_fingerprints(job: Job, uid: int) -> Fingerprints:
    """Return where the fingerprints of a unit are while the run is at work."""
    return Fingerprints(job.work.fingerprints[uid], job.work.bands[uid])


def fingerprint(batch: pa.RecordBatch, first: int, settings: DedupeSettings) -> Documents:
    """Return the fingerprints of the documents (CLEANED) that no rule drops.

    `first` is the row of the batch's first document in its unit.
    """
    rows = np.flatnonzero(pc.list_value_length(batch.column("failed")).to_numpy() == 0)
    chosen = batch.take(pa.array(rows))
    texts = chosen.column("text")
    return describe(
        ids=[bytes.fromhex(doc_id) for doc_id in chosen.column("doc_id").to_pylist()],
        contents=[xxhash.xxh3_128_digest(text.as_buffer()) for text in texts],
        quality_D=measure_quality(chosen, settings.quality, list_bounds(RULES)),
        lengths_D=chosen.column("chars").to_numpy(),
        rows_D=(rows + first).astype(np.uint32),
        signatures=_sign(texts, settings.near) if settings.near else None,
    )


def _sign(texts: pa.StringArray, near: NearSettings) -> Signatures:
    return sign(list_words(Text.view(texts), keep_numbers=near.numbers == "keep"), near)
