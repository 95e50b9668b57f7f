"""Kernel: give every token of a unit its signals.

Writes the unit's sidecars (`weighting.contracts.sidecar`), one a split. What statistics need of
them, sums over the unit's tokens, goes into its summary and into a file by type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.score.held_out import Scorer, score_documents
from pipelines.score.marks import Marks, has_marks, mark_tokens
from pipelines.score.model_texts import ModelTexts, Reader, place_texts
from pipelines.score.moments import measure
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.ngram_counts import Counted, measure_gain
from pipelines.tokenize.places import find_characters
from pipelines.tokenize.tokens import Documents, load_tokens
from pipelines.work.summaries import ScoreSummary
from weighting.arrays import AnyArray, Bools, Float32s, Int32s, Int64s, Uint32s
from weighting.contracts.documents import DOCUMENTS, read_table
from weighting.contracts.sidecar import Sidecar, SidecarInfo, write_sidecar
from weighting.contracts.splits import TRAIN, VALIDATION
from weighting.signals.quantum import QUANTUM, quantise
from weighting.signals.registry import Signals, measure_tokens
from weighting.signals.token_types import Types
from weighting.vocabulary import Vocabulary


class Corpus(NamedTuple):
    """What scoring needs to know of the whole corpus; n-gram counts stay on disk."""

    types: Types
    counted: Counted
    tokenizer_sha256: str


class Loaded(NamedTuple):
    """What a process needs to score units, made once."""

    corpus: Corpus
    vocabulary: Vocabulary
    scorers: Sequence[Scorer] = ()
    readers: Mapping[str, Reader] = {}  # of the tokenizers of models of others


def locate_sidecars(job: Job, keep: bool) -> Path:
    """Return the folder of the sidecars: an output of the run, or among its temporary files."""
    return job.run / "signals" if keep else job.work.signals


def name_part(split: str, uid: int) -> str:
    """Return the name that a unit's sidecar and shard of a split share, without suffix."""
    return f"{split}-{uid:06d}"


def score_unit(uid: int, loaded: Loaded, settings: ScoreSettings, job: Job) -> Int64s:
    """Write the sidecars of a unit; return the sums of S stored signals by type, int64 [S, V].

    They are in units of QUANTUM. A unit done before gives its sums from disk.
    """
    corpus, vocabulary = loaded.corpus, loaded.vocabulary
    sums_file = job.work.unit_type_signals[uid]
    if job.work.score.is_done(uid):
        return sums_file.load()
    documents = load_tokens(job, uid)
    stored = compute_signals(uid, documents, loaded, job)
    whole = _join_columns(uid, documents, stored, corpus, vocabulary, settings, job)
    moments = {}
    for split, chosen_D in ((TRAIN, documents.train_D), (VALIDATION, ~documents.train_D)):
        part = choose_documents(whole, chosen_D, split)
        if chosen_D.any():
            folder = locate_sidecars(job, settings.keep)
            write_sidecar(folder / f"{name_part(split, uid)}.parquet", part)
        signals = Signals(corpus.types, part.ids_N, part.signals)
        moments[split] = measure(signals, part.special_N)
    sums_SxV = sum_by_type(documents.ids_N, stored, vocabulary.vocab_size)
    sums_file.save(sums_SxV)
    job.work.score.finish(uid, ScoreSummary(len(documents.ids_N), list(stored), moments))
    return sums_SxV


def compute_signals(
    uid: int, documents: Documents, loaded: Loaded, job: Job
) -> dict[str, Float32s]:
    """Return the stored signals of a unit's tokens, rounded as the sidecar has them."""
    types, eos_id = loaded.corpus.types, loaded.vocabulary.eos_id
    gain_N = measure_gain(documents, types.probability_V, eos_id, loaded.corpus.counted, job)
    stored: dict[str, Float32s] = {"ngram_gain": gain_N}
    texts = _place_texts(uid, documents, gain_N, loaded, job) if loaded.readers else None
    stored |= score_documents(loaded.scorers, documents, eos_id, texts)
    of_tokens = measure_tokens(documents.ids_N, documents.offsets_D1, types)
    return {name: quantise(values_N) for name, values_N in stored.items()} | of_tokens


