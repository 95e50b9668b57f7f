"""The score job: tokens and counts in; sidecars with every token's signals, and statistics, out.

    units ─► Score ─► sums of signals by type ─► sum

Units are scored by themselves: what a token is worth depends on counts that are known by now, and
on models that each process loads once.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import apache_beam as beam

from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import SumVectors, WithEncoder, run_watched, save_rows
from pipelines.score.score_unit import Corpus, score_unit
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.ngram_counts import count_partitions, load_counted
from pipelines.tokenize.tokens import load_types
from weighting.storage.files import sha256


class Score(WithEncoder):
    """Score a unit."""

    def __init__(self, partitions: int, settings: ScoreSettings, job: Job) -> None:
        super().__init__(settings, job)
        self.partitions = partitions

    def setup(self) -> None:
        """Load encoder, counts and models."""
        super().setup()
        tokenizer = sha256(self.job.run / "tokenizer.json")
        counted = load_counted(self.partitions, self.settings.order, self.job)
        self.corpus = Corpus(load_types(self.job, self.encoder.eos_id), counted, tokenizer)
        self.scorer = None
        if self.settings.model is not None:
            from pipelines.score.model_scorer import (
                load_scorer,  # torch is not for runs without a model
            )

            self.scorer = load_scorer(self.settings.model, tokenizer)

    def process(self, uid: int) -> Iterator[bytes]:
        """Run the kernel on one unit."""
        sums = score_unit(uid, self.corpus, self.encoder, self.scorer, self.settings, self.job)
        yield sums.tobytes()


def score(
    sizes: Mapping[int, int],
    settings: ScoreSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the job over units given with the bytes of text of each, after the count job.

    Units finished by an earlier run are skipped.
    """
    partitions = count_partitions(sum(sizes.values()))
    build = partial(_build, partitions=partitions, settings=settings, job=job)
    run_watched(engine, build, job.work.score, sizes, progress)


def _build(
    pipeline: beam.Pipeline, uids: Sequence[int], partitions: int, settings: ScoreSettings, job: Job
) -> None:
    """Wire the graph."""
    scored = (
        pipeline
        | "Units" >> beam.Create(uids)
        | "Score" >> beam.ParDo(Score(partitions, settings, job))
    )
    sums = scored | "SumTypes" >> beam.CombineGlobally(SumVectors())
    _ = sums | "SaveSums" >> beam.Map(save_signals, job)


def save_signals(packed: bytes, job: Job) -> None:
    """Write the sums of signals by type, int64 [S, V]."""
    size = job.work.type_counts.load().shape[1]
    save_rows(len(packed) // (8 * size), job.work.type_signals)(packed)
