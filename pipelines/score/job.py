"""The score job: tokens and counts in; sidecars with every token's signals, and statistics, out.

    units ─► Score ─► sums of signals by type ─► sum

Units are scored by themselves: what a token is worth depends on counts that are known by now, and
on models that each process loads once.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import apache_beam as beam

from pipelines.engine.codec import decode_vector
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import OverUnits, SumVectors, run_watched, save_rows
from pipelines.score.model_texts import load_readers
from pipelines.score.score_unit import Corpus, Loaded, score_unit
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.ngram_counts import count_partitions, load_counted
from pipelines.tokenize.tokens import load_types
from weighting.arrays import Int64s
from weighting.storage.files import sha256
from weighting.vocabulary import read_vocabulary


def load(partitions: int, settings: ScoreSettings, job: Job) -> Loaded:
    """Load vocabulary, counts and models."""
    tokenizer = job.run / "tokenizer.json"
    vocabulary, digest = read_vocabulary(tokenizer), sha256(tokenizer)
    counted = load_counted(partitions, settings.order, job)
    corpus = Corpus(load_types(job, vocabulary.eos_id), counted, digest)
    if settings.model is None:
        return Loaded(corpus, vocabulary)
    from pipelines.score.model_scorer import load_scorers  # torch is for runs with models

    scorers = load_scorers(settings.model, digest)
    tokenizers = {name: one for part in scorers for name, one in part.tokenizers.items()}
    readers = load_readers(tokenizers)
    return Loaded(corpus, vocabulary, scorers, readers)


def score(
    sizes: Mapping[int, int],
    settings: ScoreSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the job over units given with the bytes of text of each, after the tokenize job.

    Units finished by an earlier run are skipped.
    """
    partitions = count_partitions(sum(sizes.values()))
    build = partial(_build, partitions=partitions, settings=settings, job=job)
    run_watched(engine, build, job.work.score, sizes, progress)


def _build(
    pipeline: beam.Pipeline, uids: Sequence[int], partitions: int, settings: ScoreSettings, job: Job
) -> None:
    """Wire the graph."""
    kernel = partial(_score, settings=settings, job=job)
    over = OverUnits(kernel, load=partial(load, partitions, settings, job))
    scored = pipeline | "Units" >> beam.Create(uids) | "Score" >> beam.ParDo(over)
    sums = scored | "SumTypes" >> beam.CombineGlobally(SumVectors())
    _ = sums | "SaveSums" >> beam.Map(save_signals, job)


def _score(uid: int, loaded: Loaded, settings: ScoreSettings, job: Job) -> Int64s:
    return score_unit(uid, loaded, settings, job)


def save_signals(packed: bytes, job: Job) -> None:
    """Write the sums of signals by type, int64 [S, V]."""
    types = job.work.type_counts.load().shape[1]
    save_rows(len(decode_vector(packed)) // types, job.work.type_signals)(packed)