def _place_texts(
    uid: int, documents: Documents, gain_N: Float32s, loaded: Loaded, job: Job
) -> ModelTexts:
    """Return the unit's texts for models of others; a token's share is its n-gram surprisal."""
    surprisal_N = np.take(loaded.corpus.types.surprisal_V, documents.ids_N) - gain_N
    shares_N = np.maximum(surprisal_N, 0)
    texts = _read_kept(uid, job)["text"].to_pylist()
    return place_texts(documents, texts, loaded.vocabulary, shares_N, loaded.readers)


def _read_kept(uid: int, job: Job) -> pa.Table:
    return read_table(job.output("documents", uid, ".parquet"), DOCUMENTS)


def sum_by_type(ids_N: Uint32s, stored: Mapping[str, Float32s], vocab_size: int) -> Int64s:
    """Return sums of S signals over the tokens of each type, int64 [S, V] in units of QUANTUM.

    Exact, because the signals are multiples of QUANTUM: no order of units changes them.
    """
    sums = [np.bincount(ids_N, values_N, vocab_size) / QUANTUM for values_N in stored.values()]
    return np.rint(np.stack(sums)).astype(np.int64)


def choose_documents(sidecar: Sidecar, chosen_D: Bools, split: str) -> Sidecar:
    """Return the chosen documents of a sidecar as one of a split; what was not read stays empty."""
    lengths_D = np.diff(sidecar.offsets_D1)
    chosen_N = np.repeat(chosen_D, lengths_D)

    def choose(values_N: AnyArray) -> AnyArray:
        return values_N[chosen_N] if len(values_N) else values_N

    return Sidecar(
        replace(sidecar.info, split=split),
        sidecar.doc_ids.filter(pa.array(chosen_D)),
        sidecar.sources.filter(pa.array(chosen_D)),
        np.concatenate([[0], np.cumsum(lengths_D[chosen_D])]),
        choose(sidecar.ids_N),
        choose(sidecar.starts_N),
        choose(sidecar.copies_N),
        choose(sidecar.contaminated_N),
        {name: choose(values_N) for name, values_N in sidecar.signals.items()},
    )


def _join_columns(
    uid: int,
    documents: Documents,
    stored: Mapping[str, Float32s],
    corpus: Corpus,
    vocabulary: Vocabulary,
    settings: ScoreSettings,
    job: Job,
) -> Sidecar:
    """Return what the sidecars of both splits say of a unit's tokens, in the order of the unit."""
    starts_N, marks = _mark(uid, documents, settings, vocabulary, job)
    return Sidecar(
        info=SidecarInfo(
            tokenizer_sha256=corpus.tokenizer_sha256,
            vocab_size=vocabulary.vocab_size,
            eos_id=vocabulary.eos_id,
            split=TRAIN,
            signals=list(stored),
        ),
        doc_ids=documents.doc_ids,
        sources=documents.sources,
        offsets_D1=documents.offsets_D1,
        ids_N=documents.ids_N,
        starts_N=starts_N,
        copies_N=marks.documents_N,
        contaminated_N=marks.contaminated_N,
        signals=stored,
    )


def _mark(
    uid: int, documents: Documents, settings: ScoreSettings, vocabulary: Vocabulary, job: Job
) -> tuple[Int32s, Marks]:
    """Return the first character and the marks of every token.

    Where nothing is marked and no sidecar is kept, nobody reads the characters: they are 0.
    """
    kept = _read_kept(uid, job)
    size = len(documents.ids_N)
    marks = Marks(np.ones(size, np.int32), np.zeros(size, bool))
    marked = has_marks(kept)
    if not marked and not settings.keep:
        return np.zeros(size, np.int32), marks
    texts = kept["text"].to_pylist()
    starts_N = find_characters(
        documents.ids_N, documents.offsets_D1, documents.places, texts, vocabulary
    )
    return starts_N, mark_tokens(kept, starts_N, documents.offsets_D1) if marked else marks
