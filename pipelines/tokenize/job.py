"""The tokenize job: kept documents in; ledger tokens, token ids and counts out.

    units ─► Tokenize ─► SumCounts ─► SaveCounts ─► MergeNgrams (orders x ranges)

Only numbers and count vectors travel; tokens and n-gram counts stay in files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import apache_beam as beam
from apache_beam.pvalue import AsSingleton

from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import OverUnits, SumVectors, run_watched, save_rows
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.encoder import load_encoder
from pipelines.tokenize.ngram_counts import count_partitions, merge_partition
from pipelines.tokenize.split import fill_splits
from pipelines.tokenize.tokenize_unit import tokenize_unit
from weighting.vocabulary import Vocabulary, read_vocabulary


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
    share = fill_splits(sizes, settings.validation_share, job)
    settings = replace(settings, validation_share=share)
    build = partial(_build, partitions=partitions, settings=settings, job=job)
    run_watched(engine, build, job.work.tokenize, sizes, progress)


def _build(
    pipeline: beam.Pipeline, uids: Sequence[int], partitions: int, settings: ScoreSettings, job: Job
) -> None:
    """Wire the graph."""
    tokenizer = job.run / "tokenizer.json"
    load = partial(load_encoder, tokenizer)
    tokenize = OverUnits(partial(tokenize_unit, settings=settings, job=job), load=load)
    tokenized = pipeline | "Units" >> beam.Create(uids) | "Tokenize" >> beam.ParDo(tokenize)
    counts = tokenized | "SumCounts" >> beam.CombineGlobally(SumVectors())
    saved = counts | "SaveCounts" >> beam.Map(save_rows(3, job.work.type_counts))
    types = partial(read_vocabulary, tokenizer)
    ranges = [(n, part) for n in range(2, settings.order + 1) for part in range(partitions)]
    merge = OverUnits(partial(_merge, partitions=partitions, uids=uids, job=job), load=types)
    _ = (
        pipeline
        | "Ranges" >> beam.Create(ranges)
        | "MergeNgrams" >> beam.ParDo(merge, AsSingleton(saved))
    )


def _merge(
    part: tuple[int, int], vocabulary: Vocabulary, partitions: int, uids: Sequence[int], job: Job
) -> int:
    """Merge one range of the n-grams of one order over all units; return how many occur once."""
    n, number = part
    return merge_partition(n, number, partitions, uids, vocabulary.vocab_size, job)[0]
