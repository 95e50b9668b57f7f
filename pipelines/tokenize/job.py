"""The count job: kept documents in; ledger tokens, token ids and counts out.

    units ─► Tokenize ─┬─ counts ─► sum
                       └─ (ids) ─► MergeGrams (orders x partitions)

Only unit numbers and count vectors travel; tokens and n-gram counts stay in files.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, TaggedOutput

from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import SumVectors, WithEncoder, run_watched, save_rows
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.ngram_counts import count_partitions, merge_partition
from pipelines.tokenize.tokenize_unit import tokenize_unit


class Tokenize(WithEncoder):
    """Encode a unit; pass its number on and its counts aside."""

    def process(self, uid: int) -> Iterator[Any]:
        """Run the kernel on one unit."""
        counts = tokenize_unit(uid, self.encoder, self.settings, self.job)
        yield TaggedOutput("counts", counts.tobytes())
        yield uid


class MergeGrams(WithEncoder):
    """Merge one range of the n-grams of one order over all units."""

    def __init__(self, partitions: int, settings: ScoreSettings, job: Job) -> None:
        super().__init__(settings, job)
        self.partitions = partitions

    def process(self, part: tuple[int, int], uids: Sequence[int]) -> None:
        """Run the kernel on one part: an order and the number of the range."""
        size = self.encoder.vocab_size
        merge_partition(*part, self.partitions, uids, size, self.job)


def count(
    sizes: Mapping[int, int],
    settings: ScoreSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the job over units given with the bytes of text of each.

    RUN/tokenizer.json must be there. Units finished by an earlier run are skipped.
    """
    partitions = count_partitions(sum(sizes.values()))
    build = partial(_build, partitions=partitions, settings=settings, job=job)
    run_watched(engine, build, job.work.tokenize, sizes, progress)


def _build(
    pipeline: beam.Pipeline, uids: Sequence[int], partitions: int, settings: ScoreSettings, job: Job
) -> None:
    """Wire the graph."""
    tokenized = (
        pipeline
        | "Units" >> beam.Create(uids)
        | "Tokenize" >> beam.ParDo(Tokenize(settings, job)).with_outputs("counts", main="uids")
    )
    counts = tokenized.counts | "SumCounts" >> beam.CombineGlobally(SumVectors())
    _ = counts | "SaveCounts" >> beam.Map(save_rows(3, job.work.type_counts))
    parts = [(n, part) for n in range(2, settings.order + 1) for part in range(partitions)]
    _ = (
        pipeline
        | "Parts" >> beam.Create(parts)
        | "MergeGrams" >> beam.ParDo(MergeGrams(partitions, settings, job), AsList(tokenized.uids))
    )
