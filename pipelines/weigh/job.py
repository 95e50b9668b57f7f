"""The weigh job: sidecars in; weighted token shards out.

    units ─► CountScores ─► sum ─► CountKeys ─► sum ─► borders    where documents are selected
    units ─► CountRanks ─► sum ─► cuts                           where the policy ranks tokens
    units ─► SumWeights ─► moments ─► scales ─► WriteShards ─► shards; weight by type ─► sum

Each step is a barrier: what a token weighs depends on the whole corpus. Only unit numbers and small
vectors travel; each step reads the sidecars anew.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import AsList, AsSingleton

from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import SumVectors, run_watched, save_rows
from pipelines.settings import Job, WeighSettings
from pipelines.weigh.sum_weights import (
    Cuts,
    count_keys,
    count_ranks,
    count_scores,
    cut_ranks,
    sum_unit,
)
from pipelines.weigh.weigh_inputs import Plan, load_plan
from pipelines.weigh.write_shards import write_unit_shards
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.errors import AssayError
from weighting.policies.normalisation import (
    Scale,
    WeightSums,
    find_scale,
    find_uniform_scale,
    merge_sums,
)
from weighting.policies.quantiles import BINS
from weighting.policies.registry import list_ranked, resolve_params
from weighting.policies.selection import Borders, fill

NOTHING = b"null"


class Context(NamedTuple):
    """What a step needs to find the plan."""

    settings: WeighSettings
    sidecars: Path
    job: Job


class Step(beam.DoFn):
    """A step over units; the plan is read once a process."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def setup(self) -> None:
        """Read the plan."""
        settings, sidecars, job = self.context
        self.plan: Plan = load_plan(settings, sidecars, job.run)


class CountScores(Step):
    """Count tokens by richness of their documents."""

    def process(self, uid: int) -> Iterator[bytes]:
        """Run the kernel on one unit."""
        yield count_scores(uid, self.plan).tobytes()


class CountKeys(Step):
    """Count tokens of the documents at the border by their hash."""

    def process(self, uid: int, scores: bytes) -> Iterator[bytes]:
        """Run the kernel on one unit."""
        selection = self.context.settings.selection
        assert selection is not None
        border, _ = fill(unpack(scores), selection.tokens)
        yield count_keys(uid, border, self.plan).tobytes()


class CountRanks(Step):
    """Count tokens by the signals that the policy ranks by."""

    def process(self, uid: int, borders: bytes) -> Iterator[bytes]:
        """Run the kernel on one unit."""
        yield count_ranks(uid, self.plan, load_borders(borders)).tobytes()


class SumWeights(Step):
    """Sum up raw weights."""

    def process(self, uid: int, borders: bytes, ranks: bytes) -> Iterator[bytes]:
        """Run the kernel on one unit; yield its moments by split."""
        cuts = load_cuts(ranks, self.plan)
        masses = sum_unit(uid, self.plan, load_borders(borders), cuts)
        yield json.dumps({split: list(mass) for split, mass in masses.items()}).encode()


class WriteShards(Step):
    """Write a unit's shards; yield weight mass and tokens by type."""

    def process(
        self, uid: int, borders: bytes, ranks: bytes, masses: Sequence[bytes]
    ) -> Iterator[bytes]:
        """Run the kernel on one unit, given the moments of all."""
        cuts = load_cuts(ranks, self.plan)
        scales = find_scales(masses, self.context.settings)
        edges = load_borders(borders)
        yield write_unit_shards(uid, self.plan, edges, cuts, scales, self.context.job).tobytes()


