"""Kernel: give every token of a unit its signals, its raw weight and its reasons.

Writes the unit's raw weights and reasons, and, where the run keeps one, its explain sidecar:
RUN/signals, one row a document, with each token's first character in the kept text and the value
of each signal.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrays import load_array, save_array
from pipelines.encode import Encoder
from pipelines.marks import Marks, has_marks, mark_tokens
from pipelines.pairs import load_contexts, look_up
from pipelines.settings import Job, WeighSettings
from pipelines.tokenize import TRAIN, VALIDATION, Documents, find_previous, load_tokens
from weighting.documents import DOCUMENTS, read_table
from weighting.files import replacing
from weighting.ngrams import pack_pairs
from weighting.policies import dampen, find_policy, flag, measure_mass
from weighting.signals import SIGNALS, Counts, Facts, Occurrences, gather_facts

STAGE = "score"


class Corpus(NamedTuple):
    """What scoring needs to know of the whole corpus; the pairs stay on disk."""

    types_V: npt.NDArray[np.int64]  # counts on the train split
    partitions: int  # of the merged pair counts
    discount: float


def score_unit(
    uid: int, corpus: Corpus, encoder: Encoder, settings: WeighSettings, job: Job
) -> None:
    """Write raw weights, reasons and sidecar of a unit, then mark it done with its raw mass."""
    if job.work.is_done(STAGE, uid):
        return
    documents = load_tokens(job, uid)
    train_N = documents.spread(documents.train_D)
    special_N = documents.ids_N == encoder.eos_id
    signals = _compute_signals(documents, train_N, corpus, encoder, job)
    facts = gather_facts(corpus.types_V)
    kept = read_table(job.output("documents", uid, ".parquet"), DOCUMENTS)
    starts_N, marks = _mark(documents, kept, settings, encoder)
    raw_N = find_policy(settings.policy)(signals, facts, settings.params)
    raw_N = np.where(special_N, np.float32(1), raw_N)  # ends of documents stay neutral
    factor_N = dampen(settings.policy, *marks, settings.params)
    save_array(job.work.path("raw", uid, ".npy"), raw_N)
    save_array(job.work.path("factor", uid, ".npy"), factor_N)
    reasons_N = flag(signals, special_N, *marks, facts, settings.params)
    save_array(job.work.path("reasons", uid, ".npy"), reasons_N)
    if settings.sidecar:
        _write_sidecar(uid, documents, starts_N, signals, job)
    mass = {
        split: measure_mass(raw_N[chosen], factor_N[chosen])
        for split, chosen in ((TRAIN, train_N), (VALIDATION, ~train_N))
    }
    gains = np.bincount(
        documents.ids_N, weights=signals["ngram_gain"], minlength=encoder.vocab_size
    )
    save_array(job.work.path("gain", uid, ".npy"), to_fixed(np.asarray(gains, np.float64)))
    job.work.finish(STAGE, uid, {"tokens": len(raw_N), "mass": mass, "facts": _as_json(facts)})


FIXED_POINT = 2.0**20


def to_fixed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return values as integers of 2^-20: their sums do not depend on the order of units."""
    return np.rint(values * FIXED_POINT).astype(np.int64)


class Scores(NamedTuple):
    """What N tokens weigh before they are brought to mean 1, and why."""

    raw_N: npt.NDArray[np.float32]
    factor_N: npt.NDArray[np.float32]
    reasons_N: npt.NDArray[np.uint8]


def load_scores(job: Job, uid: int) -> Scores:
    """Return a unit's scores."""
    names = ("raw", "factor", "reasons")
    return Scores(*(load_array(job.work.path(name, uid, ".npy")) for name in names))


def _mark(
    documents: Documents, kept: pa.Table, settings: WeighSettings, encoder: Encoder
) -> tuple[npt.NDArray[np.int32], Marks]:
    """Return the first character and the marks of every token; nothing is looked for in vain."""
    size = len(documents.ids_N)
    marks = Marks(np.ones(size, np.int32), np.zeros(size, bool))
    marked = has_marks(kept)
    if not marked and not settings.sidecar:
        return np.zeros(size, np.int32), marks
    texts = kept["text"].to_pylist()
    starts_N = find_characters(documents, texts, encoder.bytes_V, encoder.eos_id)
    return starts_N, mark_tokens(kept, starts_N, documents.offsets_D1) if marked else marks


def _compute_signals(
    documents: Documents,
    train_N: npt.NDArray[np.bool_],
    corpus: Corpus,
    encoder: Encoder,
    job: Job,
) -> dict[str, npt.NDArray[np.float32]]:
    previous_N = find_previous(documents, encoder.eos_id)
    keys_K = np.unique(pack_pairs(previous_N, documents.ids_N, encoder.vocab_size))
    counts = Counts(
        corpus.types_V,
        look_up(job, corpus.partitions, encoder.vocab_size, keys_K),
        load_contexts(job, corpus.partitions),
        corpus.discount,
    )
    occurrences = Occurrences(documents.ids_N, previous_N, train_N.astype(np.int64))
    return {name: signal(occurrences, counts) for name, signal in SIGNALS.items()}


def _write_sidecar(
    uid: int,
    documents: Documents,
    starts_N: npt.NDArray[np.int32],
    signals: dict[str, npt.NDArray[np.float32]],
    job: Job,
) -> None:
    offsets = pa.array(documents.offsets_D1.astype(np.int32))
    lists = {
        name: pa.ListArray.from_arrays(offsets, pa.array(values))
        for name, values in {"char_start": starts_N, **signals}.items()
    }
    table = pa.table({"doc_id": documents.doc_ids, **lists})
    with replacing(job.output("signals", uid, ".parquet")) as path:
        pq.write_table(table, path, compression="zstd")


def find_characters(
    documents: Documents,
    texts: list[str],
    bytes_V: npt.NDArray[np.int64],
    eos_id: int,
) -> npt.NDArray[np.int32]:
    """Return the index of each token's first character in its document's text, int32 [N].

    Byte-level BPE loses nothing, so the lengths of the tokens before it give a token's first byte;
    a token that begins inside a character gets that character. The end-of-text token gets the
    length of the text.
    """
    blob = np.frombuffer("".join(texts).encode(), np.uint8)
    leads = np.concatenate([[0], np.cumsum((blob & 0xC0) != 0x80)])  # characters begun before
    lengths_N = np.where(documents.ids_N == eos_id, 0, bytes_V[documents.ids_N])
    first_N = np.cumsum(lengths_N) - lengths_N
    inside_N = np.zeros(len(first_N), np.int64)
    within = first_N < len(blob)
    inside_N[within] = (blob[first_N[within]] & 0xC0) == 0x80
    inside_N[documents.offsets_D1[1:] - 1] = 0
    chars_N = leads[first_N] - inside_N
    base_D = np.cumsum([0, *map(len, texts)])[:-1]
    return np.asarray(chars_N - np.repeat(base_D, np.diff(documents.offsets_D1)), np.int32)


def _as_json(facts: Facts) -> dict[str, float | None]:
    rare = facts.rare_surprisal
    return {"entropy": facts.entropy, "rare_surprisal": rare if np.isfinite(rare) else None}
