"""The weigh job: sidecars in; weighted token shards out.

    units ─► CountGolden ─► SumGolden ─► FindGolden ────► calibration: gains of golden tokens
    units ─► CountScores ─► SumScores ─┬─► FindScoreBorder ─┐        where documents are selected
    units ─► CountKeys ◄───────────────│────────────────────┘
                 └─► SumKeys ──────────┴─► FindBorders ─► calibration: + borders
    units ─► CountRanks ─► SumRanks ─► FindCuts ────────► calibration: + cuts
                                                                     where the policy ranks tokens
    units ─► SumWeights ─► FindScales ──────────────────► calibration: + scales ─► SaveWeighing
    units ─► WriteShards ─► SumTypes ─► SaveTypeSums; the shards are files

What a token weighs depends on the whole corpus, so each line waits for the one above. The steps
Find... run once and hand on what they find, a few numbers (`pipelines.weigh.calibrate`); no unit
sees anything else of the others. Each line reads the sidecars again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton, PCollection

from pipelines.engine.codec import VECTOR, packed
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine
from pipelines.engine.unit_steps import OverUnits, SumVectors, run_watched, save_rows
from pipelines.settings import Job, WeighSettings
from pipelines.weigh.calibrate import (
    Calibration,
    UnitSums,
    describe_weighing,
    find_cuts,
    find_least_gains,
    find_scales,
    find_score_border,
    find_selection,
)
from pipelines.weigh.sum_weights import (
    count_golden,
    count_keys,
    count_ranks,
    count_scores,
    sum_unit,
)
from pipelines.weigh.weigh_inputs import WeighInputs, load_inputs
from pipelines.weigh.write_shards import write_unit_shards
from weighting.policies.registry import list_ranked
from weighting.policies.selection import Selection


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
    load = partial(load_inputs, settings, sidecars, job.run)
    build = partial(_build, settings=settings, load=load, job=job)
    run_watched(engine, build, job.work.weigh, sizes, progress)


@dataclass(frozen=True)
class Units:
    """The units of a graph, and what all of its kernels need."""

    numbers: PCollection[int]
    load: Callable[[], WeighInputs]

    def run(
        self, step: str, kernel: Callable[..., Any], *found: PCollection[bytes]
    ) -> PCollection[bytes]:
        """Add a step that runs a kernel on each unit, given the one calibration found so far."""
        sides = [AsSingleton(one) for one in found]
        over = OverUnits(kernel, *(Calibration for _ in found), load=self.load)
        done: PCollection[bytes] = self.numbers | step >> beam.ParDo(over, *sides)
        return done


def _build(
    pipeline: beam.Pipeline,
    uids: Sequence[int],
    settings: WeighSettings,
    load: Callable[[], WeighInputs],
    job: Job,
) -> None:
    """Wire the graph."""
    units = Units(pipeline | "Units" >> beam.Create(uids), load)
    found = _find_golden(units, settings)
    if settings.selection is not None:
        found = _select(units, found, settings.selection)
    if list_ranked(settings.policy, settings.params):
        found = _cut(units, found, settings)
    sums = AsList(units.run("SumWeights", sum_unit, found))
    find = packed(partial(find_scales, settings=settings), Calibration, UnitSums)
    found = found | "FindScales" >> beam.Map(find, sums)
    save = partial(save_weighing, load=load, job=job)
    _ = found | "SaveWeighing" >> beam.Map(packed(save, Calibration))
    written = units.run("WriteShards", partial(write_unit_shards, job=job), found)
    types = written | "SumTypes" >> beam.CombineGlobally(SumVectors())
    _ = types | "SaveTypeSums" >> beam.Map(save_rows(2, job.work.type_weights))


def _find_golden(units: Units, settings: WeighSettings) -> PCollection[bytes]:
    """Add the steps to the gains from which tokens are golden."""
    counted = units.run("CountGolden", count_golden)
    gains = counted | "SumGolden" >> beam.CombineGlobally(SumVectors())
    find = packed(partial(find_least_gains, params=settings.params), VECTOR)
    found: PCollection[bytes] = gains | "FindGolden" >> beam.Map(find)
    return found


def _select(units: Units, found: PCollection[bytes], selection: Selection) -> PCollection[bytes]:
    """Add the steps to the borders of a selection."""
    counted = units.run("CountScores", partial(count_scores, selection=selection), found)
    scores = AsSingleton(counted | "SumScores" >> beam.CombineGlobally(SumVectors()))
    find_score = packed(partial(find_score_border, selection=selection), Calibration, VECTOR)
    border = found | "FindScoreBorder" >> beam.Map(find_score, scores)
    keyed = units.run("CountKeys", partial(count_keys, selection=selection), border)
    keys = AsSingleton(keyed | "SumKeys" >> beam.CombineGlobally(SumVectors()))
    find_both = packed(partial(find_selection, selection=selection), Calibration, VECTOR, VECTOR)
    both: PCollection[bytes] = found | "FindBorders" >> beam.Map(find_both, scores, keys)
    return both


def _cut(units: Units, found: PCollection[bytes], settings: WeighSettings) -> PCollection[bytes]:
    """Add the steps to the cuts of the signals by which the policy ranks tokens."""
    counted = units.run("CountRanks", count_ranks, found)
    ranks = counted | "SumRanks" >> beam.CombineGlobally(SumVectors())
    find = packed(partial(find_cuts, settings=settings), Calibration, VECTOR)
    cut: PCollection[bytes] = found | "FindCuts" >> beam.Map(find, AsSingleton(ranks))
    return cut


def save_weighing(known: Calibration, load: Callable[[], WeighInputs], job: Job) -> int:
    """Write what the weights of all tokens follow from, for the manifest."""
    facts = describe_weighing(known, load().scheme)
    job.work.weighing.write(facts)
    return len(facts.splits)