def weigh(
    sizes: Mapping[int, int],
    settings: WeighSettings,
    sidecars: Path,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the weigh job over units given with the bytes of text of each.

    RUN/stats must be as the score job left it. Units finished by an earlier run are skipped.
    """
    context = Context(settings, sidecars, job)
    build = partial(_build, context=context)
    run_watched(engine, build, job.work.weigh, sizes, progress)


def unpack(vector: bytes) -> Any:  # noqa: ANN401 - an int64 array
    """Return the numbers of a sum of vectors."""
    return np.frombuffer(vector, np.int64)


def find_borders(keys: bytes, scores: bytes, budget: int) -> bytes:
    """Return where a selection ends, as JSON: the border bin of scores and of keys.

    Raises:
        AssayError: the budget does not even hold the documents that come first.
    """
    tokens_B = unpack(keys)
    score, rest = fill(unpack(scores), budget)
    key, left = fill(tokens_B, rest)
    if left == budget and tokens_B.any():
        least = tokens_B[tokens_B > 0][0]
        raise AssayError(
            f"selection.tokens is {budget}, too few for any document: the first to be kept takes "
            f"{least}"
        )
    return json.dumps([score, key]).encode()


def load_borders(packed: bytes) -> Borders | None:
    """Return the borders of a selection, None where nothing is selected."""
    found = json.loads(packed)
    return None if found is None else Borders(*found)


def load_cuts(ranks: bytes, plan: Plan) -> Cuts:
    """Return the cuts that the sum of all units' histograms gives."""
    return cut_ranks(unpack(ranks).reshape(len(SPLITS), -1, BINS), plan)


def find_scales(masses: Sequence[bytes], settings: WeighSettings) -> dict[str, Scale]:
    """Return the scale of each split, from the moments of all units in any order."""
    units = [json.loads(packed) for packed in masses]
    scales = {}
    for split in sorted({split for unit in units for split in unit}):
        mass = merge_sums([WeightSums(*unit[split]) for unit in units if split in unit])
        if split != TRAIN and not mass.raw:  # a mask may hold no token of a small split
            scales[split] = find_uniform_scale(mass, settings.policy, settings.params)
            continue
        try:
            scales[split] = find_scale(mass, settings.policy, settings.params)
        except AssayError as error:
            raise AssayError(f"split {split}: {error}") from None
    return scales


def _build(pipeline: beam.Pipeline, uids: Sequence[int], context: Context) -> None:
    """Wire the graph."""
    units = pipeline | "Units" >> beam.Create(uids)
    borders = AsSingleton(_select(pipeline, units, context))
    ranks = AsSingleton(_rank(pipeline, units, borders, context))
    masses = units | "SumWeights" >> beam.ParDo(SumWeights(context), borders, ranks)
    given = (borders, ranks, AsList(masses))
    _ = (
        pipeline
        | "Once" >> beam.Create([0])
        | "SaveWeighing" >> beam.Map(save_weighing, *given, context)
    )
    packed = units | "WriteShards" >> beam.ParDo(WriteShards(context), *given)
    sums = packed | "SumTypes" >> beam.CombineGlobally(SumVectors())
    _ = sums | "SaveSums" >> beam.Map(save_rows(2, context.job.work.type_weights))


def _select(pipeline: beam.Pipeline, units: Any, context: Context) -> Any:  # noqa: ANN401
    """Return the borders of the selection as one element, NOTHING where there is none."""
    selection = context.settings.selection
    if selection is None:
        return pipeline | "AllDocuments" >> beam.Create([NOTHING])
    counted = units | "CountScores" >> beam.ParDo(CountScores(context))
    scores = AsSingleton(counted | "SumScores" >> beam.CombineGlobally(SumVectors()))
    keys = units | "CountKeys" >> beam.ParDo(CountKeys(context), scores)
    summed = keys | "SumKeys" >> beam.CombineGlobally(SumVectors())
    return summed | "FindBorders" >> beam.Map(find_borders, scores, selection.tokens)


def _rank(
    pipeline: beam.Pipeline,
    units: Any,  # noqa: ANN401 - a PCollection
    borders: AsSingleton,
    context: Context,
) -> Any:  # noqa: ANN401
    """Return the histograms that ranks need as one element, empty where none are needed."""
    if not list_ranked(context.settings.policy, context.settings.params):
        return pipeline | "NoRanks" >> beam.Create([b""])
    counted = units | "CountRanks" >> beam.ParDo(CountRanks(context), borders)
    return counted | "SumRanks" >> beam.CombineGlobally(SumVectors())


def save_weighing(
    _: int, borders: bytes, ranks: bytes, masses: Sequence[bytes], context: Context
) -> None:
    """Write what the weights of all tokens follow from, for the manifest."""
    plan = load_plan(context.settings, context.sidecars, context.job.run)
    cuts = load_cuts(ranks, plan)
    scales = find_scales(masses, context.settings)
    splits = {
        split: SplitScale(
            **scale._asdict(), cuts={name: list(cut) for name, cut in cuts[split].items()}
        )
        for split, scale in scales.items()
    }
    policy, params = context.settings.policy, context.settings.params
    facts = WeighingFacts(
        policy=policy,
        params=resolve_params(policy, params).to_dict(),
        splits=splits,
        golden=plan.golden,
        borders=json.loads(borders),
    )
    context.job.work.weighing.write(facts)
