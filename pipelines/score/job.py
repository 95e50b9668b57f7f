"""The score job: tokens and counts in; sidecars with every token's signals, and statistics, out.

    units ─► Score ─► sums of signals by type ─► sum

Units are scored by themselves: what a token is worth depends on counts that are known by now, and
on models that each process loads once.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import apache_beam as beam

from pipelines.engine.codec import decode_vector
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import OverUnits, SumVectors, run_watched, save_rows
from pipelines.score.held_out import Scorer
from pipelines.score.score_unit import Corpus, score_unit
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.ngram_counts import count_partitions, load_counted
from pipelines.tokenize.tokens import load_types
from weighting.arrays import Int64s
from weighting.storage.files import sha256
from weighting.vocabulary import Vocabulary, read_vocabulary


class Loaded(NamedTuple):
    """What a process needs to score units, made once."""

    corpus: Corpus
    vocabulary: Vocabulary
    scorers: Sequence[Scorer]


def load(partitions: int, settings: ScoreSettings, job: Job) -> Loaded:
    """Load vocabulary, counts and models."""
    tokenizer = job.run / "tokenizer.json"
    vocabulary, digest = read_vocabulary(tokenizer), sha256(tokenizer)
    counted = load_counted(partitions, settings.order, job)
    scorers: Sequence[Scorer] = ()
    if settings.model is not None:
        from pipelines.score.model_scorer import (
            load_scorers,  # torch is not for runs without a model
        )

        scorers = load_scorers(settings.model, digest)
    return Loaded(Corpus(load_types(job, vocabulary.eos_id), counted, digest), vocabulary, scorers)


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
    return score_unit(uid, *loaded, settings=settings, job=job)


def save_signals(packed: bytes, job: Job) -> None:
    """Write the sums of signals by type, int64 [S, V]."""
    types = job.work.type_counts.load().shape[1]
    save_rows(len(decode_vector(packed)) // types, job.work.type_signals)(packed)
